/** What the page gives people to paste into a terminal: a shell takes it apart into exactly the words that were meant, and it asks for what is shown. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { commandOf, exportCommandOf } from '../src/viewer/page/command.ts';
import { offersOf } from '../src/viewer/page/export/formats.ts';
import { routeOf, to } from '../src/viewer/page/router.ts';

/** As a shell hands them to the program. */
const wordsOf = (command: string): string[] =>
  execFileSync('sh', ['-c', command.replace(/^node dist\/run\.js/, String.raw`printf '%s\0'`)], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

const run = { page: 'run', run: 'quick' } as const;

describe('the command of a view', () => {
  test('names the episode, and the run', () => {
    expect(commandOf(routeOf(to.episode('quick', 's00001.t003.e05')))).toBe('node dist/run.js show s00001.t003.e05 --run quick');
  });

  test('of a filtered table asks for what passes', () => {
    expect(commandOf(run, { dir: null, filter: 'reward<0' })).toBe(`node dist/run.js show --run quick --filter 'reward<0'`);
    expect(commandOf(run, { dir: null, filter: '' })).toBe('node dist/run.js show --run quick');
  });

  test('says where the runs lie, unless a terminal would look there of itself', () => {
    expect(commandOf(run, { dir: '/data/my runs', filter: '' })).toBe(`node dist/run.js show --run quick --dir '/data/my runs'`);
    expect(commandOf(run, { dir: 'runs', filter: '' })).toBe('node dist/run.js show --run quick');
    expect(commandOf({ page: 'runs' }, { dir: '/data', filter: '' })).toBe('node dist/run.js ls /data');
  });

  test.each([`it's; rm -rf $HOME`, 'text~"what\'s `id`" && D>=40 || !(tool=="a")', '$(x) "y" \\ \n ünï *?', '--run'])(
    'is taken apart by a shell into the words that were meant: %j',
    (text) => {
      expect(wordsOf(commandOf({ page: 'run', run: text }, { dir: text, filter: text }))).toEqual([
        'show',
        '--run',
        text,
        '--filter',
        text,
        '--dir',
        text,
      ]);
      const exported = exportCommandOf({ format: 'openai', run: text, id: 's00001', ending: 'jsonl' }, { dir: null, filter: text });
      expect(wordsOf(exported)).toEqual(['export', 'openai', 's00001', '--run', text, '--filter', text, '--out', `${text}-s00001.jsonl`]);
    },
  );
});

describe('what can be taken out', () => {
  const formatsOf = (path: string): string[] => offersOf(routeOf(path), { dir: null, filter: '' }).map(({ format }) => format);

  test('of an episode and of a group is a page and lines, of a run lines and figures, of the rest nothing', () => {
    expect(formatsOf(to.episode('quick', 's00001.t003.e05'))).toEqual(['html', 'openai', 'tokens']);
    expect(formatsOf(to.group('quick', 's00001.t003'))).toEqual(['html', 'openai', 'tokens']);
    expect(formatsOf(to.run('quick'))).toEqual(['openai', 'tokens', 'tensorboard', 'csv']);
    expect([to.runs(), to.charts(), '/nowhere'].flatMap(formatsOf)).toEqual([]);
  });

  test('is of the episodes that the table shows, in the file and in the command alike', () => {
    const offers = offersOf(run, { dir: null, filter: 'reward<0' });
    expect(
      offers.map(({ format, href, command }) => [format, href.includes('filter=reward%3C0'), command.includes(`--filter 'reward<0'`)]),
    ).toEqual([
      ['openai', true, true],
      ['tokens', true, true],
      ['tensorboard', false, false],
      ['csv', false, false],
    ]);
  });
});
