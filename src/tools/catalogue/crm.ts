/** Customers, deals, activities. */
import { type Chapter, amount, choice, day, id, like, many, read, record, text, whole, write } from './notation.ts';

const company_id = id('company', 'cmp_88');
const company = record({
  company_id,
  name: text('Name.', 'Norlight AG'),
  industry: text('Industry.', 'energy'),
  employees: whole('How many work there.', 240),
  owner: text('Who looks after it.', 'Sana Ito'),
});
const deal_id = id('deal', 'del_19');
const deal = record({
  deal_id,
  company_id,
  title: text('Title.', 'Solar maintenance 2027'),
  value: amount('Worth in EUR.', 42000),
  stage: choice('How far it is.', 'lead', 'qualified', 'proposal', 'won', 'lost'),
  closes: day('Expected end.', '2027-06-30'),
});
const activity = record({
  activity_id: id('activity', 'act_5'),
  company_id,
  kind: choice('Kind of contact.', 'call', 'meeting', 'email', 'note'),
  on: day('When.'),
  summary: text('What happened, in short.', 'They want two more sites.'),
});

export const crm: Chapter = {
  category: 'crm',
  tools: {
    search_companies: read(
      'Finds customer companies.',
      {
        'name?': text('Part of the name.', 'Norlight'),
        'industry?': text('Industry.', 'energy'),
        'owner?': text('Who looks after it.', 'Sana Ito'),
      },
      many(company),
    ),
    get_company: read('Shows one customer company.', { company_id }, company),
    list_deals: read(
      'Lists sales deals.',
      { 'company_id?': company_id, 'stage?': choice('Stage of the deal.', 'proposal', 'lead', 'qualified', 'won', 'lost') },
      many(deal),
    ),
    get_deal: read('Shows one deal.', { deal_id }, deal),
    get_sales_forecast: read(
      'Adds up what open deals are worth in a quarter.',
      { year: whole('Year.', 2027, 2000, 2100), quarter: whole('Quarter.', 2, 1, 4) },
      record({ expected: amount('Worth in EUR.', 180000), deals: whole('How many.', 7) }),
    ),
    list_activities: read(
      'Lists the calls, mails and meetings with a customer.',
      { company_id, 'since?': day('Not older than.', '2027-01-01') },
      many(activity),
    ),
    create_company: write(
      'Adds a customer company.',
      { name: text('Name.', 'Norlight AG'), industry: text('Industry.', 'energy'), 'owner?': text('Who looks after it.', 'Sana Ito') },
      company,
      'get_company',
    ),
    create_deal: write(
      'Opens a sales deal with a customer.',
      {
        company_id,
        title: text('Title.', 'Solar maintenance 2027'),
        value: amount('Worth in EUR.', 42000),
        'closes?': day('Expected end.', '2027-06-30'),
      },
      deal,
      'get_deal',
    ),
    move_deal: write(
      'Moves a deal to another stage.',
      { deal_id, stage: choice('Stage of the deal.', 'proposal', 'lead', 'qualified', 'won', 'lost') },
      like(deal, { stage: 'proposal' }),
      'get_deal',
    ),
    log_activity: write(
      'Notes a call, mail or meeting with a customer.',
      {
        company_id,
        kind: choice('Kind of contact.', 'call', 'meeting', 'email', 'note'),
        summary: text('What happened, in short.', 'They want two more sites.'),
      },
      activity,
      'list_activities',
    ),
  },
};
