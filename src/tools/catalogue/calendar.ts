/** Calendars: events, invitations, free time. */
import { type Chapter, choice, clock, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const event = record({
  event_id: id('event', 'evt_7031'),
  title: text('Title.', 'Budget review'),
  starts: moment('Start.'),
  ends: moment('End.', '2027-03-15T10:30:00Z'),
  location: text('Room or address.', 'Room Ada'),
  attendees: many(text('E-mail address.', 'mira@example.com')),
  status: choice('State.', 'confirmed', 'tentative', 'cancelled'),
});
const reminder = record({
  reminder_id: id('reminder', 'rem_12'),
  event_id: id('event', 'evt_7031'),
  minutes_before: whole('Minutes before the start.', 15),
});

export const calendar: Chapter = {
  category: 'calendar',
  tools: {
    list_events: read(
      'Lists the events between two days, the earliest first.',
      {
        from: day('First day.'),
        to: day('Last day.', '2027-03-19'),
        'title_contains?': text('Only events with this in their title.', 'review'),
      },
      many(event),
    ),
    get_event: read('Shows one event with its attendees.', { event_id: id('event', 'evt_7031') }, event),
    find_free_slots: read(
      'Finds times at which all of these people are free on one day.',
      {
        attendees: many(text('E-mail address.', 'mira@example.com'), 'People who must be free.'),
        day: day('Day to look at.'),
        minutes: whole('Length wanted, in minutes.', 60, 5, 480),
        'not_before?': clock('Earliest start.', '09:00'),
      },
      many(record({ starts: moment('Start.'), ends: moment('End.', '2027-03-15T10:30:00Z') })),
    ),
    create_event: write(
      'Puts an event into the calendar and invites the attendees.',
      {
        title: text('Title.', 'Budget review'),
        starts: moment('Start.'),
        minutes: whole('Length in minutes.', 60, 5, 1440),
        'location?': text('Room or address.', 'Room Ada'),
        'attendees?': many(text('E-mail address.', 'mira@example.com'), 'People to invite.'),
      },
      event,
      'get_event',
    ),
    move_event: write(
      'Moves an event to another time; its length stays.',
      { event_id: id('event', 'evt_7031'), starts: moment('New start.', '2027-03-16T14:00:00Z') },
      like(event, { starts: '2027-03-16T14:00:00Z', ends: '2027-03-16T15:00:00Z' }),
      'get_event',
    ),
    cancel_event: write(
      'Cancels an event and tells the attendees.',
      { event_id: id('event', 'evt_7031'), 'notify?': flag('Whether attendees get a message.') },
      like(event, { status: 'cancelled' }),
      'get_event',
    ),
    respond_to_invitation: write(
      'Accepts or declines an invitation.',
      { event_id: id('event', 'evt_7031'), answer: choice('What to answer.', 'accept', 'decline', 'tentative') },
      event,
      'get_event',
    ),
    set_event_reminder: write(
      'Sets a reminder for an event.',
      { event_id: id('event', 'evt_7031'), minutes_before: whole('Minutes before the start.', 15, 0, 40320) },
      reminder,
      'list_event_reminders',
    ),
    list_event_reminders: read('Lists the reminders of an event.', { event_id: id('event', 'evt_7031') }, many(reminder)),
  },
};
