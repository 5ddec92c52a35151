/** A shop: products, cart, orders, returns. */
import { type Chapter, amount, choice, day, flag, id, like, many, read, record, text, whole, write } from './notation.ts';

const product_id = id('product', 'prd_310');
const product = record({
  product_id,
  name: text('Name.', 'Trail shoe'),
  price: amount('Price in EUR.', 89.9),
  in_stock: whole('Pieces left.', 14),
  colours: many(text('Colour.', 'blue')),
  rating: amount('Stars, 0 to 5.', 4.3),
});
const cart = record({
  items: many(record({ product_id, quantity: whole('Number of pieces.', 2, 1), price: amount('Price of one.', 89.9) })),
  total: amount('Price of all.', 179.8),
  coupon: text('Code, or none.', 'none'),
});
const order_id = id('order', 'ord_6021');
const order = record({
  order_id,
  product_ids: many(id('product', 'prd_310')),
  total: amount('Price of all.', 179.8),
  address: text('Address of delivery.', 'Seestrasse 4, Zürich'),
  status: choice('State.', 'placed', 'shipped', 'delivered', 'cancelled', 'returning'),
  arrives: day('Expected.', '2027-03-18'),
});

export const shopping: Chapter = {
  category: 'shopping',
  tools: {
    search_products: read(
      'Finds products of a shop.',
      {
        words: text('What to look for.', 'trail shoe'),
        'most?': amount('Highest price in EUR.', 120),
        'colour?': text('Colour.', 'blue'),
        'sort?': choice('Order of the results.', 'price', 'rating', 'newest'),
      },
      many(product),
    ),
    get_product: read('Shows one product.', { product_id }, product),
    list_product_reviews: read(
      'Shows what buyers say of a product.',
      { product_id, 'least_stars?': whole('Only reviews with at least so many stars.', 4, 1, 5) },
      many(record({ stars: whole('Stars.', 5, 1, 5), says: text('Words.', 'Light, and dry in the rain.') })),
    ),
    view_cart: read('Shows what is in the shopping cart.', {}, cart),
    add_to_cart: write(
      'Puts a product into the cart.',
      { product_id, quantity: whole('Number of pieces.', 2, 1, 99), 'colour?': text('Colour.', 'blue') },
      cart,
      'view_cart',
    ),
    remove_from_cart: write('Takes a product out of the cart.', { product_id }, like(cart, { items: [], total: 0 }), 'view_cart'),
    apply_coupon: write(
      'Uses a coupon for the cart.',
      { code: text('Code of the coupon.', 'SPRING10') },
      like(cart, { coupon: 'SPRING10', total: 161.82 }),
      'view_cart',
    ),
    place_order: write(
      'Orders what is in the cart.',
      {
        address: text('Address of delivery.', 'Seestrasse 4, Zürich'),
        payment: choice('How it is paid.', 'card', 'invoice', 'wallet'),
        'gift?': flag('Whether it is wrapped as a gift.', false),
      },
      order,
      'get_order',
    ),
    get_order: read('Shows an order of products.', { order_id }, order),
    cancel_order: write(
      'Cancels an order that is not shipped.',
      { order_id, 'reason?': text('Reason of the customer.', 'Ordered twice') },
      like(order, { status: 'cancelled' }),
      'get_order',
    ),
    return_product: write(
      'Sends a delivered product back.',
      { order_id, product_id, reason: choice('Reason of the customer.', 'too_small', 'too_large', 'damaged', 'not_wanted') },
      like(order, { status: 'returning' }),
      'get_order',
    ),
  },
};
