/** Appointments, prescriptions, records. */
import { type Chapter, amount, choice, day, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const patient_id = id('patient', 'pat_55');
const doctor_id = id('doctor', 'doc_9');
const appointment_id = id('appointment', 'apt_640');
const appointment = record({
  appointment_id,
  patient_id,
  doctor_id,
  at: moment('When.'),
  reason: text('Why.', 'Knee pain'),
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
      'Finds doctors.',
      { speciality: text('Field.', 'orthopaedics'), near: text('Town.', 'Graz'), 'language?': text('Language spoken.', 'English') },
      many(
        record({
          doctor_id,
          name: text('Name.', 'Dr Eva Novak'),
          speciality: text('Field.', 'orthopaedics'),
          kilometres: amount('How far.', 2.3),
        }),
      ),
    ),
    list_free_appointments: read(
      'Lists when a doctor has time.',
      { doctor_id, from: day('First day.'), 'to?': day('Last day.', '2027-03-22') },
      many(moment('When.')),
    ),
    list_appointments: read(
      'Lists a patient’s appointments.',
      { patient_id, 'status?': choice('State.', 'booked', 'held', 'cancelled') },
      many(appointment),
    ),
    book_appointment: write(
      'Books an appointment.',
      { patient_id, doctor_id, at: moment('When.'), reason: text('Why.', 'Knee pain') },
      appointment,
      'list_appointments',
    ),
    cancel_appointment: write(
      'Cancels an appointment.',
      { appointment_id },
      like(appointment, { status: 'cancelled' }),
      'list_appointments',
    ),
    list_prescriptions: read('Lists a patient’s medicines.', { patient_id }, many(prescription)),
    request_refill: write(
      'Asks for a medicine again.',
      { prescription_id, 'pharmacy?': text('Where to fetch it.', 'Rathaus pharmacy') },
      like(prescription, { status: 'refill_requested' }),
      'list_prescriptions',
    ),
    list_readings: read(
      'Shows what was measured.',
      {
        patient_id,
        kind: choice('What was measured.', 'blood_pressure', 'weight', 'pulse', 'glucose'),
        'since?': day('Not older than.', '2027-01-01'),
      },
      many(reading),
    ),
    add_reading: write(
      'Notes a measurement.',
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
