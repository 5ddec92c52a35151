/** Support tickets. */
import { type Chapter, choice, flag, id, like, many, moment, read, record, text, whole, write } from './notation.ts';

const ticket_id = id('ticket', 'tkt_904');
const ticket = record({
  ticket_id,
  subject: text('Subject.', 'Printer offline'),
  requester: text('E-mail address.', 'leo@example.com'),
  priority: choice('How urgent.', 'normal', 'low', 'high', 'urgent'),
  status: choice('State.', 'open', 'pending', 'solved', 'closed'),
  assignee: text('Who works on it.', 'Nora Falk'),
  opened: moment('When it came.'),
  tags: many(text('Tag.', 'hardware')),
});
const comment = record({
  comment_id: id('comment', 'cmt_17'),
  ticket_id,
  author: text('Who wrote it.', 'Nora Falk'),
  body: text('Text.', 'Please restart the print server.'),
  public: flag('Whether the requester sees it.'),
});

export const helpdesk: Chapter = {
  category: 'helpdesk',
  tools: {
    search_tickets: read(
      'Finds support tickets.',
      {
        'words?': text('Words in the subject or text.', 'printer'),
        'status?': choice('State.', 'open', 'pending', 'solved', 'closed'),
        'assignee?': text('Who works on it.', 'Nora Falk'),
      },
      many(ticket),
    ),
    get_ticket: read('Shows one support ticket.', { ticket_id }, ticket),
    list_ticket_comments: read('Lists the comments on a support ticket.', { ticket_id }, many(comment)),
    search_help_articles: read(
      'Finds articles of the knowledge base.',
      { words: text('What to look for.', 'printer driver'), 'most?': whole('Articles at most.', 5, 1, 50) },
      many(
        record({
          article_id: id('article', 'art_61'),
          title: text('Title.', 'Installing a driver'),
          summary: text('In short.', 'Three steps.'),
        }),
      ),
    ),
    open_ticket: write(
      'Opens a support ticket.',
      {
        subject: text('Subject.', 'Printer offline'),
        body: text('What is wrong.', 'Nothing comes out.'),
        requester: text('E-mail address.', 'leo@example.com'),
        'priority?': choice('How urgent.', 'normal', 'low', 'high', 'urgent'),
      },
      ticket,
      'get_ticket',
    ),
    assign_ticket: write(
      'Gives a support ticket to an agent.',
      { ticket_id, assignee: text('Name.', 'Ravi Shah') },
      like(ticket, { assignee: 'Ravi Shah' }),
      'get_ticket',
    ),
    set_ticket_priority: write(
      'Changes how urgent a support ticket is.',
      { ticket_id, priority: choice('How urgent.', 'high', 'low', 'normal', 'urgent') },
      like(ticket, { priority: 'high' }),
      'get_ticket',
    ),
    add_ticket_comment: write(
      'Adds a comment to a support ticket.',
      { ticket_id, body: text('Text.', 'Please restart the print server.'), 'public?': flag('Whether the requester sees it.') },
      comment,
      'list_ticket_comments',
    ),
    solve_ticket: write(
      'Marks a support ticket as solved.',
      { ticket_id, solution: text('What helped.', 'Driver renewed.') },
      like(ticket, { status: 'solved' }),
      'get_ticket',
    ),
  },
};
