/** What is made from the journal: recovery, exports, transcripts. Equal histories give equal files, in whatever order things happened. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pack } from '../src/protocol/codec.ts';
import type { Frame } from '../src/protocol/frame.ts';
import { type CallId, type GroupId, stepId } from '../src/protocol/ids.ts';
import type { StepCommitted } from '../src/protocol/policy.ts';
import type { RunFolder } from '../src/record/folder.ts';
import { outcomeName } from '../src/record/projections/episodes.ts';
import { overviewOf } from '../src/record/projections/overview.ts';
import { transcriptOf } from '../src/record/projections/transcript.ts';
import { resumeRecord } from '../src/record/record.ts';
import { recover } from '../src/record/resume.ts';
import { commitOf, openSample, recording, reply, sampleGroup, sampleRun, sealed, stepFrames } from './support/sample-run.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-projections-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const whole = (): boolean => true;
const exportsOf = ({ episodes, metrics }: RunFolder): string[] => [episodes, metrics].map((file) => readFileSync(file, 'utf8'));
const rows = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A run that got through step 1 and part of step 2. */
async function interrupted(): Promise<RunFolder> {
  const { folder, record } = await openSample(root);
  for (const frame of stepFrames(1)) record.append(frame);
  for (const frame of [...stepFrames(2, { order: [1], commit: false }), reply(2, 0, 7)]) record.append(frame);
  await record.close();
  return folder;
}

describe('recovery', () => {
  test('finds the last commit, the groups sealed after it and the replies of those that were not', async () => {
    const found = recover((await interrupted()).journal, whole);
    expect(found.last).toEqual(commitOf(1));
    expect(found.groups.map(({ envelope }) => envelope.group)).toEqual(['s00002.t001']);
    expect(found.groups[0]?.bytes).toEqual(pack(sampleGroup(2, 1)));
    expect(found.tasks.map(({ task }) => task.id)).toEqual(['s00002.t000', 's00002.t001']);
    expect(found.replies.get('call.2.0.7' as CallId)).toEqual(new Uint8Array([7]));
    expect(found.replies.size).toBe(1);
  });

  test('falls back to the commit before one whose checkpoint is damaged, and says which steps are repeated', async () => {
    const folder = await sampleRun(root);
    const found = recover(folder.journal, ({ step }: StepCommitted) => step === stepId(1));
    expect(found.last?.step).toBe('s00001');
    expect(found.repeated).toEqual(['s00002']);
    expect(found.groups.map(({ envelope }) => envelope.group)).toEqual(['s00002.t000', 's00002.t001']);
  });

  test('begins with the base policy when no checkpoint is whole', async () => {
    const found = recover((await sampleRun(root)).journal, () => false);
    expect(found.last).toBeNull();
    expect(found.groups).toHaveLength(4);
  });

  test('keeps a step that was begun and not committed', async () => {
    const { folder, record } = await openSample(root);
    for (const frame of stepFrames(1).slice(0, -1)) record.append(frame);
    await record.close();
    expect(recover(folder.journal, whole).intent?.step).toBe('s00001');
  });

  test('does not count a commit that a resumed process took back', async () => {
    const { folder, record } = await openSample(root);
    for (const step of [1, 2]) for (const frame of stepFrames(step)) record.append(frame);
    record.append({ kind: 'run.resumed', run: commitOf(1).step as never, after: stepId(1) });
    await record.close();
    expect(recover(folder.journal, whole).commits.map(({ step }) => step)).toEqual(['s00001']);
  });

  test('keeps the groups of an evaluation under way and drops those of one that is done', async () => {
    const group = (name: string): Frame => {
      const frame = sealed(sampleGroup(1, 0)) as Extract<Frame, { kind: 'group.sealed' }>;
      return { ...frame, envelope: { ...frame.envelope, step: name as never, group: `${name}.greedy` as GroupId } };
    };
    const { folder, record } = await openSample(root);
    record.append(group('e00000.before'));
    record.append({ kind: 'evaluation', when: 'before', step: stepId(0), result: [] });
    for (const frame of stepFrames(1)) record.append(frame);
    record.append(group('e00001.during'));
    await record.close();
    expect(recover(folder.journal, whole).groups.map(({ envelope }) => envelope.group)).toEqual(['e00001.during.greedy']);
  });

  test('refuses a folder whose run never began', async () => {
    const { folder, record } = await openSample(root);
    await record.close();
    expect(() => recover(join(folder.dir, 'nowhere'), whole)).toThrow(/no journal/);
  });
});

