/** People at work: leave, pay, hiring. */
import { type Chapter, amount, choice, day, id, like, many, read, record, text, whole, write } from './notation.ts';

const employee_id = id('employee', 'emp_310');
const employee = record({
  employee_id,
  name: text('Name.', 'Tomas Lind'),
  title: text('Title of the job.', 'Data engineer'),
  department: text('Department.', 'Platform'),
  manager: text('Manager.', 'Ines Roth'),
  started: day('First day.', '2024-05-01'),
});
const leave_id = id('leave request', 'lev_72');
const leave = record({
  leave_id,
  employee_id,
  kind: choice('Kind of leave.', 'holiday', 'sick', 'parental', 'unpaid'),
  from: day('First day.', '2027-07-05'),
  to: day('Last day.', '2027-07-16'),
  status: choice('State.', 'requested', 'approved', 'refused', 'withdrawn'),
});
const candidate_id = id('candidate', 'can_8');
const candidate = record({
  candidate_id,
  name: text('Name.', 'Yara Haddad'),
  opening: text('Job applied for.', 'Data engineer'),
  stage: choice('Stage of the candidate.', 'applied', 'interview', 'offer', 'hired', 'refused'),
});

export const hr: Chapter = {
  category: 'hr',
  tools: {
    search_employees: read(
      'Finds employees by name or department.',
      { 'name?': text('Part of the name.', 'Lind'), 'department?': text('Department.', 'Platform') },
      many(employee),
    ),
    get_employee: read('Shows one employee.', { employee_id }, employee),
    get_leave_balance: read(
      'Tells how many days of holiday an employee has left.',
      { employee_id, 'year?': whole('Year.', 2027, 2000, 2100) },
      record({ employee_id, days_left: amount('Days.', 14.5), days_taken: amount('Days.', 10.5) }),
    ),
    list_leave_requests: read(
      'Lists leave requests.',
      { 'employee_id?': employee_id, 'status?': choice('State.', 'requested', 'approved', 'refused', 'withdrawn') },
      many(leave),
    ),
    request_leave: write(
      'Asks for days of leave for an employee.',
      {
        employee_id,
        kind: choice('Kind of leave.', 'holiday', 'sick', 'parental', 'unpaid'),
        from: day('First day.', '2027-07-05'),
        to: day('Last day.', '2027-07-16'),
      },
      leave,
      'list_leave_requests',
    ),
    decide_leave_request: write(
      'Approves or refuses a leave request.',
      { leave_id, decision: choice('Decision.', 'approved', 'refused'), 'comment?': text('Reason.', 'Enjoy.') },
      like(leave, { status: 'approved' }),
      'list_leave_requests',
    ),
    list_payslips: read(
      'Lists an employee’s payslips of a year.',
      { employee_id, year: whole('Year.', 2027, 2000, 2100) },
      many(record({ payslip_id: id('payslip', 'psl_3'), month: whole('Month.', 2, 1, 12), net: amount('Paid out.', 4120.3) })),
    ),
    list_candidates: read('Lists who applied for a job.', { opening: text('Title of the job.', 'Data engineer') }, many(candidate)),
    move_candidate: write(
      'Moves a candidate to another stage.',
      { candidate_id, stage: choice('Stage of the candidate.', 'interview', 'applied', 'offer', 'hired', 'refused') },
      like(candidate, { stage: 'interview' }),
      'list_candidates',
    ),
  },
};
