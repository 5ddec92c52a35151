/** Appointments, prescriptions, records. */
import { type Chapter, amount, choice, day, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const patient_id = id('patient', 'pat_55');
const doctor_id = id('doctor', 'doc_9');
const appointment_id = id('appointment', 'apt_640');
const appointment = record({
  appointment_id,
  patient_id,
  doctor_id,
  at: moment('Time of the appointment.'),
  reason: text('Reason for the visit.', 'Knee pain'),
  status: choice('State.', 'booked', 'held', 'cancelled'),
});
const prescription_id = id('prescription', 'prs_21');
const prescription = record({
  prescription_id,
  patient_id,
  medicine: text('Medicine.', 'Ibuprofen 400 mg'),
  dose: text('How to take it.', 'twice a day with food'),
  refills_left: whole('How often it can be renewed.', 2),
  status: choice('State.', 'active', 'refill_requested', 'ended'),
});
const reading = record({
  reading_id: id('reading', 'rdg_4'),
  patient_id,
  kind: choice('What was measured.', 'blood_pressure', 'weight', 'pulse', 'glucose'),
  value: text('Value with unit.', '128/82 mmHg'),
  on: day('When.'),
});

export const health: Chapter = {
  category: 'health',
  tools: {
    search_doctors: read(
      'Finds doctors by field and town.',
      { speciality: text('Medical field.', 'orthopaedics'), near: text('Town.', 'Graz'), 'language?': text('Language spoken.', 'English') },
      many(
        record({
          doctor_id,
          name: text('Name.', 'Dr Eva Novak'),
          speciality: text('Medical field.', 'orthopaedics'),
          kilometres: amount('How far.', 2.3),
        }),
      ),
    ),
    list_free_appointments: read(
      'Lists when a doctor has time.',
      { doctor_id, from: day('First day.'), 'to?': day('Last day.', '2027-03-22') },
      many(moment('Time of the appointment.')),
    ),
    list_appointments: read(
      'Lists a patient’s appointments.',
      { patient_id, 'status?': choice('State.', 'booked', 'held', 'cancelled') },
      many(appointment),
    ),
    book_appointment: write(
      'Books an appointment with a doctor.',
      { patient_id, doctor_id, at: moment('Time of the appointment.'), reason: text('Reason for the visit.', 'Knee pain') },
      appointment,
      'list_appointments',
    ),
    cancel_appointment: write(
      'Cancels an appointment with a doctor.',
      { appointment_id },
      like(appointment, { status: 'cancelled' }),
      'list_appointments',
    ),
    list_prescriptions: read('Lists a patient’s medicines.', { patient_id }, many(prescription)),
    request_refill: write(
      'Asks for a refill of a prescribed medicine.',
      { prescription_id, 'pharmacy?': text('Pharmacy that hands it out.', 'Rathaus pharmacy') },
      like(prescription, { status: 'refill_requested' }),
      'list_prescriptions',
    ),
    list_readings: read(
      'Lists a patient’s measurements of one kind.',
      {
        patient_id,
        kind: choice('What was measured.', 'blood_pressure', 'weight', 'pulse', 'glucose'),
        'since?': day('Not older than.', '2027-01-01'),
      },
      many(reading),
    ),
    add_reading: write(
      'Notes a measurement of a patient.',
      {
        patient_id,
        kind: choice('What was measured.', 'blood_pressure', 'weight', 'pulse', 'glucose'),
        value: text('Value with unit.', '128/82 mmHg'),
      },
      reading,
      'list_readings',
    ),
  },
};
