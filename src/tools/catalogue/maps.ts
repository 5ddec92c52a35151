/** Places, routes, saved spots. */
import { type Chapter, amount, choice, clock, flag, id, like, many, measure, read, record, text, whole, write } from './notation.ts';

const place_id = id('place', 'plc_42');
const place = record({
  place_id,
  name: text('Name.', 'Kunsthaus'),
  address: text('Address.', 'Heimplatz 1, Zürich'),
  latitude: measure('Degrees north.', 47.3703),
  longitude: measure('Degrees east.', 8.5482),
  kind: text('What it is.', 'museum'),
  rating: amount('Stars, 0 to 5.', 4.6),
});
const list_id = id('list', 'lst_3');
const list = record({
  list_id,
  name: text('Name.', 'Zürich weekend'),
  place_ids: many(id('place', 'plc_42')),
  public: flag('Whether others see it.', false),
});

export const maps: Chapter = {
  category: 'maps',
  tools: {
    search_places: read(
      'Finds places near a point.',
      {
        what: text('What to look for.', 'museum'),
        near: text('Address or town.', 'Zürich'),
        'radius_km?': amount('Distance at most, in km.', 5),
        'open_now?': flag('Only places that are open now.'),
      },
      many(place),
    ),
    get_place: read('Shows one place on the map.', { place_id }, place),
    get_opening_hours: read(
      'Tells when a place is open.',
      { place_id },
      many(
        record({
          weekday: choice('Day.', 'tuesday', 'monday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'),
          opens: clock('Opens.', '10:00'),
          closes: clock('Closes.', '18:00'),
        }),
      ),
    ),
    get_route: read(
      'Finds the way between two places.',
      {
        from: text('Start.', 'Zürich HB'),
        to: text('Destination.', 'Heimplatz 1, Zürich'),
        by: choice('Means of travel.', 'foot', 'car', 'bicycle', 'transit'),
      },
      record({
        kilometres: amount('Length.', 1.4),
        minutes: whole('Time it takes.', 18),
        steps: many(text('One step.', 'Left into Rämistrasse.')),
      }),
    ),
    get_travel_time: read(
      'Tells how long a trip between two places takes at a time of day.',
      {
        from: text('Start.', 'Zürich HB'),
        to: text('Destination.', 'Winterthur'),
        leave_at: clock('Departure.', '08:00'),
        by: choice('Means of travel.', 'car', 'transit', 'bicycle', 'foot'),
      },
      record({ minutes: whole('Time it takes.', 34), delay_minutes: whole('Of it lost in traffic.', 9) }),
    ),
    list_saved_places: read('Shows the saved lists of places.', {}, many(list)),
    create_place_list: write(
      'Starts a list of places.',
      { name: text('Name.', 'Zürich weekend') },
      like(list, { place_ids: [] }),
      'list_saved_places',
    ),
    save_place: write('Puts a place on a list.', { list_id, place_id }, list, 'list_saved_places'),
    remove_saved_place: write('Takes a place off a list.', { list_id, place_id }, like(list, { place_ids: [] }), 'list_saved_places'),
  },
};
