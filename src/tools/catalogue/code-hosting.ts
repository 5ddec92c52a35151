/** Repositories, issues, pull requests. */
import { type Chapter, choice, flag, like, many, moment, read, record, text, whole, write } from './notation.ts';

const repository = text('Owner and name.', 'norlight/gridwatch');
const issue_number = whole('Number of the issue.', 118, 1);
const issue = record({
  repository,
  issue_number,
  title: text('Title.', 'Chart shows no data'),
  body: text('Text.', 'Since the update the chart is empty.'),
  author: text('Who.', 'tlind'),
  state: choice('State.', 'open', 'closed'),
  labels: many(text('Label.', 'bug')),
  assignee: text('Who works on it, or nobody.', 'nobody'),
});
const pull_number = whole('Number of the pull request.', 121, 1);
const pull = record({
  repository,
  pull_number,
  title: text('Title.', 'Read the new format'),
  from_branch: text('Branch.', 'new-format'),
  to_branch: text('Branch.', 'main'),
  state: choice('State.', 'open', 'merged', 'closed'),
  checks: choice('Tests.', 'passing', 'failing', 'running'),
});
const branch = record({
  repository,
  branch: text('Branch.', 'new-format'),
  commit: text('Newest commit.', '9f2c1ab'),
  protected: flag('Whether it is protected.', false),
});

export const codeHosting: Chapter = {
  category: 'code_hosting',
  tools: {
    search_repositories: read(
      'Finds repositories.',
      { words: text('What to look for.', 'grid monitoring'), 'language?': text('Programming language.', 'TypeScript') },
      many(record({ repository, stars: whole('Stars.', 431), about: text('In short.', 'Watches power grids.') })),
    ),
    read_repository_file: read(
      'Reads a file of a repository.',
      { repository, path: text('Path.', 'README.md'), 'branch?': text('Branch.', 'main') },
      record({ repository, path: text('Path.', 'README.md'), text: text('Content.', '# Gridwatch') }),
    ),
    list_commits: read(
      'Lists the newest commits.',
      { repository, 'branch?': text('Branch.', 'main'), 'author?': text('Who.', 'tlind') },
      many(
        record({
          commit: text('Id.', '9f2c1ab'),
          author: text('Who.', 'tlind'),
          at: moment('When.'),
          message: text('Message.', 'Read the new format'),
        }),
      ),
    ),
    list_issues: read(
      'Lists issues.',
      { repository, 'state?': choice('State.', 'open', 'closed'), 'label?': text('Label.', 'bug') },
      many(issue),
    ),
    get_issue: read('Shows one issue.', { repository, issue_number }, issue),
    open_issue: write(
      'Opens an issue.',
      {
        repository,
        title: text('Title.', 'Chart shows no data'),
        body: text('Text.', 'Since the update the chart is empty.'),
        'labels?': many(text('Label.', 'bug')),
      },
      issue,
      'get_issue',
    ),
    close_issue: write(
      'Closes an issue.',
      { repository, issue_number, 'reason?': choice('Why.', 'completed', 'not_planned', 'duplicate') },
      like(issue, { state: 'closed' }),
      'get_issue',
    ),
    assign_issue: write(
      'Gives an issue to somebody.',
      { repository, issue_number, assignee: text('Who.', 'tlind') },
      like(issue, { assignee: 'tlind' }),
      'get_issue',
    ),
    list_pull_requests: read('Lists pull requests.', { repository, 'state?': choice('State.', 'open', 'merged', 'closed') }, many(pull)),
    get_pull_request: read('Shows one pull request with its checks.', { repository, pull_number }, pull),
    open_pull_request: write(
      'Proposes a change.',
      {
        repository,
        title: text('Title.', 'Read the new format'),
        from_branch: text('Branch.', 'new-format'),
        to_branch: text('Branch.', 'main'),
      },
      pull,
      'get_pull_request',
    ),
    merge_pull_request: write(
      'Merges a pull request.',
      { repository, pull_number, 'method?': choice('How.', 'merge', 'squash', 'rebase') },
      like(pull, { state: 'merged' }),
      'get_pull_request',
    ),
    list_branches: read('Lists the branches.', { repository }, many(branch)),
    create_branch: write(
      'Makes a branch.',
      { repository, branch: text('Name.', 'new-format'), 'from?': text('Branch it starts at.', 'main') },
      branch,
      'list_branches',
    ),
  },
};
