/** What a list does not say of its tools is asked once a tool, checked in code, and marked where it was inferred. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import * as fc from 'fast-check';
import { type InferPorts, inferGaps } from '../src/actors/inferring.ts';
import { EngineFault } from '../src/errors.ts';
import { schemaValue } from '../src/gpu/engines/fake/schema-value.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import { ToolSpec } from '../src/protocol/tool.ts';
import { inferSchema, readInferred } from '../src/simulation/lm/infer.ts';
import { gapsOf } from '../src/tools/gaps.ts';
import { complaintOfSchema } from '../src/tools/import/json-schema/compile.ts';
import { toolLine } from '../src/tools/lines.ts';
import { loadTools } from '../src/tools/load.ts';
import { troupe } from './support/command-line.ts';

vi.setConfig({ testTimeout: 120_000 });

const bare = (name: string, rest: Partial<ToolSpec> = {}): ToolSpec => ({
  name,
  description: `Does ${name}.`,
  parameters: { type: 'object', properties: {} },
  effects: 'unknown',
  category: 'sea',
  source: `list#${name}`,
  ...rest,
});
const good = JSON.stringify({ effects: 'read', result: 'object', fields: [{ name: 'high', kind: 'text', description: 'When' }] });
/** Answers the n-th prompt about a tool; records what it was asked. */
function model(answer: (tool: string, attempt: number) => string): { ports: InferPorts; asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  const attempts = new Map<string, number>();
  const chat: InferPorts['chat'] = async (request) => {
    asked.push(request);
    const tool = /"name":"(\w+)"/.exec(request.messages[1]?.content ?? '')?.[1] ?? '';
    const attempt = attempts.get(tool) ?? 0;
    attempts.set(tool, attempt + 1);
    await Promise.resolve();
    return { id: request.id, text: answer(tool, attempt), finish: 'stop', model: 'base' };
  };
  const signal = new AbortController().signal;
  return { ports: { chat, seed: 1, attempts: 3, deadlineMs: 1000, width: 2, signal, progress: () => undefined }, asked };
}

test('a tool that lacks something is asked about once, and the others are left alone', async () => {
  const whole = bare('whole', { effects: 'write', returns: { type: 'string' } });
  const { ports, asked } = model(() => good);
  const report = await inferGaps([bare('tides'), whole], ports);
  expect(asked).toHaveLength(1);
  expect(report).toMatchObject({ lacking: 1, inferred: 1, failed: [], calls: 1 });
  expect(report.tools[1]).toBe(whole);
  expect(report.tools[0]).toEqual({
    ...bare('tides'),
    effects: 'read',
    returns: {
      type: 'object',
      properties: { high: { type: 'string', description: 'When' } },
      required: ['high'],
      additionalProperties: false,
    },
    source: 'list#tides (inferred: effects, returns)',
  });
});

test('an answer that cannot be used is asked for again with the reason, and a fresh seed', async () => {
  const bad = JSON.stringify({ effects: 'read', result: 'list', fields: [] });
  const { ports, asked } = model((_, attempt) => (attempt === 0 ? bad : good));
  expect(await inferGaps([bare('tides')], ports)).toMatchObject({ inferred: 1, calls: 2 });
  expect(asked[1]?.messages[1]?.content).toContain('Answer 1 was refused: "a result of kind list needs at least one field"');
  expect(new Set(asked.map(({ seed }) => seed)).size).toBe(2);
  expect(new Set(asked.map(({ id }) => id)).size).toBe(2);
});

test('a tool that nobody could complete is reported with the last reason and stays as it was', async () => {
  const { ports } = model((tool) => (tool === 'tides' ? good : 'I do not know.'));
  const report = await inferGaps([bare('berths'), bare('tides'), bare('moon')], ports);
  expect(report).toMatchObject({ lacking: 3, inferred: 1, calls: 7 });
  expect(report.failed).toEqual(
    ['berths', 'moon'].map((name) => ({ name, lacks: ['returns', 'effects'], reason: 'there is no JSON object in the answer' })),
  );
  expect(report.tools[0]).toEqual(bare('berths'));
});

