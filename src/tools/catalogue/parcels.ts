/** Parcels: sent, tracked, held. */
import { type Chapter, amount, choice, clock, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const parcel_id = id('parcel', 'pcl_7741');
const parcel = record({
  parcel_id,
  sender: text('Name and address of the sender.', 'Norlight AG, Bern'),
  recipient: text('Name and address of the recipient.', 'Mira Keller, Seestrasse 4'),
  grams: whole('Weight in grams.', 1450),
  status: choice('State.', 'registered', 'in_transit', 'delivered', 'held', 'returned'),
  expected: day('Expected.', '2027-03-17'),
});
const pickup_id = id('pickup', 'pku_3');
const pickup = record({
  pickup_id,
  address: text('Address of the pickup.', 'Seestrasse 4'),
  on: day('Day.'),
  between: text('Hours.', '09:00 to 12:00'),
  parcels: whole('Number of parcels.', 2),
  status: choice('State.', 'booked', 'done', 'cancelled'),
});

export const parcels: Chapter = {
  category: 'parcels',
  tools: {
    track_parcel: read('Tells where a parcel is.', { parcel_id }, parcel),
    list_parcel_events: read(
      'Shows every stop of a parcel.',
      { parcel_id },
      many(record({ at: moment('When.'), where: text('Address of the pickup.', 'Depot Härkingen'), what: text('What.', 'sorted') })),
    ),
    get_shipping_rates: read(
      'Tells what sending a parcel to a country costs.',
      {
        to_country: text('Two-letter code of the country.', 'DE'),
        grams: whole('Weight in grams.', 1450, 1, 30000),
        'insured?': flag('Whether it is insured.'),
      },
      many(record({ service: choice('Service.', 'standard', 'express'), price: amount('EUR.', 9.8), days: whole('How long.', 3) })),
    ),
    find_parcel_shops: read(
      'Finds where parcels can be dropped.',
      { near: text('Address.', 'Seestrasse 4'), 'open_at?': clock('Time at which it must be open.', '19:00') },
      many(record({ shop_id: id('shop', 'psh_8'), name: text('Name.', 'Kiosk am See'), metres: whole('How far.', 350) })),
    ),
    send_parcel: write(
      'Registers a parcel to be sent.',
      {
        sender: text('Name and address of the sender.', 'Norlight AG, Bern'),
        recipient: text('Name and address of the recipient.', 'Mira Keller, Seestrasse 4'),
        grams: whole('Weight in grams.', 1450, 1, 30000),
        service: choice('Service.', 'standard', 'express'),
      },
      parcel,
      'track_parcel',
    ),
    hold_parcel: write(
      'Keeps a parcel at the post office.',
      { parcel_id, until: day('Last day it is kept.', '2027-03-25') },
      like(parcel, { status: 'held', expected: '2027-03-25' }),
      'track_parcel',
    ),
    redirect_parcel: write(
      'Sends a parcel to another address.',
      { parcel_id, recipient: text('Name and address of the recipient.', 'Mira Keller, Bahnhofstrasse 1') },
      like(parcel, { recipient: 'Mira Keller, Bahnhofstrasse 1' }),
      'track_parcel',
    ),
    get_pickup: read('Shows when parcels are fetched.', { pickup_id }, pickup),
    book_pickup: write(
      'Books a pickup: parcels are fetched at an address.',
      { address: text('Address of the pickup.', 'Seestrasse 4'), on: day('Day.'), parcels: whole('Number of parcels.', 2, 1, 50) },
      pickup,
      'get_pickup',
    ),
    cancel_pickup: write('Cancels a pickup of parcels.', { pickup_id }, like(pickup, { status: 'cancelled' }), 'get_pickup'),
  },
};
