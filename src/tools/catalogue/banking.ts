/** Accounts, transfers, cards. */
import { type Chapter, amount, choice, day, flag, id, like, many, read, record, text, write } from './notation.ts';

const account_id = id('account', 'acc_1001');
const account = record({
  account_id,
  kind: choice('Kind.', 'checking', 'savings', 'credit'),
  balance: amount('Money on the account.', 2450.75, -100000),
  currency: text('Three-letter code.', 'EUR'),
});
const payment = record({
  payment_id: id('payment', 'pay_889'),
  from_account: id('account', 'acc_1001'),
  to_iban: text('IBAN of the account that is paid.', 'DE02120300000000202051'),
  payee: text('Who is paid.', 'City Power'),
  amount: amount('Money paid, in the currency of the account.', 84.5),
  on: day('When.'),
  status: choice('State.', 'scheduled', 'executed', 'cancelled', 'rejected'),
});
const card_id = id('card', 'crd_31');
const card = record({
  card_id,
  account_id,
  last_digits: text('Last four digits.', '4821'),
  status: choice('State.', 'active', 'frozen', 'replaced'),
  daily_limit: amount('Most that can be spent a day.', 1000),
});

export const banking: Chapter = {
  category: 'banking',
  tools: {
    list_accounts: read('Lists the customer’s accounts with their balances.', {}, many(account)),
    get_account_balance: read('Shows one account with its balance.', { account_id }, account),
    list_transactions: read(
      'Lists what came in and went out of an account.',
      {
        account_id,
        from: day('First day.', '2027-03-01'),
        to: day('Last day.'),
        'payee?': text('Only payments to or from this name.', 'City Power'),
      },
      many(
        record({
          transaction_id: id('transaction', 'trx_55'),
          on: day('When.'),
          amount: amount('Money; below zero is paid out.', -84.5, -1000000),
          counterparty: text('The other side.', 'City Power'),
        }),
      ),
    ),
    get_payment: read('Shows a payment and its state.', { payment_id: id('payment', 'pay_889') }, payment),
    make_payment: write(
      'Pays money to somebody.',
      {
        from_account: id('account that pays', 'acc_1001'),
        to_iban: text('IBAN of the account that is paid.', 'DE02120300000000202051'),
        payee: text('Who is paid.', 'City Power'),
        amount: amount('Money to pay, in the currency of the account.', 84.5, 0.01),
        'on?': day('Day of the payment; today where not said.'),
      },
      payment,
      'get_payment',
    ),
    cancel_payment: write(
      'Cancels a payment that is not executed yet.',
      { payment_id: id('payment', 'pay_889') },
      like(payment, { status: 'cancelled' }),
      'get_payment',
    ),
    list_cards: read('Lists the cards of an account.', { account_id }, many(card)),
    freeze_card: write(
      'Freezes a card, or thaws it.',
      { card_id, frozen: flag('True freezes the card, false thaws it.') },
      like(card, { status: 'frozen' }),
      'list_cards',
    ),
    set_card_limit: write(
      'Sets how much can be spent with a card each day.',
      { card_id, daily_limit: amount('Most that can be spent a day, in the currency of the account.', 500) },
      like(card, { daily_limit: 500 }),
      'list_cards',
    ),
  },
};