test('an engine that fails on one tool does not cost the others', async () => {
  const { ports } = model(() => good);
  const chat: InferPorts['chat'] = (request) =>
    request.messages[1]?.content.includes('tides') === true ? Promise.reject(new EngineFault('gone')) : ports.chat(request);
  const report = await inferGaps([bare('tides'), bare('moon')], { ...ports, chat });
  expect(report.failed).toEqual([{ name: 'tides', lacks: ['returns', 'effects'], reason: 'gone' }]);
  expect(report.inferred).toBe(1);
});

test('once interrupted, no further tool is asked about', async () => {
  const controller = new AbortController();
  const { ports, asked } = model(() => {
    controller.abort();
    return good;
  });
  const report = await inferGaps([bare('a'), bare('b'), bare('c')], { ...ports, width: 1, signal: controller.signal });
  expect(asked).toHaveLength(1);
  expect(report.failed.map(({ name, reason }) => [name, reason])).toEqual([
    ['b', 'interrupted'],
    ['c', 'interrupted'],
  ]);
});

test('whatever is read compiles, and lacks nothing any more', () => {
  const lacks = fc.subarray(['description', 'returns', 'effects'] as const, { minLength: 1 });
  fc.assert(
    fc.property(lacks, fc.nat(), (missing, seed) => {
      const gap = { tool: bare('tides'), lacks: missing };
      const reading = readInferred(JSON.stringify(schemaValue(inferSchema(gap), seed)), gap);
      // A drawn object may have no fields.
      if (!reading.ok) return expect(reading.complaint).toContain('needs at least one field');
      expect(Object.keys(reading.answer).toSorted()).toEqual(missing.toSorted());
      const { returns } = reading.answer;
      if (returns !== undefined) expect(complaintOfSchema(returns)).toBeUndefined();
      return undefined;
    }),
  );
});

test.each([
  [
    'a field that reaches a prototype',
    '{"effects":"read","result":"object","fields":[{"name":"constructor","kind":"text","description":""}]}',
    'no field can be called',
  ],
  [
    'a field with blanks',
    '{"effects":"read","result":"object","fields":[{"name":"a b","kind":"text","description":""}]}',
    'no field can be called',
  ],
  [
    'a field twice',
    '{"effects":"read","result":"list","fields":[{"name":"a","kind":"text","description":""},{"name":"a","kind":"flag","description":""}]}',
    'given twice',
  ],
  ['an effect that is none', '{"effects":"maybe","result":"text","fields":[]}', 'effects'],
  ['more than was asked for', '{"effects":"read","result":"text","fields":[],"description":"x"}', 'additional properties'],
])('%s is refused', (_, said, reason) => {
  const gap = { tool: bare('tides'), lacks: ['returns', 'effects'] as const };
  expect(readInferred(said, gap)).toMatchObject({ ok: false, defect: 'malformed', complaint: expect.stringContaining(reason) as string });
});

test('tools infer completes a list over a server and writes it back', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'troupe-infer-test-'));
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));
  const list = join(cwd, 'list.jsonl');
  writeFileSync(list, [bare('tides'), bare('moon', { description: '' })].map(toolLine).join(''));
  const before = readFileSync(list, 'utf8');
  const embedded = troupe(['tools', 'infer', list], { cwd });
  expect(embedded.code).toBe(2);
  expect(embedded.err).toContain('engine.kind embedded cannot chat');
  expect(readFileSync(list, 'utf8')).toBe(before);
  // Seeds are the config's, so what the fake draws under each schema is the same every time.
  const done = troupe(['tools', 'infer', list, '--set', 'engine.kind=fake', '--set', 'rollout.askAttempts=8', '--json'], { cwd });
  expect({ code: done.code, ...(JSON.parse(done.out) as object) }).toMatchObject({ code: 0, lacking: 2, inferred: 2, failed: [] });
  const { usable } = loadTools(list);
  expect(gapsOf(usable)).toEqual([]);
  expect(usable.map(({ source }) => source)).toEqual([
    'list#tides (inferred: effects, returns)',
    'list#moon (inferred: description, effects, returns)',
  ]);
});
