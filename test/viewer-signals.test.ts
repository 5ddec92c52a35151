/** The trainer's view of tokens, from the journal to whoever looks: which trace it is of, and when it counts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filterOf } from '../src/record/filter.ts';
import type { FrameOf } from '../src/protocol/frame.ts';
import { episodeId, groupId, type PolicyVersion, stepId, taskId } from '../src/protocol/ids.ts';
import { tokenSignals } from '../src/protocol/signals.ts';
import type { RunFolder } from '../src/record/folder.ts';
import type { RunRecord } from '../src/record/record.ts';
import type { StripOutline, TokenStrip } from '../src/viewer/contract.ts';
import { membersIn } from '../src/viewer/members.ts';
import { RunIndex } from '../src/viewer/run-index.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { commitOf, openSample, sampleGroup, sealed, stepFrames } from './support/sample-run.ts';
import { json, viewerWorld } from './support/viewer.ts';

let world: ReturnType<typeof viewerWorld>;
let folder: RunFolder;
let record: RunRecord;
let viewer: Viewer;
beforeEach(async () => {
  world = viewerWorld();
  ({ folder, record } = await openSample(world.root));
  for (const frame of stepFrames(1, { commit: false })) record.append(frame);
  await record.flush();
  viewer = await world.start();
});
afterEach(async () => {
  await viewer.close();
  await record.close();
  world.remove();
});

/** Both members of a group; tokens 3 and 4 of five were sampled. */
function signalsOf(logprobs: readonly number[], index = 0): FrameOf<'group.signals'> {
  const group = groupId(taskId(stepId(1), index));
  const signals = tokenSignals(
    Float32Array.from(logprobs),
    Float32Array.from(logprobs, (logprob) => -2 * logprob),
  );
  return {
    kind: 'group.signals',
    step: stepId(1),
    group,
    version: 7 as PolicyVersion,
    traces: [0, 1].map((member) => ({ episode: episodeId(group, member), trace: 0, signals })),
  };
}

async function append(...frames: Parameters<RunRecord['append']>[0][]): Promise<void> {
  for (const frame of frames) record.append(frame);
  await record.flush();
}

const episode = '/api/runs/sample/episodes/s00001.t000.e01';
const strip = (query = ''): Promise<TokenStrip> => json<TokenStrip>(viewer, `${episode}/strips/0${query}`);
const outline = async (): Promise<StripOutline> => (await json<StripOutline[]>(viewer, `${episode}/strips`))[0] as StripOutline;

test('stands beside the tokens that were sampled, in every window of them', async () => {
  await append(signalsOf([-0.5, -1.25]));
  expect(await strip()).toMatchObject({ trainer: [null, null, null, -0.5, -1.25], entropy: [null, null, null, 1, 2.5] });
  expect(await strip('?from=4&count=1')).toMatchObject({ ids: [5], trainer: [-1.25], entropy: [2.5] });
  expect(await outline()).toMatchObject({
    knows: ['entropy', 'trainer'],
    // The sampler said −0.5 and −0.25.
    trainer: { version: 7, entropy: 1.75, gap: 0.5, most: 1 },
  });
});

test('is unknown until the step is trained, and there as soon as it is, though the episode was looked at before', async () => {
  expect(await strip()).not.toHaveProperty('trainer');
  expect(await outline()).toMatchObject({ knows: [] });
  await append(signalsOf([-0.5, -1.25]));
  expect(await strip()).toHaveProperty('trainer');
  expect(await outline()).toMatchObject({ knows: ['entropy', 'trainer'] });
});

test('is of the group it was recorded for, and of no other', async () => {
  await append(signalsOf([-0.5, -1.25], 1));
  expect(await strip()).not.toHaveProperty('trainer');
});

test('is the last that was recorded, and none of a step that was taken back', async () => {
  await append(signalsOf([-3, -3]), { kind: 'run.resumed', run: folder.name as never, after: null });
  expect(await strip()).not.toHaveProperty('trainer');
  await append(signalsOf([-0.5, -1.25]), { kind: 'step.committed', committed: commitOf(1), metrics: {} });
  expect((await strip()).trainer?.slice(3)).toEqual([-0.5, -1.25]);
  await append({ kind: 'run.resumed', run: folder.name as never, after: stepId(1) });
  expect((await strip()).trainer?.slice(3)).toEqual([-0.5, -1.25]);
});

test('is not of tokens that were sealed after it, nor of another number of them', async () => {
  await append(signalsOf([-0.5, -1.25]), sealed(sampleGroup(1, 0)));
  expect(await strip()).not.toHaveProperty('trainer');
  await append(signalsOf([-0.5, -1.25, -2]));
  expect(await strip()).not.toHaveProperty('trainer');
  expect(await outline()).toMatchObject({ knows: [] });
});

test('is told to those who listen', () => {
  const index = new RunIndex(folder);
  index.update(() => true);
  record.append(signalsOf([-0.5, -1.25]));
  record.flushSync();
  const told: unknown[] = [];
  index.update(
    () => true,
    (event) => told.push(event),
  );
  expect(told).toEqual([{ kind: 'signals', group: 's00001.t000' }]);
});

test('goes into exports with its version, one list a trace, and only where the trainer saw it', async () => {
  const frame = signalsOf([-0.5, -1.25]);
  await append({ ...frame, traces: frame.traces.slice(1) });
  const index = new RunIndex(folder);
  index.update(() => true);
  const filter = filterOf('');
  if (filter.kind !== 'filter') throw new Error('the empty filter is one');
  const members = [...membersIn(index, { id: null, filter }, world.ports)].flat();
  expect(
    members.map(({ episode: { id }, seen }) => [
      id,
      seen === null ? null : { ...seen, signals: seen.signals.map((one) => [...(one ?? [])]) },
    ]),
  ).toEqual([
    ['s00001.t000.e00', null],
    ['s00001.t000.e01', { version: 7, signals: [[-0.5, 1, -1.25, 2.5]] }],
    ['s00001.t001.e00', null],
    ['s00001.t001.e01', null],
  ]);
});
