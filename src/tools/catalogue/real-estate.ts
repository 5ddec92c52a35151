/** Homes to rent and to buy. */
import { type Chapter, amount, choice, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const listing_id = id('listing', 'hom_66');
const listing = record({
  listing_id,
  title: text('Title.', 'Three rooms by the park'),
  town: text('Town.', 'Graz'),
  deal: choice('Rent or buy.', 'rent', 'buy'),
  price: amount('EUR; a month where it is rent.', 1180),
  rooms: amount('Rooms.', 3),
  square_metres: whole('Size in square metres.', 78),
  available: day('From when.', '2027-06-01'),
});
const viewing_id = id('viewing', 'vwg_12');
const viewing = record({
  viewing_id,
  listing_id,
  visitor: text('Name.', 'Mira Keller'),
  at: moment('Time of the visit.'),
  status: choice('State.', 'booked', 'cancelled'),
});
const search_id = id('saved search', 'ssr_2');
const search = record({
  search_id,
  town: text('Town.', 'Graz'),
  deal: choice('Rent or buy.', 'rent', 'buy'),
  most: amount('Highest price in EUR.', 1300),
  mails: flag('Whether new ones are sent.'),
});

export const realEstate: Chapter = {
  category: 'real_estate',
  tools: {
    search_listings: read(
      'Finds homes to rent or buy.',
      {
        town: text('Town.', 'Graz'),
        deal: choice('Rent or buy.', 'rent', 'buy'),
        'most?': amount('Highest price in EUR.', 1300),
        'least_rooms?': amount('Rooms at least.', 2.5),
      },
      many(listing),
    ),
    get_listing: read('Shows one home that is offered.', { listing_id }, listing),
    estimate_value: read(
      'Estimates what a home is worth.',
      { address: text('Address.', 'Parkring 9, Graz'), square_metres: whole('Size in square metres.', 78, 10, 2000) },
      record({ low: amount('EUR.', 290000), high: amount('EUR.', 330000) }),
    ),
    list_viewings: read('Lists the visits of homes that somebody booked.', { visitor: text('Name.', 'Mira Keller') }, many(viewing)),
    book_viewing: write(
      'Books a visit of a home.',
      { listing_id, visitor: text('Name.', 'Mira Keller'), at: moment('Time of the visit.') },
      viewing,
      'list_viewings',
    ),
    cancel_viewing: write('Cancels a visit of a home.', { viewing_id }, like(viewing, { status: 'cancelled' }), 'list_viewings'),
    list_saved_searches: read('Lists the saved searches for homes.', {}, many(search)),
    save_search: write(
      'Saves a search for homes; new ones are sent.',
      { town: text('Town.', 'Graz'), deal: choice('Rent or buy.', 'rent', 'buy'), most: amount('Highest price in EUR.', 1300) },
      search,
      'list_saved_searches',
    ),
  },
};
