import { describe, expect, it } from 'vitest';
import { rewardOf } from '../src/learning/reward.ts';
import type { Fault } from '../src/protocol/fault.ts';
import type { Outcome, Reward } from '../src/protocol/outcome.ts';

const fault: Fault = { kind: 'EngineFault', message: 'gone' };
const verdict = (reward: Reward): Outcome => ({ kind: 'scored', verdict: { reward, gates: [], criteria: [] } });

describe('reward', () => {
  it.each([
    ['a verdict of 1', verdict(1), 1],
    ['a verdict of 0', verdict(0), 0],
    ['a verdict of −1', verdict(-1), -1],
    ['unreadable output of the policy', { kind: 'policyFault', reason: 'unreadable' }, -1],
    ['an episode the policy let run out', { kind: 'truncated', by: 'policy', reason: 'turns' }, -1],
    ['an episode we cut', { kind: 'truncated', by: 'budget', reason: 'deadline' }, null],
    ['a simulator fault', { kind: 'simulatorFault', role: 'user', fault }, null],
    ['a judge fault', { kind: 'judgeFault', fault }, null],
    ['an infrastructure fault', { kind: 'infraFault', fault }, null],
  ] as [string, Outcome, number | null][])('of %s is as ruled', (_, outcome, reward) => expect(rewardOf(outcome)).toBe(reward));
});
