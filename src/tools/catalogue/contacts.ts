/** An address book. */
import { type Chapter, choice, day, id, like, many, read, record, text, write } from './notation.ts';

const contact_id = id('contact', 'con_204');
const contact = record({
  contact_id,
  name: text('Full name.', 'Anna Berger'),
  email: text('E-mail address.', 'anna@example.com'),
  phone: text('Phone number with country code.', '+41 44 555 01 02'),
  company: text('Where they work.', 'Norlight AG'),
  birthday: day('Birthday.', '1988-07-02'),
  groups: many(text('Group.', 'friends')),
});

export const contacts: Chapter = {
  category: 'contacts',
  tools: {
    search_contacts: read(
      'Finds contacts by name, company or group.',
      { 'name?': text('Part of the name.', 'Berger'), 'company?': text('Company.', 'Norlight AG'), 'group?': text('Group.', 'friends') },
      many(contact),
    ),
    get_contact: read('Shows one contact.', { contact_id }, contact),
    list_contact_groups: read(
      'Lists the groups and who is in them.',
      {},
      many(record({ group: text('Group.', 'friends'), contact_ids: many(id('contact', 'con_204')) })),
    ),
    create_contact: write(
      'Adds a contact.',
      {
        name: text('Full name.', 'Anna Berger'),
        'email?': text('E-mail address.', 'anna@example.com'),
        'phone?': text('Phone number.', '+41 44 555 01 02'),
      },
      contact,
      'get_contact',
    ),
    update_contact: write(
      'Changes one detail of a contact.',
      {
        contact_id,
        detail: choice('What changes.', 'email', 'phone', 'company', 'name'),
        value: text('New value.', 'anna.berger@example.com'),
      },
      like(contact, { email: 'anna.berger@example.com' }),
      'get_contact',
    ),
    delete_contact: write(
      'Removes a contact.',
      { contact_id },
      record({ contact_id, deleted: choice('Outcome.', 'yes', 'no') }),
      'search_contacts',
    ),
    add_contact_to_group: write(
      'Puts a contact into a group.',
      { contact_id, group: text('Group.', 'football') },
      like(contact, { groups: ['friends', 'football'] }),
      'get_contact',
    ),
  },
};
