/** How well the simulated roles answered is counted once, told as rates, and no failure of theirs is ever a reward. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthCount } from '../src/actors/health.ts';
import { addHealth, emptyTally, pooled, ratesOf } from '../src/learning/health.ts';
import { rewardOf } from '../src/learning/reward.ts';
import { SimulatorHealth } from '../src/protocol/health.ts';
import type { Tally } from '../src/protocol/health.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import type { CallId } from '../src/protocol/ids.ts';
import { SimulatorRole } from '../src/protocol/outcome.ts';
import { type Meeting, meetings, playFaulty } from './support/faulty-cast.ts';
import { calls, says, scriptedJob, scriptedPorts } from './support/scripted.ts';
import { runGroup } from '../src/actors/group.ts';

const tallyOf = (changes: Partial<Tally>): Tally => ({ ...emptyTally, ...changes });

describe('no fault of a simulator is a reward', () => {
  const repairable = new Set<Meeting>(['garbage', 'silence', 'stalled', 'internal', 'malformed']);
  const attempts = 3;
  const thrice: Meeting[] = ['garbage', 'silence', 'garbage'];

  /** What becomes of one episode whose questions are asked in this order, by the rules in words: the kind of its end. */
  function foretold(schedule: readonly Meeting[]): string {
    let prompt = 0;
    const known = new Set<string>();
    const play = (): string => {
      for (const role of ['tool', 'user', 'judge']) {
        if (known.has(role)) continue;
        for (let attempt = 1; ; attempt++) {
          const meeting = schedule[prompt++] ?? 'right';
          if (meeting === 'right') break;
          if (meeting === 'cancelled') return 'truncated';
          if (!repairable.has(meeting)) return 'infraFault';
          if (attempt < attempts) continue;
          if (meeting !== 'garbage' && meeting !== 'silence') return 'infraFault';
          return role === 'judge' ? 'judgeFault' : 'simulatorFault';
        }
        // The group remembers what a tool or a user answered; judges are asked again.
        if (role !== 'judge') known.add(role);
      }
      return 'scored';
    };
    const end = play();
    // A member whose simulator failed is refilled once, with a fresh seed.
    return end === 'simulatorFault' || end === 'judgeFault' ? play() : end;
  }

  test('an episode ends without a reward exactly where a question was answered by nobody, and like the clean one everywhere else', async () => {
    const clean = (await playFaulty([])).group.episodes[0];
    const seen = new Set<string>();
    const meeting = fc.oneof(
      { weight: 3, arbitrary: fc.constant<Meeting>('right') },
      { weight: 5, arbitrary: fc.constantFrom(...meetings.slice(1, 6)) },
      { weight: 1, arbitrary: fc.constantFrom(...meetings.slice(6)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(meeting, { maxLength: 12 }), async (schedule) => {
        const { group } = await playFaulty(schedule);
        const [episode] = RolloutGroup.parse(group).episodes;
        expect(episode?.outcome.kind).toBe(foretold(schedule));
        expect(episode?.reward).toBe(episode?.outcome.kind === 'scored' ? 1 : null);
        if (episode?.outcome.kind === 'scored') expect({ ...episode, seed: 0, attempt: 1 }).toEqual({ ...clean, seed: 0, attempt: 1 });
        seen.add(episode?.outcome.kind ?? '');
      }),
      { numRuns: 150, examples: [[['right', 'right', ...thrice, ...thrice]], [[...thrice, ...thrice]], [['cancelled']]] },
    );
    expect([...seen].sort()).toEqual(['infraFault', 'judgeFault', 'scored', 'simulatorFault', 'truncated']);
  });

  test('nor is it in a group whose members share their tools, whatever fails for whom', async () => {
    // Half of the members book; the others only talk, and earn −1.
    let lost = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...meetings), { maxLength: 40 }), async (schedule) => {
        const { group } = await playFaulty(schedule, { members: 4, attempts: 2 }, (turn, { seed }) =>
          turn === 0 && seed % 2 === 0 ? calls('ada') : says('done'),
        );
        for (const { outcome, reward, turns } of group.episodes) {
          const books = turns.some(({ role }) => role === 'tool');
          expect(reward).toBe(rewardOf(outcome));
          if (reward === null) lost++;
          else expect([outcome.kind, reward]).toEqual(['scored', books ? 1 : -1]);
        }
        const { roles } = group.health as SimulatorHealth;
        const ended = (kind: string): number => group.episodes.filter(({ outcome }) => outcome.kind === kind).length;
        const masked = Object.values(roles).reduce((sum, tally) => sum + tally.masked, 0);
        expect(masked).toBe(ended('simulatorFault') + ended('judgeFault') + ended('infraFault'));
      }),
      { numRuns: 50 },
    );
    expect(lost).toBeGreaterThan(20);
  });
});

