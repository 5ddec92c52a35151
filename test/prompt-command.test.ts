/** `prompt` prints exactly what a role is sent. What it reads is tested here in this process; the command itself by a few of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { judgeViewOf, type Material, taskViewOf, toolViewOf, userViewOf } from '../src/cli/prompt-views.ts';
import { configOf } from '../src/config.ts';
import type { ChatMessage } from '../src/protocol/inference.ts';
import { readPrompt } from '../src/simulation/lm/prose/reading.ts';
import { troupe } from './support/command-line.ts';
import { sampleRun } from './support/sample-run.ts';

// A process takes a quarter of a second to start; on a machine that others use, much longer.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const cwd = mkdtempSync(join(tmpdir(), 'troupe-prompt-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const task = resolve('test/fixtures/prompts/task.json');
const turns = resolve('test/fixtures/prompts/turns.json');
const config = configOf({ tools: 'catalogue' });
const from = (material: Partial<Material>): Material => ({ run: 'latest', dir: join(cwd, 'runs'), difficulty: 1, seed: 1, ...material });

beforeAll(async () => {
  await sampleRun(cwd, { name: 'recorded' });
});

test('prompt prints what a tool is sent: messages, schema, temperature and limit', () => {
  const limit = ['--set', 'simulation.maxTokens.tool=99'];
  const { code, out } = troupe(['prompt', 'tool', '--task', task, '--complaint', 'no such record', ...limit], { cwd });
  expect(code).toBe(0);
  expect(out).toMatch(/^──── system\nYou are the system behind one tool/);
  expect(out).toContain('"call": {"name":"find_contact","arguments":{"name":"Jonas Weil"}}');
  expect(out).toContain('Answer 1 was refused: "no such record"');
  expect(out).toContain('──── reply: prose tool v1, temperature 0, at most 99 tokens\n{"type":"object"');
});

test('prompt --json prints messages that are read back', () => {
  const asked = ['judge', '--task', task, '--turns', turns, '--set', 'simulation.judge.gates=false', '--json'];
  const { code, out, err } = troupe(['prompt', ...asked], { cwd });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { messages } = JSON.parse(out) as { messages: ChatMessage[] };
  expect(readPrompt(messages)).toMatchObject({
    role: 'judge',
    question: { criteria: ['intent', 'tools', 'grounded'], view: { turns: { length: 7 } } },
  });
});

test('prompt says where rules leave a judge nothing to decide', () => {
  const call = { name: 'delete_all', arguments: {} };
  const wrong = [
    { role: 'agent', thought: '', text: '', calls: [call] },
    { role: 'tool', call, status: 'unknownTool', result: null, patch: [] },
  ];
  writeFileSync(join(cwd, 'wrong.json'), JSON.stringify(wrong));
  const { code, out, err } = troupe(['prompt', 'judge', '--task', task, '--turns', 'wrong.json'], { cwd });
  expect(code).toBe(0);
  expect(err).toContain('no model is asked');
  expect(JSON.parse(out)).toMatchObject({ reward: -1 });
});

test('a tool is shown the world as the turns before have left it', () => {
  const call = JSON.stringify({ name: 'find_contact', arguments: { name: 'Jona' } });
  const view = toolViewOf(config, from({ task, turns, call }));
  expect(view.call.arguments).toEqual({ name: 'Jona' });
  expect(Object.keys(view.world.entities['events'] ?? {})).toEqual(['ev-204', 'ev-205']);
  expect(view.peek).toBeUndefined();
  expect(toolViewOf(configOf({ simulation: { toolSeesIntent: true } }), from({ task })).peek?.expectedCalls).toHaveLength(2);
});

test('the user is shown what was said aloud, and the judge no thought', () => {
  expect(userViewOf(from({ task, turns })).conversation.map(({ role }) => role)).toEqual(['user', 'agent', 'user', 'agent']);
  expect(judgeViewOf(from({ task, turns })).turns.flatMap((turn) => (turn.role === 'agent' ? [turn.thought] : []))).toEqual([
    '',
    '',
    '',
    '',
  ]);
});

test('the task writer is shown what a run would draw at this difficulty', () => {
  const material = from({ difficulty: 100, seed: 5 });
  const view = taskViewOf(config, material);
  expect(view.difficulty).toBe(100);
  expect(view.tools).toHaveLength(view.aspects.tools.value);
  expect(taskViewOf(config, material)).toEqual(view);
  expect(taskViewOf(config, from({ seed: 6, tools: 'builtin' })).tools).not.toEqual([]);
});

test('task and turns may come from a recorded episode', () => {
  const { task: recorded, turns: said } = judgeViewOf(from({ episode: 's00001.t000.e00' }));
  expect(recorded.id).toBe('s00001.t000');
  expect(said.length).toBeGreaterThan(0);
});

test.each([
  ['no task', () => userViewOf(from({})), 'which task?'],
  ['a file that is no task', () => judgeViewOf(from({ task: turns })), 'expected object'],
  ['a file that is not there', () => judgeViewOf(from({ task: 'nowhere.json' })), 'nowhere.json'],
  ['turns that are none', () => judgeViewOf(from({ task, turns: task })), 'expected array'],
  [
    'a call that no tool takes',
    () => toolViewOf(config, from({ task, call: '{"name":"x","arguments":{}}' })),
    'code refuses this call (unknownTool',
  ],
  ['a call that is no JSON', () => toolViewOf(config, from({ task, call: '{' })), '--call is no JSON'],
  ['a prototype', () => toolViewOf(config, from({ task, call: '{"name":"x","arguments":{"__proto__":{}}}' })), '__proto__'],
  ['an episode that nobody played', () => userViewOf(from({ episode: 's00009.t000.e00' })), 'no episode s00009.t000.e00 in recorded'],
])('given %s, prompt says so', (_, ask, message) => {
  expect(ask).toThrow(message);
});

test('prompt fails as a wrong line does', () => {
  const { code, err } = troupe(['prompt', 'task', '--difficulty', '101'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('a number from 1 to 100');
});
