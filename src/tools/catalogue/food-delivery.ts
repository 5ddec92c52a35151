/** Meals brought home. */
import { type Chapter, amount, choice, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const kitchen_id = id('kitchen', 'ktc_5');
const dish_id = id('dish', 'dsh_71');
const basket = record({
  kitchen_id,
  dishes: many(record({ dish_id, quantity: whole('Number of portions.', 2, 1), note: text('Wish, or none.', 'no onions') })),
  total: amount('EUR with delivery.', 31.4),
});
const meal_id = id('order', 'mor_908');
const meal = record({
  meal_id,
  kitchen_id,
  status: choice('State.', 'received', 'cooking', 'on_the_way', 'delivered', 'cancelled'),
  minutes_left: whole('Until it is there.', 25),
  address: text('Address of delivery.', 'Seestrasse 4'),
  tip: amount('Tip in EUR.', 0),
});

export const foodDelivery: Chapter = {
  category: 'food_delivery',
  tools: {
    find_kitchens: read(
      'Finds kitchens that deliver meals to an address.',
      {
        address: text('Address.', 'Seestrasse 4'),
        'cuisine?': text('Cuisine.', 'Thai'),
        'fastest_first?': flag('Whether the fastest come first.'),
      },
      many(
        record({
          kitchen_id,
          name: text('Name.', 'Bangkok Express'),
          minutes: whole('How long it takes.', 35),
          fee: amount('Tip in EUR.', 2.9),
        }),
      ),
    ),
    list_dishes: read(
      'Lists the dishes of a kitchen.',
      { kitchen_id, 'diet?': choice('Only dishes that fit this diet.', 'vegetarian', 'vegan', 'halal') },
      many(record({ dish_id, name: text('Dish.', 'Pad Thai'), price: amount('Tip in EUR.', 13.5), spicy: whole('0 to 3.', 1, 0, 3) })),
    ),
    view_basket: read('Shows the dishes in the basket.', {}, basket),
    add_dish: write(
      'Puts a dish into the basket.',
      { kitchen_id, dish_id, quantity: whole('Number of portions.', 2, 1, 20), 'note?': text('Wish of the customer.', 'no onions') },
      basket,
      'view_basket',
    ),
    remove_dish: write('Takes a dish out of the basket.', { dish_id }, like(basket, { dishes: [], total: 0 }), 'view_basket'),
    order_meal: write(
      'Orders what is in the basket.',
      { address: text('Address of delivery.', 'Seestrasse 4'), payment: choice('How it is paid.', 'card', 'cash', 'wallet') },
      meal,
      'track_meal',
    ),
    track_meal: read('Tells how far an ordered meal is.', { meal_id }, meal),
    cancel_meal: write(
      'Cancels a meal that is not cooking yet.',
      { meal_id },
      like(meal, { status: 'cancelled', minutes_left: 0 }),
      'track_meal',
    ),
    tip_courier: write('Gives the courier a tip.', { meal_id, tip: amount('Tip in EUR.', 3) }, like(meal, { tip: 3 }), 'track_meal'),
  },
};
