/** Courses, assignments, marks. */
import { type Chapter, amount, choice, day, id, like, many, read, record, text, whole, write } from './notation.ts';

const course_id = id('course', 'crs_14');
const student_id = id('student', 'stu_903');
const course = record({
  course_id,
  title: text('Title.', 'Linear algebra'),
  teacher: text('Teacher.', 'Prof. Amari'),
  starts: day('First day.', '2027-09-13'),
  places_left: whole('Places.', 6),
  credits: whole('Credits.', 5),
});
const enrolment = record({ student_id, course_id, status: choice('State.', 'enrolled', 'waiting', 'withdrawn', 'passed') });
const submission = record({
  submission_id: id('submission', 'sub_30'),
  assignment_id: id('assignment', 'asg_7'),
  student_id,
  text: text('What was handed in.', 'See the proof below.'),
  mark: amount('Mark, 0 where there is none yet.', 0),
});
const assignment_id = id('assignment', 'asg_7');

export const education: Chapter = {
  category: 'education',
  tools: {
    search_courses: read(
      'Finds courses of a school.',
      { words: text('Subject.', 'algebra'), 'most_credits?': whole('Credits at most.', 6, 1, 30) },
      many(course),
    ),
    get_course: read('Shows one course.', { course_id }, course),
    list_enrolments: read('Lists a student’s courses.', { student_id }, many(enrolment)),
    enrol_student: write('Enrols a student in a course.', { student_id, course_id }, enrolment, 'list_enrolments'),
    withdraw_student: write(
      'Takes a student off a course.',
      { student_id, course_id },
      like(enrolment, { status: 'withdrawn' }),
      'list_enrolments',
    ),
    list_assignments: read(
      'Lists the assignments of a course.',
      { course_id },
      many(record({ assignment_id, title: text('Title.', 'Week 3'), due: day('Due.', '2027-10-04') })),
    ),
    list_submissions: read(
      'Lists what students handed in for an assignment.',
      { assignment_id, 'student_id?': student_id },
      many(submission),
    ),
    submit_assignment: write(
      'Hands in a student’s work for an assignment.',
      { assignment_id, student_id, text: text('What is handed in.', 'See the proof below.') },
      submission,
      'list_submissions',
    ),
    mark_submission: write(
      'Gives a mark for work that was handed in.',
      { submission_id: id('submission', 'sub_30'), mark: amount('Mark, 1 to 6.', 5.5), 'comment?': text('Reason for the mark.', 'Clear.') },
      like(submission, { mark: 5.5 }),
      'list_submissions',
    ),
  },
};
