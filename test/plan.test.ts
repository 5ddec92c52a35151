/** A dry run says, role by role, what a step asks of the models, and on what assumptions. */
import { describe, expect, test } from 'vitest';
import { type RoleCost, type RolePlan, rolePlanOf, rolePlanText } from '../src/cli/role-plan.ts';
import { type Config, type ConfigInput, configOf } from '../src/config.ts';
import { knownFacts } from '../src/gpu/known-models.ts';

const lm = { task: 'lm', user: 'lm', tool: 'lm', judge: 'lm' } as const;
const configured = (changes: ConfigInput = {}): Config =>
  configOf({ roles: lm, engine: { kind: 'vllm' }, trainer: { kind: 'torch', adapter: 'lora' }, ...changes });
const facts = knownFacts('Qwen/Qwen3-8B');
const planned = (changes: ConfigInput = {}, throughput?: number): RolePlan =>
  rolePlanOf(configured(changes), facts, throughput, false) as RolePlan;
const costOf = (plan: RolePlan, role: string, level = 0): RoleCost =>
  plan.levels[level]?.roles.find((cost) => cost.role === role) as RoleCost;

describe('the plan by role', () => {
  const plan = planned();

  test('asks every role of 16 × 8 episodes at D 1 as often as a right episode does', () => {
    const episodes = 16 * 8;
    expect(plan.levels.map(({ difficulty }) => difficulty)).toEqual([1, 100]);
    expect(costOf(plan, 'task').questions).toBe(16);
    // One request and, some ask back.
    expect(costOf(plan, 'user').questions).toBeGreaterThanOrEqual(episodes);
    expect(costOf(plan, 'user').questions).toBeLessThan(1.3 * episodes);
    // Eight members in eighteen or so tasks call once, and each task is rehearsed.
    expect(costOf(plan, 'tool').questions).toBeGreaterThan(0.7 * episodes);
    expect(costOf(plan, 'tool').questions).toBeLessThan(1.5 * episodes);
    expect(costOf(plan, 'judge').questions).toBe(Math.round(episodes + 32 / 10));
    expect(costOf(plan, 'policy').prompts).toBe(costOf(plan, 'policy').questions - episodes + 16);
  });

  test('costs more of everything at D 100', () => {
    for (const { role } of plan.levels[0]?.roles ?? []) {
      const [easy, hard] = [costOf(plan, role, 0), costOf(plan, role, 1)];
      expect(hard.promptTokens).toBeGreaterThan(easy.promptTokens);
      expect(hard.replyTokens).toBeGreaterThan(easy.replyTokens);
      expect(hard.seconds).toBeGreaterThan(easy.seconds);
    }
  });

  test('asks tools more often without a shared world, and the judge by its votes and its scope', () => {
    expect(costOf(planned({ simulation: { shared: false } }), 'tool').prompts).toBeGreaterThan(1.5 * costOf(plan, 'tool').prompts);
    expect(costOf(planned({ simulation: { judge: { votes: 3 } } }), 'judge').prompts).toBeGreaterThan(2.9 * costOf(plan, 'judge').prompts);
    expect(costOf(planned({ simulation: { judge: { scope: 'group', calibrateEvery: 0 } } }), 'judge').questions).toBe(16);
  });

  test('asks the judge about more where rules do not go first', () => {
    const without = planned({ simulation: { judge: { gates: false } } });
    expect(costOf(without, 'judge', 1).replyTokens).toBeGreaterThan(costOf(plan, 'judge', 1).replyTokens);
  });

  test('takes twice as long at half the throughput, and says whose it is', () => {
    const [fast, slow] = [planned({}, 8000), planned({}, 4000)];
    expect(slow.levels[0]?.seconds).toBeCloseTo(2 * (fast.levels[0]?.seconds ?? 0));
    expect(fast.throughput).toEqual({ tokensPerSecond: 8000, from: '--throughput' });
    expect(plan.throughput.from).toMatch(/H100 arithmetic .* --throughput/);
    const smaller = rolePlanOf(configured(), knownFacts('Qwen/Qwen3-0.6B'), undefined, false) as RolePlan;
    expect(smaller.throughput.tokensPerSecond).toBeGreaterThan(5 * plan.throughput.tokensPerSecond);
  });

  test('has rows only for the policy and the roles a model plays, and is absent where code plays all', () => {
    const judged = planned({ roles: { judge: 'lm' } });
    expect(judged.levels[0]?.roles.map(({ role }) => role)).toEqual(['policy', 'judge']);
    expect(rolePlanOf(configOf({}), null, undefined, true)).toBeNull();
  });

  test('is a table a level with its sums, and its assumptions in words', () => {
    const text = rolePlanText(plan);
    for (const part of ['a step at D 1\n', 'a step at D 100\n', 'prompt tokens', 'assuming', 'characters a token', 'right episodes'])
      expect(text).toContain(part);
    const prompts = (plan.levels[0]?.roles ?? []).reduce((sum, cost) => sum + cost.prompts, 0);
    expect(text).toMatch(new RegExp(`^all +\\d+ +${prompts} `, 'm'));
  });

  test('counts words where the tiny model’s own are spoken', () => {
    const words = rolePlanOf(configured(), null, undefined, true) as RolePlan;
    expect(costOf(words, 'judge').promptTokens).toBeLessThan(costOf(plan, 'judge').promptTokens / 5);
    expect(words.assumptions).toContain('a word is a token');
  });
});
