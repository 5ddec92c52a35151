/** Hotels: rooms found and booked. */
import { type Chapter, amount, choice, day, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const hotel_id = id('hotel', 'htl_61');
const hotel = record({
  hotel_id,
  name: text('Name.', 'Harbour Inn'),
  town: text('Town.', 'Lisbon'),
  stars: whole('Stars.', 4, 1, 5),
  price: amount('EUR a night.', 118),
  breakfast: flag('Whether it is included.'),
});
const stay_id = id('stay', 'sty_305');
const stay = record({
  stay_id,
  hotel_id,
  guest: text('Name.', 'Mira Keller'),
  arrives: day('Arrival.', '2027-05-03'),
  leaves: day('Departure.', '2027-05-06'),
  room: choice('Kind of room.', 'double', 'single', 'family', 'suite'),
  requests: many(text('Wish of the guest.', 'quiet room')),
  status: choice('State.', 'booked', 'cancelled', 'ended'),
});

export const hotels: Chapter = {
  category: 'hotels',
  tools: {
    search_hotels: read(
      'Finds hotels with a free room.',
      {
        town: text('Town.', 'Lisbon'),
        arrives: day('Arrival.', '2027-05-03'),
        leaves: day('Departure.', '2027-05-06'),
        guests: whole('Number of guests.', 2, 1, 12),
        'most?': amount('EUR a night at most.', 150),
        'least_stars?': whole('Stars at least.', 3, 1, 5),
      },
      many(hotel),
    ),
    get_hotel: read('Shows one hotel.', { hotel_id }, hotel),
    list_hotel_rooms: read(
      'Lists the free rooms of a hotel.',
      { hotel_id, arrives: day('Arrival.', '2027-05-03'), leaves: day('Departure.', '2027-05-06') },
      many(
        record({
          room: choice('Kind of room.', 'double', 'single', 'family', 'suite'),
          price: amount('EUR a night.', 118),
          left: whole('Number of guests.', 3),
        }),
      ),
    ),
    get_stay: read('Shows a hotel booking.', { stay_id }, stay),
    book_room: write(
      'Books a hotel room.',
      {
        hotel_id,
        guest: text('Name.', 'Mira Keller'),
        arrives: day('Arrival.', '2027-05-03'),
        leaves: day('Departure.', '2027-05-06'),
        room: choice('Kind of room.', 'double', 'single', 'family', 'suite'),
      },
      like(stay, { requests: [] }),
      'get_stay',
    ),
    change_stay_dates: write(
      'Moves a hotel booking to other days.',
      { stay_id, arrives: day('Arrival.', '2027-05-04'), leaves: day('Departure.', '2027-05-07') },
      like(stay, { arrives: '2027-05-04', leaves: '2027-05-07' }),
      'get_stay',
    ),
    add_stay_request: write(
      'Adds a wish to a hotel booking.',
      { stay_id, request: text('Wish of the guest.', 'quiet room') },
      stay,
      'get_stay',
    ),
    cancel_stay: write('Cancels a hotel booking.', { stay_id }, like(stay, { status: 'cancelled' }), 'get_stay'),
  },
};
