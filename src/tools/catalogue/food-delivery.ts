/** Meals brought home. */
import { type Chapter, amount, choice, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const kitchen_id = id('kitchen', 'ktc_5');
const dish_id = id('dish', 'dsh_71');
const basket = record({
  kitchen_id,
  dishes: many(record({ dish_id, quantity: whole('How many.', 2, 1), note: text('Wish, or none.', 'no onions') })),
  total: amount('EUR with delivery.', 31.4),
});
const meal_id = id('order', 'mor_908');
const meal = record({
  meal_id,
  kitchen_id,
  status: choice('State.', 'received', 'cooking', 'on_the_way', 'delivered', 'cancelled'),
  minutes_left: whole('Until it is there.', 25),
  address: text('Where it goes.', 'Seestrasse 4'),
  tip: amount('EUR.', 0),
});

export const foodDelivery: Chapter = {
  category: 'food_delivery',
  tools: {
    find_kitchens: read(
      'Finds who delivers to an address.',
      { address: text('Address.', 'Seestrasse 4'), 'cuisine?': text('Kitchen.', 'Thai'), 'fastest_first?': flag('By time.') },
      many(
        record({ kitchen_id, name: text('Name.', 'Bangkok Express'), minutes: whole('How long it takes.', 35), fee: amount('EUR.', 2.9) }),
      ),
    ),
    list_dishes: read(
      'Shows what a kitchen cooks.',
      { kitchen_id, 'diet?': choice('Only what fits.', 'vegetarian', 'vegan', 'halal') },
      many(record({ dish_id, name: text('Dish.', 'Pad Thai'), price: amount('EUR.', 13.5), spicy: whole('0 to 3.', 1, 0, 3) })),
    ),
    view_basket: read('Shows the basket.', {}, basket),
    add_dish: write(
      'Puts a dish into the basket.',
      { kitchen_id, dish_id, quantity: whole('How many.', 2, 1, 20), 'note?': text('Wish.', 'no onions') },
      basket,
      'view_basket',
    ),
    remove_dish: write('Takes a dish out of the basket.', { dish_id }, like(basket, { dishes: [], total: 0 }), 'view_basket'),
    order_meal: write(
      'Orders what is in the basket.',
      { address: text('Where it goes.', 'Seestrasse 4'), payment: choice('How it is paid.', 'card', 'cash', 'wallet') },
      meal,
      'track_meal',
    ),
    track_meal: read('Tells how far a meal is.', { meal_id }, meal),
    cancel_meal: write(
      'Cancels a meal that is not cooking yet.',
      { meal_id },
      like(meal, { status: 'cancelled', minutes_left: 0 }),
      'track_meal',
    ),
    tip_courier: write('Gives the courier a tip.', { meal_id, tip: amount('EUR.', 3) }, like(meal, { tip: 3 }), 'track_meal'),
  },
};
