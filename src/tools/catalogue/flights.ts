/** Flights: searched, booked, changed. */
import { type Chapter, amount, choice, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const flight_id = id('flight', 'LX318-20270315');
const airport = (description: string, example: string) => text(`${description} IATA code.`, example);
const flight = record({
  flight_id,
  from: airport('Departure.', 'ZRH'),
  to: airport('Arrival.', 'LHR'),
  leaves: moment('Departure.', '2027-03-15T07:20:00Z'),
  arrives: moment('Arrival.', '2027-03-15T09:05:00Z'),
  price: amount('Price in EUR for one.', 142),
  seats_left: whole('Seats.', 9),
});
const booking_id = id('booking', 'QX7P2L');
const booking = record({
  booking_id,
  flight_id,
  passengers: many(text('Name as in the passport.', 'Mira Keller')),
  cabin: choice('Travel class.', 'economy', 'premium', 'business'),
  bags: whole('Checked bags.', 1),
  seats: many(text('Row and letter of the seat.', '14C')),
  status: choice('State.', 'confirmed', 'checked_in', 'cancelled'),
});

export const flights: Chapter = {
  category: 'flights',
  tools: {
    search_flights: read(
      'Finds flights between two airports on a day.',
      {
        from: airport('Departure.', 'ZRH'),
        to: airport('Arrival.', 'LHR'),
        on: day('Day.'),
        'direct_only?': flag('Only flights without a change.'),
        'most?': amount('Highest price in EUR.', 200),
      },
      many(flight),
    ),
    get_flight_status: read(
      'Tells whether a flight is on time.',
      { flight_id },
      record({
        flight_id,
        status: choice('State.', 'on_time', 'delayed', 'cancelled', 'landed'),
        delay_minutes: whole('Minutes late.', 0),
        gate: text('Gate.', 'B34'),
      }),
    ),
    find_airports: read(
      'Finds airports near a town.',
      { town: text('Town.', 'London') },
      many(record({ code: airport('', 'LHR'), name: text('Name.', 'Heathrow') })),
    ),
    get_flight_booking: read('Shows a flight booking.', { booking_id }, booking),
    book_flight: write(
      'Books a flight.',
      {
        flight_id,
        passengers: many(text('Name as in the passport.', 'Mira Keller'), 'Names of those who fly.'),
        'cabin?': choice('Travel class.', 'economy', 'premium', 'business'),
      },
      booking,
      'get_flight_booking',
    ),
    change_flight: write(
      'Changes a flight booking to another flight.',
      { booking_id, flight_id: id('new flight', 'LX324-20270315') },
      like(booking, { flight_id: 'LX324-20270315' }),
      'get_flight_booking',
    ),
    cancel_flight_booking: write('Cancels a flight booking.', { booking_id }, like(booking, { status: 'cancelled' }), 'get_flight_booking'),
    choose_seat: write(
      'Chooses a seat for a passenger of a flight booking.',
      { booking_id, passenger: text('Name.', 'Mira Keller'), seat: text('Row and letter of the seat.', '14C') },
      booking,
      'get_flight_booking',
    ),
    add_baggage: write(
      'Adds checked bags to a flight booking.',
      { booking_id, bags: whole('Number of bags.', 1, 1, 5) },
      booking,
      'get_flight_booking',
    ),
    check_in: write(
      'Checks the passengers of a flight booking in.',
      { booking_id },
      like(booking, { status: 'checked_in' }),
      'get_flight_booking',
    ),
  },
};
