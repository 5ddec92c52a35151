/** A lending library. */
import { type Chapter, choice, day, id, like, many, read, record, text, whole, write } from './notation.ts';

const book_id = id('book', 'bok_3310');
const member_id = id('member', 'mem_88');
const book = record({
  book_id,
  title: text('Title.', 'The Snow Map'),
  author: text('Author.', 'K. Aalto'),
  year: whole('Year.', 2019),
  copies_free: whole('Copies not lent.', 2),
  shelf: text('Where it stands.', 'F-12'),
});
const loan_id = id('loan', 'lon_41');
const loan = record({
  loan_id,
  book_id,
  member_id,
  due: day('Back by.', '2027-04-12'),
  status: choice('State.', 'lent', 'returned', 'overdue'),
});
const hold = record({
  hold_id: id('hold', 'hld_6'),
  book_id,
  member_id,
  place: whole('Place in the queue.', 2, 1),
  status: choice('State.', 'waiting', 'ready', 'withdrawn'),
});

export const library: Chapter = {
  category: 'library',
  tools: {
    search_books: read(
      'Finds books of a library.',
      { 'title?': text('Title.', 'Snow'), 'author?': text('Author.', 'Aalto'), 'subject?': text('Subject.', 'travel') },
      many(book),
    ),
    get_book: read('Shows one book.', { book_id }, book),
    list_loans: read(
      'Lists what a member has borrowed.',
      { member_id, 'status?': choice('State.', 'lent', 'returned', 'overdue') },
      many(loan),
    ),
    borrow_book: write('Lends a book to a member.', { book_id, member_id }, loan, 'list_loans'),
    renew_loan: write(
      'Lets a member keep a book longer.',
      { loan_id, 'weeks?': whole('Weeks longer.', 2, 1, 4) },
      like(loan, { due: '2027-04-26' }),
      'list_loans',
    ),
    return_book: write('Takes a book back.', { loan_id }, like(loan, { status: 'returned' }), 'list_loans'),
    list_holds: read('Lists the books a member waits for.', { member_id }, many(hold)),
    place_hold: write('Lets a member wait for a book that is lent.', { book_id, member_id }, hold, 'list_holds'),
  },
};
