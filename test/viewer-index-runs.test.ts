/** What the viewer makes of an index: events by episode, rows, searches, and the runs of a folder. */
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import { stepId } from '../src/protocol/ids.ts';
import { listFolders, type RunFolder } from '../src/record/folder.ts';
import { segmentFile } from '../src/record/inspection.ts';
import { recordsOf } from '../src/record/segment.ts';
import type { EpisodeRow, LiveEvent } from '../src/viewer/contract.ts';
import { EventLog } from '../src/viewer/events.ts';
import { facetCounts, sorted } from '../src/viewer/list.ts';
import { rowOfLine, rowsOf } from '../src/viewer/rows.ts';
import { Search } from '../src/viewer/search.ts';
import { type Filter, filterOf } from '../src/record/filter.ts';
import { RunIndex } from '../src/viewer/run-index.ts';
import { Runs } from '../src/viewer/runs.ts';
import { systemClock } from '../src/actors/clock.ts';
import { openSample, sampleGroup, sampleRun, sealed, stepFrames } from './support/sample-run.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'troupe-viewer-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const all = (): boolean => true;
const read = (index: RunIndex): LiveEvent[] => {
  const told: LiveEvent[] = [];
  index.update(all, (event) => told.push(event));
  return told;
};
const journalOf = (folder: RunFolder): string => segmentFile(folder.journal, 1);
const offsetsIn = (file: string): number[] => [...recordsOf(file)].map(({ offset }) => offset);

/** One wrong byte in the middle of the record of this number. */
function damage(file: string, record: number): number {
  const offset = offsetsIn(file)[record] as number;
  const fd = openSync(file, 'r+');
  writeSync(fd, Uint8Array.of(0xff), 0, 1, offset + 12);
  closeSync(fd);
  return offset;
}

describe('the events of a group', () => {
  const event = (actor: string, n: number): RecordedEvent => ({
    actor,
    event: { type: n === 0 ? 'xstate.init' : 'tick', n },
    state: '00000000',
  });
  const run = (n: number, name = 's00001.t000'): RecordedEvent[] => [
    event(`${name}/group`, 0),
    ...Array.from({ length: n }, (_, i) => [event(`${name}.e00/agent`, i), event(`${name}.e01/agent`, i)]).flat(),
  ];

  async function recorded(...frames: readonly RecordedEvent[][]): Promise<RunIndex> {
    const { folder, record } = await openSample(root);
    for (const events of frames) record.append({ kind: 'events', events });
    await record.close();
    const index = new RunIndex(folder);
    read(index);
    return index;
  }

  test('are found by episode, and any window of them is that part of all', async () => {
    const events = run(40);
    const index = await recorded(
      events.slice(0, 13),
      [event('run/broker', 0)],
      events.slice(13, 50),
      events.slice(50),
      run(3, 's00001.t001'),
    );
    const log = new EventLog(index, 's00001.t000');
    const expected = events.filter(({ actor }) => actor.startsWith('s00001.t000.e01/'));
    expect(log.count('s00001.t000.e01')).toBe(40);
    expect([...log.read('s00001.t000.e01')]).toEqual(expected);
    for (const from of [0, 5, 6, 7, 24, 39, 40, 100])
      expect([...log.read('s00001.t000.e01', from, 9)]).toEqual(expected.slice(from, from + 9));
    expect(new EventLog(index, 'run').count('run')).toBe(1);
    expect(new EventLog(index, 'nobody').count('nobody')).toBe(0);
  });

  test('are those since it last began: a resumed run plays an unsealed group again', async () => {
    const index = await recorded(run(5), run(2));
    expect(new EventLog(index, 's00001.t000').count('s00001.t000.e00')).toBe(2);
  });

  test('of several tasks in one frame belong to each', async () => {
    const index = await recorded([event('s00001.t000/task', 0), event('s00001.t001/task', 0), event('run/experiment', 0)]);
    for (const scope of ['s00001.t000', 's00001.t001', 'run']) expect(new EventLog(index, scope).count(scope)).toBe(1);
  });
});

