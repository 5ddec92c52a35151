/** Trains: connections, tickets, seats. */
import { type Chapter, amount, choice, clock, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const connection_id = id('connection', 'con_IC721');
const connection = record({
  connection_id,
  from: text('Station.', 'Bern'),
  to: text('Station.', 'Milano'),
  leaves: moment('Departure.', '2027-03-15T08:07:00Z'),
  arrives: moment('Arrival.', '2027-03-15T11:40:00Z'),
  changes: whole('How often one changes.', 1),
  price: amount('EUR.', 49),
});
const ticket_id = id('ticket', 'rtk_551');
const ticket = record({
  ticket_id,
  connection_id,
  traveller: text('Name.', 'Mira Keller'),
  class: choice('Class of travel.', 'second', 'first'),
  bicycle: flag('Whether a bicycle comes along.', false),
  status: choice('State.', 'valid', 'used', 'refunded'),
});

export const rail: Chapter = {
  category: 'rail',
  tools: {
    search_connections: read(
      'Finds trains between two stations on a day.',
      {
        from: text('Station.', 'Bern'),
        to: text('Station.', 'Milano'),
        on: day('Day.'),
        'after?': clock('Not before.', '08:00'),
        'direct_only?': flag('Only trains without a change.'),
      },
      many(connection),
    ),
    get_departures: read(
      'Shows the next departures of a station.',
      { station: text('Station.', 'Bern'), 'most?': whole('Departures at most.', 10, 1, 50) },
      many(
        record({
          to: text('Where it goes.', 'Milano'),
          leaves: moment('Departure.', '2027-03-15T08:07:00Z'),
          platform: text('Platform.', '6'),
          delay_minutes: whole('Minutes late.', 3),
        }),
      ),
    ),
    get_rail_disruptions: read(
      'Tells which trains do not run.',
      { 'line?': text('Train line.', 'IC 8') },
      many(record({ line: text('Train line.', 'IC 8'), says: text('What happened.', 'Works until Sunday.') })),
    ),
    get_rail_ticket: read('Shows a train ticket.', { ticket_id }, ticket),
    list_rail_tickets: read('Lists the train tickets of a traveller.', { traveller: text('Name.', 'Mira Keller') }, many(ticket)),
    buy_rail_ticket: write(
      'Buys a train ticket for a connection.',
      {
        connection_id,
        traveller: text('Name.', 'Mira Keller'),
        class: choice('Class of travel.', 'second', 'first'),
        'discount_card?': choice('Discount card of the traveller.', 'half_fare', 'youth', 'senior'),
      },
      ticket,
      'get_rail_ticket',
    ),
    upgrade_rail_ticket: write(
      'Changes a train ticket to first class.',
      { ticket_id },
      like(ticket, { class: 'first' }),
      'get_rail_ticket',
    ),
    add_bicycle: write('Adds a place for a bicycle to a train ticket.', { ticket_id }, like(ticket, { bicycle: true }), 'get_rail_ticket'),
    refund_rail_ticket: write(
      'Gives a train ticket back for its price.',
      { ticket_id },
      like(ticket, { status: 'refunded' }),
      'get_rail_ticket',
    ),
  },
};
