/** Repositories, issues, pull requests. */
import { type Chapter, choice, flag, like, many, moment, read, record, text, whole, write } from './notation.ts';

const repository = text('Owner and name, with a slash between.', 'norlight/gridwatch');
const issue_number = whole('Number of the issue.', 118, 1);
const issue = record({
  repository,
  issue_number,
  title: text('Title.', 'Chart shows no data'),
  body: text('Text.', 'Since the update the chart is empty.'),
  author: text('User name.', 'tlind'),
  state: choice('State.', 'open', 'closed'),
  labels: many(text('Label.', 'bug')),
  assignee: text('Who works on it, or nobody.', 'nobody'),
});
const pull_number = whole('Number of the pull request.', 121, 1);
const pull = record({
  repository,
  pull_number,
  title: text('Title.', 'Read the new format'),
  from_branch: text('Name of the branch.', 'new-format'),
  to_branch: text('Name of the branch.', 'main'),
  state: choice('State.', 'open', 'merged', 'closed'),
  checks: choice('Tests.', 'passing', 'failing', 'running'),
});
const branch = record({
  repository,
  branch: text('Name of the branch.', 'new-format'),
  commit: text('Newest commit.', '9f2c1ab'),
  protected: flag('Whether it is protected.', false),
});

export const codeHosting: Chapter = {
  category: 'code_hosting',
  tools: {
    search_repositories: read(
      'Finds source code repositories.',
      { words: text('What to look for.', 'grid monitoring'), 'language?': text('Programming language.', 'TypeScript') },
      many(record({ repository, stars: whole('Stars.', 431), about: text('In short.', 'Watches power grids.') })),
    ),
    read_repository_file: read(
      'Reads a file of a repository.',
      { repository, path: text('Path of the file.', 'README.md'), 'branch?': text('Name of the branch.', 'main') },
      record({ repository, path: text('Path of the file.', 'README.md'), text: text('Content.', '# Gridwatch') }),
    ),
    list_commits: read(
      'Lists the newest commits of a repository.',
      { repository, 'branch?': text('Name of the branch.', 'main'), 'author?': text('User name.', 'tlind') },
      many(
        record({
          commit: text('Id.', '9f2c1ab'),
          author: text('User name.', 'tlind'),
          at: moment('When.'),
          message: text('Message.', 'Read the new format'),
        }),
      ),
    ),
    list_issues: read(
      'Lists the issues of a repository.',
      { repository, 'state?': choice('State.', 'open', 'closed'), 'label?': text('Label.', 'bug') },
      many(issue),
    ),
    get_issue: read('Shows one issue of a repository.', { repository, issue_number }, issue),
    open_issue: write(
      'Opens an issue in a repository.',
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
      'Closes an issue of a repository.',
      { repository, issue_number, 'reason?': choice('Why it is closed.', 'completed', 'not_planned', 'duplicate') },
      like(issue, { state: 'closed' }),
      'get_issue',
    ),
    assign_issue: write(
      'Gives an issue to somebody.',
      { repository, issue_number, assignee: text('User name.', 'tlind') },
      like(issue, { assignee: 'tlind' }),
      'get_issue',
    ),
    list_pull_requests: read(
      'Lists the pull requests of a repository.',
      { repository, 'state?': choice('State.', 'open', 'merged', 'closed') },
      many(pull),
    ),
    get_pull_request: read('Shows one pull request with its checks.', { repository, pull_number }, pull),
    open_pull_request: write(
      'Opens a pull request: proposes to merge one branch into another.',
      {
        repository,
        title: text('Title.', 'Read the new format'),
        from_branch: text('Name of the branch.', 'new-format'),
        to_branch: text('Name of the branch.', 'main'),
      },
      pull,
      'get_pull_request',
    ),
    merge_pull_request: write(
      'Merges a pull request.',
      { repository, pull_number, 'method?': choice('How the commits are joined.', 'merge', 'squash', 'rebase') },
      like(pull, { state: 'merged' }),
      'get_pull_request',
    ),
    list_branches: read('Lists the branches of a repository.', { repository }, many(branch)),
    create_branch: write(
      'Makes a branch in a repository.',
      { repository, branch: text('Name.', 'new-format'), 'from?': text('Branch it starts at.', 'main') },
      branch,
      'list_branches',
    ),
  },
};