describe('a group counts', () => {
  test('questions, prompts, refused answers, repairs and tokens, by role and by tool', async () => {
    const { group } = await playFaulty(['garbage', 'right', 'right', 'stalled', 'garbage', 'right']);
    const { roles, tools } = SimulatorHealth.parse(group.health);
    expect({ roles, tools }).toEqual({
      roles: {
        task: emptyTally,
        user: tallyOf({ asks: 1, calls: 1, promptTokens: 10, replyTokens: 2 }),
        tool: tallyOf({ asks: 1, calls: 2, defects: { malformed: 1 }, repaired: 1, promptTokens: 20, replyTokens: 4 }),
        judge: tallyOf({ asks: 1, calls: 3, defects: { silent: 1, malformed: 1 }, repaired: 1, promptTokens: 20, replyTokens: 4 }),
      },
      tools: { book_room: tallyOf({ asks: 1, calls: 2, defects: { malformed: 1 }, repaired: 1, promptTokens: 20, replyTokens: 4 }) },
    });
  });

  test('a question nobody answered as masked, by the role that failed', async () => {
    const { group } = await playFaulty(['right', ...Array<Meeting>(6).fill('garbage')]);
    expect(group.episodes[0]?.outcome).toMatchObject({ kind: 'simulatorFault', role: 'user' });
    expect(group.health?.roles.user).toMatchObject({ asks: 2, calls: 6, defects: { malformed: 6 }, repaired: 0, masked: 1 });
    expect(group.health?.roles.tool?.masked).toBe(0);
  });

  test('no masked question where a refilled member was scored after all', async () => {
    const { group } = await playFaulty(['right', ...Array<Meeting>(3).fill('garbage')]);
    expect(group.episodes[0]).toMatchObject({ reward: 1, attempt: 2 });
    expect(group.health?.roles.user).toMatchObject({ asks: 2, calls: 4, defects: { malformed: 3 }, masked: 0 });
  });

  test('what members share as one prompt, and spares the others', async () => {
    const { group, prompts } = await playFaulty([], { members: 3 });
    expect(prompts.filter(({ request }) => request.role === 'tool')).toHaveLength(1);
    expect(group.health?.roles.tool).toMatchObject({ asks: 3, calls: 1, spared: 2, promptTokens: 10 });
  });

  test('the same when it runs again after a crash', async () => {
    const schedule: Meeting[] = ['garbage', 'right', 'silence', 'right', 'garbage'];
    const [first, again] = [await playFaulty(schedule, { members: 2 }), await playFaulty(schedule, { members: 2 })];
    expect(again.group.health).toEqual(first.group.health);
  });

  test('a prompt once that is asked again when its episode runs again', async () => {
    // The judge is away: the whole episode runs again with its seed, and user and judge are asked with the same names.
    const { group, prompts } = await playFaulty(['right', 'right', 'unreachable'], { attempts: 2 });
    expect(prompts.map(({ request }) => request.role)).toEqual(['tool', 'user', 'judge', 'judge']);
    expect(prompts[3]?.request.id).toBe(prompts[2]?.request.id);
    expect(group.health?.roles.user).toMatchObject({ asks: 2, calls: 1, spared: 1, promptTokens: 10 });
    expect(group.health?.roles.judge).toMatchObject({ calls: 1, masked: 0 });
  });

  test('nothing where code plays every role', async () => {
    const group = await runGroup(scriptedJob(), scriptedPorts(), new AbortController().signal);
    expect(group.health).toBeUndefined();
  });

  test('only the roles a language model plays', () => {
    const health = new HealthCount(['judge']);
    for (const role of SimulatorRole.options) {
      health.asked({ role, seat: 'e' });
      health.called({ role, seat: 'e' }, { id: role as unknown as CallId });
    }
    expect(health.health.roles).toEqual({ judge: tallyOf({ asks: 1, calls: 1 }) });
  });
});

describe('health adds up', () => {
  const count = fc.nat({ max: 1000 });
  const tally = fc.record({
    asks: count,
    calls: count,
    spared: count,
    defects: fc.record({ malformed: count, leak: count }, { requiredKeys: [] }),
    repaired: count,
    masked: count,
    promptTokens: count,
    replyTokens: count,
  });
  const audit = fc.record({
    episodes: count,
    fidelity: count,
    contradictions: count,
    leaks: count,
    prematureStops: count,
    overstays: count,
    overreaches: count,
    refused: count,
  });
  const health = fc
    .record(
      {
        roles: fc.record({ user: tally, tool: tally }, { requiredKeys: [] }),
        tools: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tally),
        audit,
      },
      { requiredKeys: ['roles', 'tools'] },
    )
    .map((value) => value as SimulatorHealth);

  test('in any order and grouping', () => {
    fc.assert(
      fc.property(health, health, health, (a, b, c) => {
        expect(addHealth([c, addHealth([b, a])])).toEqual(addHealth([a, b, c]));
        expect(addHealth([a, addHealth([])])).toEqual(addHealth([a]));
      }),
    );
  });

  test('and its rates are shares inside their intervals, of prompts and of questions put to a model', () => {
    fc.assert(
      fc.property(health, (one) => {
        const { defects, repaired, masked } = ratesOf(pooled(one));
        for (const { mean, low, high, n } of [...Object.values(defects), repaired, masked]) {
          if (n === 0) continue;
          expect(low).toBeLessThanOrEqual(mean + 1e-12);
          expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
          expect(high).toBeLessThanOrEqual(1);
        }
      }),
    );
    const rates = ratesOf(tallyOf({ asks: 300, spared: 200, calls: 110, defects: { malformed: 11, leak: 5 }, repaired: 8, masked: 2 }));
    expect(rates.defects.malformed.mean).toBeCloseTo(0.1);
    expect(rates.defects.leak?.mean).toBeCloseTo(5 / 110);
    expect(rates.repaired.mean).toBeCloseTo(0.08);
    expect(rates.masked.mean).toBeCloseTo(0.02);
    expect(rates.masked.low).toBeCloseTo(0.0055, 3);
    expect(rates.masked.high).toBeCloseTo(0.07, 3);
  });
});
