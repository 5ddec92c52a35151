/** Many lives of one config as a suite: each is struck at a moment drawn from its number, goes on as it should, and ends with a record that is sound. Knows no config. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { stepId } from '../../src/protocol/ids.ts';
import { stream } from '../../src/random.ts';
import { type Blow, live, type Moment, type Patience, textOf, whole } from './serving-lives.ts';
import { canSeeProcesses } from './serving-processes.ts';
import { audit, commitsOf, playedIn } from './serving-record.ts';

export interface LifePlan {
  readonly blows: readonly Blow[];
  readonly phase: Moment['phase'];
  readonly staleness?: number;
}

export interface LivesOptions {
  /** Steps included; the same name for the same staleness, since adapters are known by where they lie. */
  config(staleness: number): ConfigInput & { readonly name: string; readonly steps: number };
  readonly lives: readonly LifePlan[];
  readonly seed: number;
  /** Milliseconds into each phase, at most. */
  readonly longest: Readonly<Record<Moment['phase'], number>>;
  readonly patience: Patience;
  /** Equal seeds play equal episodes: each life must end as the undisturbed run. Where not, its record must be sound in itself. */
  readonly repeats: boolean;
  /** Why it cannot run here. */
  readonly absent?: string | undefined;
  /** More that must be true at the end of each life. */
  ended?(dir: string): Promise<void>;
}

export function describeLives(title: string, { config, lives, seed, longest, patience, repeats, absent, ended }: LivesOptions): void {
  const reason = canSeeProcesses ? absent : 'there is no /proc to see processes by';
  if (reason !== undefined) console.warn(`SKIPPED: ${title}: ${reason}`);
  describe.skipIf(reason !== undefined)(title, () => {
    const root = mkdtempSync(join(tmpdir(), 'troupe-serving-'));
    const { steps } = config(0);
    const stalenesses = [...new Set(lives.map(({ staleness = 0 }) => staleness))];
    const place = (staleness: number): string => join(root, 'runs', config(staleness).name);
    const undisturbed = (staleness: number): string => join(root, `whole-${staleness}`);
    beforeAll(async () => {
      for (const staleness of repeats ? stalenesses : []) {
        expect(await whole(config(staleness), root, patience)).toMatchObject({ code: 0, err: '' });
        renameSync(place(staleness), undisturbed(staleness));
        expectSound(undisturbed(staleness), steps);
      }
    });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    test.each(lives.map((life, n) => ({ staleness: 0, ...life, n: n + 1, what: `${life.blows.join(' and ')} while ${life.phase}` })))(
      'life $n: $what, lag $staleness',
      async ({ n, staleness, blows, phase }) => {
        const draws = stream(seed + n);
        const moment: Moment = { phase, step: 1 + draws.int(steps - 1), ms: draws.int(longest[phase]) };
        const dir = join(root, `life-${n}`);
        const { ends, heldMs, struck } = await live(config(staleness), root, blows, moment, patience).finally(() =>
          renameSync(place(staleness), dir),
        );
        const [first, ...later] = ends;
        const codes = ends.map(({ code, signal }) => signal ?? code);
        console.log(`${textOf(blows, moment)}; ${codes.join(', then ')} after ${(heldMs / 1000).toFixed(1)} s`);
        expect(struck).toBe(true);
        const said = ends.map(({ err }) => err).join('\n');
        expect(codes, said).toEqual(expectedOf(blows));
        if (codes[0] === 4)
          expect(first?.err).toMatch(
            /^TrainerFault: the torch trainer (ended by SIGKILL|did not answer \w+ within \d+ ms)[^]*go on with: .* resume /,
          );
        expect(later.map(({ err }) => err).join('')).toBe('');
        expectSound(dir, steps);
        if (repeats) {
          expect(audit(dir)).toEqual(audit(undisturbed(staleness)));
          expect(playedIn(dir)).toEqual(playedIn(undisturbed(staleness)));
          // With steps rolled ahead versions depend on time, and the record of the lag with them.
          if (staleness === 0) expect(commitsOf(dir)).toEqual(commitsOf(undisturbed(staleness)));
        }
        await ended?.(dir);
      },
    );
  });
}

/** A server is started again, and the run goes on by itself; a trainer's end is the run's, with a reason; each is taken up again. */
function expectedOf(blows: readonly Blow[]): (number | string)[] {
  if (blows.includes('kill run')) return ['SIGKILL', 0];
  if (blows.includes('interrupt run')) return [130, 0];
  return blows.some((blow) => blow.endsWith('trainer')) ? [4, 0] : [0];
}

function expectSound(dir: string, steps: number): void {
  const found = audit(dir);
  const { committed } = found.updates;
  expect(committed).toBeGreaterThanOrEqual(steps / 2);
  expect(found).toEqual({
    steps: Array.from({ length: steps }, (_, n) => stepId(n + 1)),
    sealedTwice: [],
    astray: [],
    unchained: [],
    jumps: [],
    updates: { committed, remembered: committed, applied: committed },
    unearned: [],
    paidTwice: [],
    isPublished: true,
    lost: 0,
  });
}
