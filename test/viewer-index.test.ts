/** What the viewer knows of runs while they are written, damaged, taken up again or removed. */
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pack } from '../src/protocol/codec.ts';
import type { Frame, RecordedEvent } from '../src/protocol/frame.ts';
import { type CallId, groupId, type RunId, stepId, taskId } from '../src/protocol/ids.ts';
import { folderOf, type RunFolder } from '../src/record/folder.ts';
import { segmentFile } from '../src/record/inspection.ts';
import { Journal } from '../src/record/journal.ts';
import { headOf, packedRecordsOf, recordOf, recordsOf } from '../src/record/segment.ts';
import { Calls } from '../src/viewer/calls.ts';
import type { EpisodeRow, LiveEvent } from '../src/viewer/contract.ts';
import { EventLog } from '../src/viewer/events.ts';
import { Histories } from '../src/viewer/history.ts';
import { firstActorOf, kindOf } from '../src/viewer/peek.ts';
import { RunIndex } from '../src/viewer/run-index.ts';
import { JournalTail } from '../src/viewer/tail.ts';
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

describe('the index of a run', () => {
  test('takes up every frame once, however the journal grows', async () => {
    const { folder, record } = await openSample(root);
    const index = new RunIndex(folder);
    const told: LiveEvent[] = read(index);
    for (const frame of stepFrames(1)) {
      record.append(frame);
      await record.flush();
      told.push(...read(index));
      expect(read(index)).toEqual([]);
    }
    await record.close();
    expect(told.map(({ kind }) => kind)).toEqual(['episode', 'episode', 'step']);
    expect(index.rows().map(({ group, member }) => `${group} ${member}`)).toEqual(
      ['s00001.t000', 's00001.t001'].flatMap((group) => [0, 1, 2].map((member) => `${group} ${member}`)),
    );
    expect(index.aspects()).toMatchObject([{ step: 's00001', tasks: 2, drawn: { tools: { bound: 1, min: 1, mean: 1, max: 1 } } }]);
  });

  test('can be read in as many slices as there are records', async () => {
    const folder = await sampleRun(root);
    const [whole, sliced] = [new RunIndex(folder), new RunIndex(folder)];
    read(whole);
    let slices = 1;
    while (!sliced.update(() => false)) slices++;
    expect(slices).toBeGreaterThan(10);
    expect(sliced.rows()).toEqual(whole.rows());
    expect(sliced.position).toEqual(whole.position);
  });

  test('gives the same rows from the journal as, early, from episodes.jsonl, tokens and tools included', async () => {
    const folder = await sampleRun(root);
    const [early, late] = [new RunIndex(folder), new RunIndex(folder)];
    early.readEarly();
    read(late);
    const known = (row: EpisodeRow): object => ({ ...row, fate: '', malformed: null });
    expect(early.rows().map(known)).toEqual(late.rows().map(known));
    expect(late.rows()[0]).toMatchObject({
      tools: ['find_book'],
      query: 'find emma',
      reward: 1,
      sampledTokens: 2,
      calls: 1,
      turns: 4,
      outcome: 'scored',
    });
    expect(late.rows()[2]).toMatchObject({ episode: null, outcome: 'missing.EngineFault', reason: 'no answer' });
    read(early);
    expect(early.rows()).toEqual(late.rows());
  });

  test('replaces a group that is sealed again', async () => {
    const { folder, record } = await openSample(root);
    for (const frame of stepFrames(1)) record.append(frame);
    record.append({ kind: 'run.resumed', run: folder.name as RunId, after: null });
    record.append(sealed(sampleGroup(1, 0, [{ role: 'user', text: 'again' }])));
    await record.close();
    const index = new RunIndex(folder);
    expect(read(index).map(({ kind }) => kind)).toEqual(['episode', 'episode', 'step', 'reset', 'episode']);
    expect(index.rows()).toHaveLength(6);
    expect(
      index
        .rows()
        .filter(({ group }) => group === 's00001.t000')
        .map(({ turns }) => turns),
    ).toEqual([1, 1, 0]);
  });

  test('waits for a record that is being written, and calls it torn only where nobody writes', async () => {
    const folder = await sampleRun(root);
    const file = journalOf(folder);
    const whole = readFileSync(file);
    const last = offsetsIn(file).at(-1) as number;
    truncateSync(file, last + 11);
    const index = new RunIndex(folder);
    const before = read(index).length;
    expect(index.trouble(true)).toBeNull();
    expect(index.trouble(false)).toMatch(new RegExp(`its last 11 bytes \\(from byte ${last}\\).*resume`));
    expect(index.grew).toBe(false);
    appendFileSync(file, whole.subarray(last + 11));
    expect(index.grew).toBe(true);
    expect(read(index)).toHaveLength(1);
    expect(before).toBe(5);
    expect(index.trouble(false)).toBeNull();
  });

  test('takes no record for damaged that was finished, with others after it, while it was looked at', async () => {
    const folder = await sampleRun(root);
    const file = journalOf(folder);
    const whole = readFileSync(file);
    const cut = offsetsIn(file).at(-3) as number;
    truncateSync(file, cut + 11);
    const tail = new JournalTail(folder.journal);
    let seen = 0;
    const visit = (): void => {
      if (seen++ === 0) appendFileSync(file, whole.subarray(cut + 11));
    };
    tail.read(visit, () => true);
    expect(tail.trouble(false)).toBeNull();
    // All but the segment's header.
    expect(seen).toBe(offsetsIn(file).length - 1);
  });

  test('reads on behind a damaged place, and says where it is and what to do', async () => {
    const folder = await sampleRun(root);
    const file = journalOf(folder);
    const group = [...recordsOf(file)].findIndex(({ frame }) => kindOf(frame) === 'group.sealed');
    const offset = damage(file, group);
    const index = new RunIndex(folder);
    read(index);
    expect(new Set(index.rows().map((row) => row.group))).toEqual(new Set(['s00001.t001', 's00002.t000', 's00002.t001']));
    expect(index.trouble(false)).toMatch(
      new RegExp(`damaged at byte ${offset}: a wrong checksum; sound records follow from byte \\d+ and are shown.*repair`),
    );
  });

  test('goes on in the next segment where one is missing, and says so', async () => {
    const folder = folderOf(join(root, 'run'));
    cpSync((await sampleRun(root)).dir, folder.dir, { recursive: true });
    rmSync(folder.journal, { recursive: true });
    mkdirSync(folder.journal);
    const journal = Journal.open(folder.journal, { run: 'run' as RunId, segmentBytes: 1 });
    for (const frame of stepFrames(1)) journal.append(frame);
    await journal.close();
    const lost = segmentFile(folder.journal, 4);
    renameSync(lost, `${lost}.away`);
    const index = new RunIndex(folder);
    expect(read(index).map(({ kind }) => kind)).toEqual(['episode', 'step']);
    expect(index.trouble(false)).toMatch(/segment 4 is missing/);
  });

  test('begins anew where the journal is another one', async () => {
    const folder = await sampleRun(root);
    const index = new RunIndex(folder);
    read(index);
    const other = await sampleRun(join(root, 'other'), { turns: [{ role: 'user', text: 'another' }] });
    rmSync(folder.dir, { recursive: true });
    cpSync(other.dir, folder.dir, { recursive: true });
    expect(read(index)[0]).toEqual({ kind: 'reset' });
    expect(index.rows()).toHaveLength(12);
    expect(index.rows()[0]?.turns).toBe(1);
  });

  test('leaves nothing of another journal with whoever made something of it', async () => {
    const group = groupId(taskId(stepId(1), 0));
    const path = `${group}.e00`;
    const written = async (name: string, home = root): Promise<RunFolder> => {
      const { folder, record } = await openSample(home, 'run');
      const asker = { actor: `${path}/user`, ask: 1, attempt: 0 };
      const asked = {
        role: 'user' as const,
        messages: [{ role: 'user' as const, content: name }],
        seed: 0,
        maxTokens: 1,
        temperature: 0,
        asker,
      };
      record.append({ kind: 'call.asked', id: name as CallId, group, asked });
      for (const type of ['xstate.init', name])
        record.append({ kind: 'events', events: [{ actor: `${path}/user`, event: { type }, state: '00000000' }] });
      await record.close();
      return folder;
    };
    const folder = await written('first');
    const index = new RunIndex(folder);
    const [log, calls] = [new EventLog(index, group), new Calls()];
    const seen = async () => ({
      events: [...log.read(path)].map(({ event }) => event.type),
      prompt: (await calls.page(index, group, path, 0))?.calls[0]?.asked?.messages[0]?.content,
    });
    read(index);
    expect(await seen()).toEqual({ events: ['xstate.init', 'first'], prompt: 'first' });
    rmSync(folder.dir, { recursive: true });
    cpSync((await written('the second', join(root, 'other'))).dir, folder.dir, { recursive: true });
    read(index);
    expect(await seen()).toEqual({ events: ['xstate.init', 'the second'], prompt: 'the second' });
  });

  test('lets others have turns while a group of very many events is looked through', async () => {
    const { folder, record } = await openSample(root);
    const group = groupId(taskId(stepId(1), 0));
    const events = (episode: string, count: number): Frame => ({
      kind: 'events',
      events: Array.from({ length: count }, () => ({
        actor: `${group}.${episode}/user`,
        event: { type: 'xstate.init' },
        state: '00000000',
      })),
    });
    for (let n = 0; n < 10; n++) record.append(events('e01', 5000));
    record.append(events('e00', 1));
    await record.close();
    const index = new RunIndex(folder);
    read(index);
    let turns = 0;
    let isOver = false;
    const tick = (): void => {
      turns++;
      if (!isOver) setImmediate(tick);
    };
    tick();
    expect(await new Histories().count(index, group, `${group}.e00`)).toBe(1);
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  test('leaves out a frame it does not know, says where, and reads on', async () => {
    const folder = await sampleRun(root);
    const journal = Journal.open(folder.journal, { run: folder.name as RunId });
    journal.appendPacked(pack({ kind: 'group.sealed', envelope: { group: 'x' }, bytes: 7 }));
    journal.appendPacked(pack({ kind: 'of another version' }));
    for (const frame of stepFrames(3)) journal.append(frame);
    await journal.close();
    const index = new RunIndex(folder);
    read(index);
    expect(index.rows()).toHaveLength(18);
    expect(index.trouble(false)).toMatch(/a frame this program does not know/);
  });
});

describe('a packed frame', () => {
  const event = (actor: string): RecordedEvent => ({ actor, event: { type: 'xstate.init' }, state: '00000000' });

  test('tells its kind and its first actor from its first bytes', () => {
    const frames: readonly Frame[] = [
      { kind: 'events', events: Array.from({ length: 256 }, (_, n) => event(`s00001.t000.e0${n}/agent`)) },
      { kind: 'events', events: [event(`${'long'.repeat(40)}/agent`)] },
      { kind: 'run.halted', reason: 'done', detail: '' },
    ];
    expect(frames.map((frame) => kindOf(pack(frame)))).toEqual(['events', 'events', 'run.halted']);
    expect(frames.map((frame) => firstActorOf(pack(frame)))).toEqual(['s00001.t000.e00/agent', `${'long'.repeat(40)}/agent`, null]);
  });

  test('tells the same before it is inflated, however long it is', () => {
    const frame = pack({ kind: 'events', events: Array.from({ length: 5000 }, (_, n) => event(`s00001.t000.e00/${Math.sin(n)}`)) });
    const file = join(root, 'one.journal');
    writeFileSync(file, recordOf(frame));
    const [head = new Uint8Array(0)] = [...packedRecordsOf(file)].map(({ payload }) => headOf(payload) ?? undefined);
    expect(head.length).toBeGreaterThan(100);
    expect(head.length).toBeLessThan(frame.length / 20);
    expect(frame.subarray(0, head.length)).toEqual(new Uint8Array(head));
    expect([kindOf(head), firstActorOf(head)]).toEqual([kindOf(frame), firstActorOf(frame)]);
  });

  test('that a checksum vouches for and that cannot be inflated is named, and what follows is read', async () => {
    const folder = await sampleRun(root);
    const file = journalOf(folder);
    const bytes = readFileSync(file);
    const at = offsetsIn(file)[1] as number;
    const payload = Uint8Array.of(0xdf, ...new Uint8Array(600).fill(0xff));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(payload.length, 0);
    head.writeUInt32LE(crc32(payload), 4);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, at), head, payload, bytes.subarray(at)]));
    const [index, unharmed] = [new RunIndex(folder), new RunIndex(await sampleRun(mkdtempSync(join(root, 'other-'))))];
    read(index);
    read(unharmed);
    expect(index.trouble(false)).toContain(`damaged at byte ${at}: a payload that cannot be inflated; sound records follow`);
    expect(index.rows()).toEqual(unharmed.rows());
  });

  test('that is none tells nothing', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(1, 0x81), pack('kind'), pack({ events: [], kind: 'events' })])
      expect([kindOf(bytes), firstActorOf(bytes)]).toEqual(['', null]);
  });
});