describe('exports', () => {
  test('are the same whatever the order in which groups were sealed', async () => {
    const orders = await Promise.all(
      [
        [0, 1],
        [1, 0],
      ].map(async (order) => {
        const { folder, record } = await openSample(root, 'ordered');
        for (const step of [1, 2]) for (const frame of stepFrames(step, { order })) record.append(frame);
        await record.close();
        return exportsOf(folder);
      }),
    );
    expect(orders[0]).toEqual(orders[1]);
  });

  test('are the same after a crash and resume as without', async () => {
    const undisturbed = await sampleRun(root, { name: 'twin' });
    const folder = await interrupted();
    const { record, recovered } = await resumeRecord(folder, () => recording, whole);
    expect(recovered.last?.step).toBe('s00001');
    // The coordinator does what is left: group 0 of step 2, and the commit.
    for (const frame of [sealed(sampleGroup(2, 0)), ...stepFrames(2).slice(-2)]) record.append(frame);
    await record.close();
    expect(exportsOf(folder)).toEqual(exportsOf(undisturbed));
  });

  test('are the same when a committed step is repeated because its checkpoint was lost', async () => {
    const folder = await sampleRun(root);
    const before = exportsOf(folder);
    const { record } = await resumeRecord(
      folder,
      () => recording,
      ({ step }) => step === stepId(1),
    );
    expect(exportsOf(folder)[1]).toBe(before[1]?.split('\n').slice(0, 1).join('\n') + '\n');
    for (const frame of stepFrames(2).slice(-2)) record.append(frame);
    await record.close();
    expect(exportsOf(folder)).toEqual(before);
  });

  test('hold one row a member, missing ones with their reason', async () => {
    const folder = await sampleRun(root);
    const found = rows(folder.episodes);
    expect(found).toHaveLength(12);
    expect(found[0]).toMatchObject({
      episode: 's00001.t000.e00',
      reward: 1,
      outcome: 'scored',
      promptTokens: 3,
      sampledTokens: 2,
      traces: 1,
      calls: 1,
    });
    expect(found[2]).toMatchObject({ member: 2, episode: null, reward: null, outcome: 'missing.EngineFault', reason: 'no answer' });
    expect(rows(folder.metrics).map((row) => row['step'])).toEqual(['s00001', 's00002']);
  });

  test('hold no wall time', async () => {
    const folder = await sampleRun(root);
    expect(exportsOf(folder).join('')).not.toMatch(/[0-9]{13}|20[0-9]{2}-[0-9]{2}|"(ms|seconds|time)/i);
  });
});

describe('views', () => {
  test('a transcript says what was called, what came back and why it was scored so', () => {
    const group = sampleGroup(1, 0);
    const transcript = transcriptOf(group, group.episodes[1] as never);
    expect(transcript.lines.map(({ who, kind, text }) => `${who} ${kind} ${text}`)).toEqual([
      'system text you are a librarian',
      'user text find emma',
      'agent thought books',
      'agent call find_book(title: "emma")',
      'tool result find_book: ok {"shelf":7}',
      'agent text shelf 7',
    ]);
    expect(transcript).toMatchObject({ outcome: 'scored', reason: 'intent', reward: -1, tools: ['find_book(title, year?)'] });
  });

  test('an overview tells an interrupted run from one that is written', async () => {
    const { folder, record } = await openSample(root);
    for (const frame of stepFrames(1)) record.append(frame);
    expect(overviewOf(folder)).toMatchObject({ state: 'running', steps: 1, difficulty: 4 });
    await record.close();
    expect(overviewOf(folder)).toMatchObject({ state: 'interrupted', steps: 1 });
  });

  test('every kind of outcome has its own word', () => {
    const fault = { kind: 'EngineFault', message: '' } as const;
    const names = [
      { kind: 'policyFault', reason: '' } as const,
      { kind: 'simulatorFault', role: 'tool', fault } as const,
      { kind: 'judgeFault', fault } as const,
      { kind: 'infraFault', fault } as const,
      { kind: 'truncated', by: 'policy', reason: '' } as const,
      { kind: 'truncated', by: 'budget', reason: '' } as const,
    ].map(outcomeName);
    expect(names).toEqual(['policyFault', 'simulatorFault.tool', 'judgeFault', 'infraFault', 'truncated.policy', 'truncated.budget']);
  });
});
