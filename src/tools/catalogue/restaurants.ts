/** Restaurants: tables and menus. */
import { type Chapter, amount, choice, clock, day, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const restaurant_id = id('restaurant', 'rst_204');
const restaurant = record({
  restaurant_id,
  name: text('Name.', 'Trattoria Vera'),
  cuisine: text('Cuisine.', 'Italian'),
  town: text('Town.', 'Turin'),
  price_level: whole('1 is cheap, 4 is dear.', 2, 1, 4),
  terrace: flag('Whether one can sit outside.'),
});
const reservation_id = id('reservation', 'res_77');
const reservation = record({
  reservation_id,
  restaurant_id,
  name: text('On whose name.', 'Keller'),
  on: day('Day.'),
  at: clock('Time.'),
  guests: whole('Number of guests.', 4, 1),
  note: text('Wish, or none.', 'none'),
  status: choice('State.', 'booked', 'cancelled'),
});
const review = record({
  review_id: id('review', 'rvw_2'),
  restaurant_id,
  stars: whole('Stars, 1 to 5.', 5, 1, 5),
  says: text('Words of the review.', 'The gnocchi!'),
});

export const restaurants: Chapter = {
  category: 'restaurants',
  tools: {
    search_restaurants: read(
      'Finds restaurants of a town.',
      {
        town: text('Town.', 'Turin'),
        'cuisine?': text('Cuisine.', 'Italian'),
        'price_level?': whole('1 is cheap, 4 is dear.', 2, 1, 4),
        'terrace?': flag('With a terrace.'),
      },
      many(restaurant),
    ),
    get_menu: read(
      'Shows the menu of a restaurant.',
      { restaurant_id, 'diet?': choice('Only dishes that fit this diet.', 'vegetarian', 'vegan', 'gluten_free') },
      many(
        record({
          dish: text('Dish.', 'Gnocchi al burro'),
          price: amount('EUR.', 14.5),
          diets: many(choice('Fits.', 'vegetarian', 'vegan', 'gluten_free')),
        }),
      ),
    ),
    list_free_tables: read(
      'Tells when a restaurant has a free table.',
      { restaurant_id, on: day('Day.'), guests: whole('Number of guests.', 4, 1, 20) },
      many(clock('Time.')),
    ),
    get_reservation: read('Shows a reservation of a table.', { reservation_id }, reservation),
    reserve_table: write(
      'Reserves a table at a restaurant.',
      {
        restaurant_id,
        name: text('On whose name.', 'Keller'),
        on: day('Day.'),
        at: clock('Time.'),
        guests: whole('Number of guests.', 4, 1, 20),
        'note?': text('Wish of the guest.', 'window seat'),
      },
      reservation,
      'get_reservation',
    ),
    change_reservation: write(
      'Changes time or number of guests of a reservation.',
      { reservation_id, 'at?': clock('Time.', '20:00'), 'guests?': whole('Number of guests.', 5, 1, 20) },
      like(reservation, { at: '20:00', guests: 5 }),
      'get_reservation',
    ),
    cancel_reservation: write(
      'Cancels a reservation of a table.',
      { reservation_id },
      like(reservation, { status: 'cancelled' }),
      'get_reservation',
    ),
    list_restaurant_reviews: read('Lists what guests say of a restaurant.', { restaurant_id }, many(review)),
    review_restaurant: write(
      'Writes a review of a restaurant.',
      { restaurant_id, stars: whole('Stars, 1 to 5.', 5, 1, 5), says: text('Words of the review.', 'The gnocchi!') },
      review,
      'list_restaurant_reviews',
    ),
  },
};
