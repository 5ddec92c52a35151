/**
 * The prompts themselves, as files to be read: a change of wording shows here as a diff, and must count the script's version up. The file of a version is never written again:
 * change the words, raise `version`, remove the old file, run this test once, and read what it wrote.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Task } from '../src/protocol/task.ts';
import { Turn } from '../src/protocol/turn.ts';
import { conversationOf } from '../src/simulation/contract.ts';
import { inferPrompt, inferSchema, inferVersion } from '../src/simulation/lm/infer.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { applyPatch } from '../src/simulation/state.ts';

const folder = join(import.meta.dirname, 'golden/prompts');
const fixture = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/prompts', name), 'utf8'));
const task = Task.parse(fixture('task.json'));
const turns = Turn.array().parse(fixture('turns.json'));
const [, create] = task.tools;
const [, expected] = task.expectedCalls;
if (create === undefined || expected === undefined) throw new Error('the fixture has two tools and two calls');

const brief = { view: task, branch: task.branch };
const userView = {
  persona: task.persona,
  intent: task.intent,
  conversation: conversationOf([{ role: 'user', text: task.query }, ...turns.slice(0, 3)]),
};
const toolView = { tool: create, call: { name: expected.name, arguments: expected.arguments }, world: task.world };
const world = turns.reduce((after, turn) => (turn.role === 'tool' ? applyPatch(after, turn.patch) : after), task.world);
const question = { view: { task, turns, world }, criteria: ['intent', 'grounded'] as const };

const gap = { tool: { ...create, description: '' }, lacks: ['description', 'returns', 'effects'] as const };
const pages = {
  task: { version: prose.task.version, messages: prose.task.prompt(brief, []), schema: prose.task.schema(brief) },
  user: { version: prose.user.version, messages: prose.user.prompt(userView, []), schema: prose.user.schema(userView) },
  tool: {
    version: prose.tool.version,
    messages: prose.tool.prompt(toolView, ['the patch leaves no trace of guest']),
    schema: prose.tool.schema(toolView),
  },
  infer: { version: inferVersion, messages: inferPrompt(gap, []), schema: inferSchema(gap) },
  judge: { version: prose.judge.version, messages: prose.judge.prompt(question, []), schema: prose.judge.schema(question) },
};

test.each(Object.entries(pages))(
  'the prompt of the %s reads as its version was written down',
  async (role, { version, messages, schema }) => {
    const text = [
      ...messages.map(({ role: speaker, content }) => `──── ${speaker}\n${content}`),
      `──── schema of the reply\n${JSON.stringify(schema, null, 1)}\n`,
    ].join('\n\n');
    const file = join(folder, `${role}.v${version}.txt`);
    if (existsSync(file)) expect(text, 'the wording changed: raise the version of its script').toBe(readFileSync(file, 'utf8'));
    else await expect(text).toMatchFileSnapshot(file);
  },
);

test('each prompt has one version', () => {
  expect(readdirSync(folder).toSorted()).toEqual(
    Object.entries(pages)
      .map(([role, { version }]) => `${role}.v${version}.txt`)
      .toSorted(),
  );
});

test('every branch and every level of an aspect has words of its own', () => {
  const asked = new Set<string>();
  for (const branch of ['call', 'ask', 'answer', 'none'] as const) asked.add(prose.task.prompt({ ...brief, branch }, [])[1]?.content ?? '');
  for (const aspect of ['system', 'persona', 'query', 'calls', 'turns', 'criteria'] as const)
    for (const value of aspect === 'calls' ? [1, 3] : aspect === 'turns' ? [2] : [0, 2, ...(aspect === 'criteria' ? [4] : [])]) {
      const aspects = { ...task.aspects, [aspect]: { bound: value, value } };
      const said = prose.task.prompt({ ...brief, view: { ...task, aspects } }, [])[1]?.content ?? '';
      // The words before the data: the data alone would differ anyway.
      asked.add(said.slice(0, said.indexOf('<data>')));
    }
  asked.delete('');
  const levels = { system: 2, persona: 2, query: 2, calls: 2, turns: 1, criteria: 3 };
  // One of the criteria is the level of the example itself, and so is no other's.
  expect(asked.size).toBe(4 + Object.values(levels).reduce((sum, count) => sum + count, 0));
});