describe('the rows', () => {
  const rows = [...rowsOf(sampleGroup(1, 0), null), ...rowsOf(sampleGroup(2, 1), null)];

  test('are sorted either way with nothing last', () => {
    expect(sorted(rows, 'reward').map(({ reward }) => reward)).toEqual([-1, -1, 1, 1, null, null]);
    expect(sorted(rows, '-reward').map(({ reward }) => reward)).toEqual([1, 1, -1, -1, null, null]);
    expect(sorted(rows, '-step').map(({ step }) => step)).toEqual([2, 2, 2, 1, 1, 1].map(stepId));
  });

  test('are counted by facet, the most frequent value first', () => {
    const counts = facetCounts();
    counts.add(rows);
    counts.add(rows.slice(0, 2));
    counts.remove(rows.slice(0, 2));
    expect(counts.list()).toEqual({
      outcome: [
        { value: 'scored', count: 4 },
        { value: 'missing.EngineFault', count: 2 },
      ],
      branch: [{ value: 'call', count: 6 }],
      step: [
        { value: 's00001', count: 3 },
        { value: 's00002', count: 3 },
      ],
      tool: [{ value: 'find_book', count: 4 }],
      reward: [
        { value: '-1', count: 2 },
        { value: '1', count: 2 },
        { value: 'null', count: 2 },
      ],
    });
  });

  test('that come later are put among the sorted ones as if all were sorted at once', () => {
    const some = fc.array(fc.record({ reward: fc.constantFrom(null, -1, 0, 1), member: fc.nat(9) }));
    fc.assert(
      fc.property(some, some, fc.constantFrom('reward', '-reward', 'member', '-member', ''), (first, later, sort) => {
        const [early, late] = [first, later].map((list) => list.map((change) => ({ ...(rows[0] as EpisodeRow), ...change })));
        const all = [...(early as EpisodeRow[]), ...(late as EpisodeRow[])];
        const grown = sorted(all, sort, sorted(early as EpisodeRow[], sort));
        expect(grown.length).toBe(all.length);
        expect(grown.every((row, at) => row === sorted(all, sort)[at])).toBe(true);
      }),
    );
  });

  test('of a line that is cut off are none', () => {
    expect([rowOfLine('{"group":"a","st'), rowOfLine('{}'), rowOfLine('7')]).toEqual([null, null, null]);
  });
});

describe('a search', () => {
  test('looks at new groups only, whenever a run has grown, and can be broken off and taken up', async () => {
    const { folder, record } = await openSample(root);
    const index = new RunIndex(folder);
    let asked = 0;
    const filter = filterOf('text~"shelf" && reward==1') as Filter;
    const counting: Filter = {
      ...filter,
      matchesSaid: (row, said) => {
        asked++;
        return filter.matchesSaid(row, said);
      },
    };
    const search = new Search(index, counting);
    for (const step of [1, 2]) {
      for (const frame of stepFrames(step)) record.append(frame);
      await record.flush();
      read(index);
      let share = 0;
      for (let slices = 0; share < 1 && slices < 10; slices++) share = search.advance(() => false);
      expect(search.rows().map(({ group, member }) => `${group} ${member}`)).toEqual(
        Array.from({ length: step }, (_, n) => [0, 1].map((task) => `s0000${n + 1}.t00${task} 0`)).flat(),
      );
      expect(asked).toBe(2 * step);
    }
    await record.close();
  });

  test('lists and counts what a fresh one would, after whatever was sealed, and sealed again', async () => {
    const { folder, record } = await openSample(root);
    const index = new RunIndex(folder);
    const search = new Search(index, filterOf('') as Filter);
    const groups = [sampleGroup(1, 0), sampleGroup(1, 1), sampleGroup(1, 0, [{ role: 'user', text: 'again' }]), sampleGroup(2, 0)];
    for (const group of groups) {
      record.append(sealed(group));
      await record.flush();
      read(index);
      expect(search.advance(all)).toBe(1);
      const fresh = new Search(index, filterOf('') as Filter);
      fresh.advance(all);
      expect(search.rows()).toEqual(fresh.rows());
      expect(search.facets()).toEqual(fresh.facets());
    }
    const before = search.rows();
    record.append(sealed(sampleGroup(2, 1)));
    await record.close();
    read(index);
    search.advance(all);
    // It grew, and nothing else.
    expect(search.rows()).toBe(before);
  });
});

