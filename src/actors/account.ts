/** The account of a run for people: what each step took and brought, how fast it goes, when it will end. Nothing of it enters the record that replay compares. */
import type { StepResult } from '../gpu/policy-update-commit.ts';
import { isLoss } from '../learning/census.ts';
import { stepId } from '../protocol/ids.ts';
import type { SimulatorHealth } from '../protocol/health.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Progress } from '../protocol/progress.ts';
import type { Clock } from './clock.ts';

export interface AccountOptions {
  readonly clock: Clock;
  readonly steps: number;
  /** The first step of this process. */
  readonly firstStep: number;
  /** Sampled by earlier processes of this run. */
  readonly sampledBefore: number;
  /** Milliseconds from now on; absent = no such budget. */
  readonly budgetMs: number | undefined;
  /** One row a step. */
  timing(row: JsonObject): void;
  progress(progress: Progress): void;
}

export interface Account {
  /** Milliseconds since the account was opened. */
  readonly elapsed: number;
  /** Tokens sampled in training, by all processes of this run. */
  readonly sampledTokens: number;
  /** Steps begin now: what lies before does not slow them down. */
  begin(): void;
  /** Books the time of one phase of the step. */
  timed<T>(phase: 'draw' | 'roll' | 'update', work: () => Promise<T>): Promise<T>;
  /** The step is committed; `canaryGap` is the new version's. */
  close(step: number, result: StepResult, canaryGap: number | null): void;
}

export function openAccount({ clock, steps, firstStep, sampledBefore, budgetMs, timing, progress }: AccountOptions): Account {
  const opened = clock.now();
  let began = opened;
  let sampledTokens = sampledBefore;
  let times: Record<string, number> = {};

  return {
    get elapsed() {
      return clock.now() - opened;
    },
    get sampledTokens() {
      return sampledTokens;
    },
    begin: () => {
      began = clock.now();
    },
    timed: async (phase, work) => {
      const from = clock.now();
      const result = await work();
      times[`${phase}Ms`] = clock.now() - from;
      return result;
    },
    close: (step, { metrics, standing, alarm }, canaryGap) => {
      const tokens = metrics['sampledTokens'] as number;
      const spent = Object.values(times).reduce((sum, ms) => sum + ms, 0);
      sampledTokens += tokens;
      timing({ step: stepId(step), ...times, sampledTokens: tokens });
      times = {};
      const stepMs = (clock.now() - began) / (step - firstStep + 1);
      const leftMs = Math.min(stepMs * (steps - step), budgetMs === undefined ? Infinity : Math.max(0, opened + budgetMs - clock.now()));
      progress({
        kind: 'step',
        step,
        steps,
        difficulty: metrics['difficulty'] as number,
        nextDifficulty: standing.curriculum.difficulty,
        meanReward: metrics['meanReward'] as number | null,
        success: metrics['success'] as number | null,
        sampledTokens: tokens,
        tokensPerSecond: spent === 0 ? 0 : (1000 * tokens) / spent,
        eta: leftMs / 1000,
        faults: Object.fromEntries(Object.entries(metrics['fates'] as Record<string, number>).filter(([fate]) => isLoss(fate))),
        dropped: (metrics['groups'] as number) - (metrics['groupsTrained'] as number),
        groups: metrics['groups'] as number,
        gap: (metrics['gap'] as number | undefined) ?? null,
        canaryGap,
        lag: (metrics['lag'] as number | null | undefined) ?? null,
        ...(metrics['simulators'] === undefined ? {} : { simulators: metrics['simulators'] as unknown as SimulatorHealth }),
      });
      if (alarm !== null) progress({ kind: 'note', text: `step ${step}: ${alarm}` });
    },
  };
}
