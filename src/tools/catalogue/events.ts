/** Concerts, matches, tickets. */
import { type Chapter, amount, choice, day, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const show_id = id('show', 'shw_450');
const show = record({
  show_id,
  title: text('Title.', 'The Pines, live'),
  venue: text('Where.', 'Volkshaus'),
  town: text('Town.', 'Zürich'),
  at: moment('When.', '2027-04-09T18:30:00Z'),
  cheapest: amount('EUR.', 38),
  tickets_left: whole('Tickets.', 120),
});
const pass_id = id('ticket', 'pas_901');
const pass = record({
  pass_id,
  show_id,
  holder: text('Name.', 'Mira Keller'),
  area: choice('Area of the seats.', 'standing', 'stalls', 'balcony'),
  price: amount('EUR.', 38),
  status: choice('State.', 'valid', 'passed_on', 'refunded'),
});
const followed = record({ artist: text('Artist.', 'The Pines'), show_ids: many(id('show', 'shw_450')) });

export const events: Chapter = {
  category: 'events',
  tools: {
    search_shows: read(
      'Finds concerts, plays and matches.',
      {
        town: text('Town.', 'Zürich'),
        'from?': day('First day.', '2027-04-01'),
        'to?': day('Last day.', '2027-04-30'),
        'kind?': choice('Kind of show.', 'concert', 'theatre', 'sport', 'comedy'),
      },
      many(show),
    ),
    get_show: read('Shows one concert, play or match.', { show_id }, show),
    list_passes: read('Lists the show tickets that somebody holds.', { holder: text('Name.', 'Mira Keller') }, many(pass)),
    buy_pass: write(
      'Buys a ticket for a show.',
      { show_id, holder: text('Name.', 'Mira Keller'), area: choice('Area of the seats.', 'standing', 'stalls', 'balcony') },
      pass,
      'list_passes',
    ),
    pass_on_pass: write(
      'Gives a show ticket to somebody else.',
      { pass_id, to: text('Name.', 'Paul Keller') },
      like(pass, { holder: 'Paul Keller', status: 'passed_on' }),
      'list_passes',
    ),
    refund_pass: write('Gives a show ticket back for its price.', { pass_id }, like(pass, { status: 'refunded' }), 'list_passes'),
    list_followed_artists: read('Lists the artists that the user follows, with their next shows.', {}, many(followed)),
    follow_artist: write(
      'Follows an artist, to hear of their shows.',
      { artist: text('Artist.', 'The Pines') },
      followed,
      'list_followed_artists',
    ),
  },
};