describe('the runs of a folder', () => {
  const noted: string[] = [];
  const runsIn = (dir: string): Runs => new Runs(dir, { clock: systemClock, note: (text) => noted.push(text) });
  beforeEach(() => noted.splice(0));

  test('keep a run that vanished on the list, with what happened to it', async () => {
    const folder = await sampleRun(root);
    const runs = runsIn(join(root, 'runs'));
    expect(runs.cards()).toMatchObject([{ run: 'sample', state: 'interrupted', steps: 2, rewards: [0.5, 0.5], trouble: null }]);
    await runs.index('sample');
    rmSync(folder.dir, { recursive: true });
    expect(runs.cards()).toMatchObject([{ run: 'sample', steps: 2, trouble: expect.stringContaining('gone') as string }]);
    expect(runs.card('sample')?.trouble).toMatch(/gone/);
  });

  test('that are damaged are told before anybody opens them, once, and the others are not', async () => {
    const folder = await sampleRun(root, { name: 'hurt' });
    await sampleRun(root, { name: 'sound' });
    const offset = damage(journalOf(folder), 3);
    const runs = runsIn(join(root, 'runs'));
    await runs.inspect();
    await runs.inspect();
    expect(noted).toEqual([expect.stringMatching(new RegExp(`^run hurt: .* damaged at byte ${offset}`))]);
    expect(runs.cards().map(({ run, trouble }) => [run, trouble !== null])).toEqual([
      ['hurt', true],
      ['sound', false],
    ]);
  });

  test('show what is left where metrics.jsonl is cut off in a line', async () => {
    const folder = await sampleRun(root);
    writeFileSync(folder.metrics, readFileSync(folder.metrics, 'utf8').slice(0, -9));
    expect(runsIn(join(root, 'runs')).cards()).toMatchObject([{ steps: 1, meanReward: 0.5 }]);
  });

  test('are kept open in a bounded number, and whoever made something of one is told when it is not', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `run-${String(i).padStart(2, '0')}`);
    for (const name of names) await sampleRun(root, { name });
    const runs = runsIn(join(root, 'runs'));
    const forgotten: string[] = [];
    runs.whenForgotten(({ folder }) => forgotten.push(folder.name));
    for (const name of names) await runs.index(name);
    expect(forgotten).toEqual(names.slice(0, 4));
  });

  test('are listed while others are made and removed', async () => {
    await sampleRun(root);
    const busy = new Worker(
      `const { existsSync, mkdirSync, rmSync } = require('node:fs');
       for (let i = 0; ; i = (i + 1) % 20) {
         const dir = require('node:worker_threads').workerData + '/other-' + i;
         if (existsSync(dir)) rmSync(dir, { recursive: true }); else mkdirSync(dir + '/journal', { recursive: true });
       }`,
      { eval: true, workerData: join(root, 'runs') },
    );
    await once(busy, 'online');
    for (let n = 0; n < 1500; n++) expect(listFolders(join(root, 'runs')).some(({ name }) => name === 'sample')).toBe(true);
    await busy.terminate();
  });

  test('are found by exact name only: a path is no name', async () => {
    await sampleRun(root);
    const runs = runsIn(join(root, 'runs'));
    for (const name of ['../runs/sample', './sample', 'sample/', '', '..', 'sample\u0000']) {
      expect(runs.card(name)).toBeNull();
      expect(await runs.index(name)).toBeNull();
    }
  });
});
