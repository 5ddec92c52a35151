/** E-mail: messages searched, sent, filed. */
import { type Chapter, choice, day, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const message = record({
  message_id: id('message', 'msg_5512'),
  from: text('Sender.', 'billing@example.com'),
  to: many(text('Recipient.', 'me@example.com')),
  subject: text('Subject.', 'Invoice 2041'),
  body: text('Text.', 'Please find the invoice attached.'),
  received: moment('When it came.'),
  folder: choice('Where it lies.', 'inbox', 'archive', 'sent', 'drafts', 'spam', 'trash'),
  read: flag('Whether it was opened.', false),
  labels: many(text('Label.', 'finance')),
});
const summary = record({
  message_id: id('message', 'msg_5512'),
  from: text('Sender.', 'billing@example.com'),
  subject: text('Subject.', 'Invoice 2041'),
  received: moment('When it came.'),
  read: flag('Whether it was opened.', false),
});
const message_id = id('message', 'msg_5512');

export const mail: Chapter = {
  category: 'mail',
  tools: {
    search_messages: read(
      'Finds messages by sender, words or time, the newest first.',
      {
        'words?': text('Words in subject or text.', 'invoice'),
        'from?': text('Sender.', 'billing@example.com'),
        'since?': day('Not older than.', '2027-03-01'),
        'unread_only?': flag('Only what was not opened.'),
      },
      many(summary),
    ),
    read_message: read('Shows one mail message in full.', { message_id }, message),
    list_folders: read(
      'Lists the mail folders and how much is in them.',
      {},
      many(record({ folder: text('Name.', 'inbox'), messages: whole('Messages in it.', 128), unread: whole('Of them unread.', 4) })),
    ),
    send_message: write(
      'Sends a new mail message.',
      {
        to: many(text('E-mail address.', 'anna@example.com'), 'Recipients.'),
        subject: text('Subject.', 'Lunch on Friday'),
        body: text('Text.', 'Shall we say half past twelve?'),
        'cc?': many(text('E-mail address.', 'paul@example.com'), 'Who gets a copy.'),
      },
      like(message, {
        message_id: 'msg_5600',
        from: 'me@example.com',
        to: ['anna@example.com'],
        subject: 'Lunch on Friday',
        body: 'Shall we say half past twelve?',
        folder: 'sent',
        read: true,
        labels: [],
      }),
      'read_message',
    ),
    reply_to_message: write(
      'Answers a message.',
      { message_id, body: text('Text.', 'Thank you, paid today.'), 'reply_all?': flag('Whether to answer everybody it went to.', false) },
      like(message, { message_id: 'msg_5601', from: 'me@example.com', to: ['billing@example.com'], folder: 'sent', read: true }),
      'read_message',
    ),
    move_message: write(
      'Moves a message to another folder.',
      { message_id, folder: choice('Folder it goes to.', 'archive', 'inbox', 'spam', 'trash') },
      like(message, { folder: 'archive' }),
      'read_message',
    ),
    label_message: write(
      'Puts a label on a message.',
      { message_id, label: text('Label.', 'urgent') },
      like(message, { labels: ['finance', 'urgent'] }),
      'read_message',
    ),
    mark_message_read: write(
      'Marks a message as read or unread.',
      { message_id, read: flag('Whether it counts as read.') },
      like(message, { read: true }),
      'read_message',
    ),
  },
};
