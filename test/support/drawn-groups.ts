/** Groups played by the real actors with whatever a seed draws: good and bad turns, roles that garble, fail or fall silent, cancelled and interrupted ones. For properties of records. */
import { runGroup } from '../../src/actors/group.ts';
import { EngineFault } from '../../src/errors.ts';
import type { RecordedEvent } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { pack, unpack } from '../../src/protocol/codec.ts';
import { seedOf, stream } from '../../src/random.ts';
import type { JudgeView, ToolAnswer, ToolView, UserAnswer, UserView } from '../../src/simulation/contract.ts';
import type { Verdict } from '../../src/protocol/outcome.ts';
import {
  booked,
  calls,
  done,
  engineDown,
  says,
  scriptedJob,
  scriptedPorts,
  scriptedSimulator,
  scriptedTask,
  settle,
  verdict,
} from './scripted.ts';
import type { PolicyScript } from './scripted.ts';

export interface DrawnGroup {
  /** As a journal gives them back: through bytes. */
  readonly events: readonly RecordedEvent[];
  readonly group: RolloutGroup;
  /** A first life was cut off in the middle, and the group began anew, as after a resume. */
  readonly resumed: boolean;
}

type Turn = ReturnType<PolicyScript>;

/** The same seed plays the same group. */
export async function playDrawn(seed: number): Promise<DrawnGroup> {
  const random = stream(seedOf(seed, 'drawn group'));
  const pick = <T>(...from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T;
  const trouble = pick(0, 0.05, 0.2, 0.5);
  const resumed = random.next() < 0.3;
  const cancelled = random.next() < 0.15;
  const turn = (): Turn =>
    random.next() < trouble
      ? pick<Turn>(says(''), '{broken', engineDown, null, calls('ada', 'bo', 'cy'))
      : pick<Turn>(calls('ada'), calls('ada', 'bo'), says('done'), says('which room?'));
  const script = new Map<string, Turn>();
  const policy: PolicyScript = (at, { id }) => {
    // An answer is the same when it is asked for again.
    const key = `${id} ${at}`;
    if (!script.has(key)) script.set(key, turn());
    return script.get(key) as Turn;
  };
  const played =
    <Answer>(answer: (good: boolean) => Answer) =>
    (): Answer | string | Error => {
      if (random.next() >= trouble) return answer(random.next() < 0.7);
      return pick<string | Error>('garbage', 'garbage', new EngineFault('gone'));
    };
  const task = scriptedTask({ maxTurns: pick(1, 2, 3, 5) });
  const job = scriptedJob({ task, members: pick(1, 2, 4), attempts: pick(1, 2), askAttempts: pick(1, 2, 3) });
  const play = async (until: number): Promise<{ events: RecordedEvent[]; group: RolloutGroup | null }> => {
    const ports = scriptedPorts(policy, {
      user: scriptedSimulator<UserView, UserAnswer>(
        'user',
        played((good) => (good ? done : { text: 'and another', done: false })),
      ),
      tool: scriptedSimulator<ToolView, ToolAnswer>(
        'tool',
        played(() => booked('ada')),
      ),
      judge: scriptedSimulator<JudgeView, Verdict>(
        'judge',
        played((good) => verdict(good ? 1 : -1)),
      ),
    });
    const abort = new AbortController();
    const sealed: RolloutGroup[] = [];
    void runGroup(job, ports, abort.signal).then((group) => sealed.push(group));
    for (let waits = 0; sealed.length === 0; waits++) {
      if (waits > 2000) throw new Error(`group ${seed} never ends`);
      if (waits === until) return { events: [...ports.events], group: null };
      if (cancelled && waits === 2) abort.abort();
      await settle();
      ports.clock.advance(100);
    }
    return { events: ports.events, group: sealed[0] as RolloutGroup };
  };
  // A life that ended before it could be cut off has nothing to resume; then it is simply played again.
  const first = resumed ? (await play(pick(1, 2, 4))).events : [];
  const { events, group } = await play(Infinity);
  const bytes = pack({ kind: 'events', events: [...first, ...events] });
  return { events: (unpack(bytes) as { events: RecordedEvent[] }).events, group: group as RolloutGroup, resumed: first.length > 0 };
}
