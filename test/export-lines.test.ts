/** Exports that are lines: what is written is read back by other means and is what was recorded, no more and no less. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ChatCompletionFunctionTool, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filterIn, membersOf, targetOf } from '../src/cli/export-target.ts';
import { viewerPorts } from '../src/cli/view-ports.ts';
import { ConfigFault } from '../src/errors.ts';
import { resultJson } from '../src/gpu/tokens/messages.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { ToolCall } from '../src/protocol/tool.ts';
import type { Turn } from '../src/protocol/turn.ts';
import { csvOf } from '../src/record/exports/csv.ts';
import type { Member } from '../src/record/exports/member.ts';
import { type Conversation, conversationOf, openAiLine } from '../src/record/exports/openai.ts';
import { scalarsOf } from '../src/record/exports/scalars.ts';
import { tokenLines } from '../src/record/exports/tokens.ts';
import type { RunFolder } from '../src/record/folder.ts';
import { troupe } from './support/command-line.ts';
import { sampleGroup, sampleRun } from './support/sample-run.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-export-'));
const runs = join(root, 'runs');
let folder: RunFolder;
beforeAll(async () => {
  folder = await sampleRun(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const ports = viewerPorts(() => undefined);
const members = (argument: string, filter = '', run?: string): Member[] => [
  ...membersOf(targetOf(argument, { dir: runs, ...(run === undefined ? {} : { run }) }), filterIn(filter), ports, () => undefined),
];
/** Of the sample's first episode, with other turns or traces. */
function memberWith(changes: Partial<Member['episode']>): Member {
  const group = sampleGroup(1, 0);
  const episode = group.episodes[0];
  if (episode === undefined) throw new Error('the sample has no episode');
  return { run: 'sample', group, episode: { ...episode, ...changes }, advantage: 0.1 + 0.2, seen: null };
}

describe('what is exported', () => {
  test('is every sealed episode of a run, by group and member', () => {
    expect(members('sample').map(({ episode }) => episode.id)).toEqual(
      ['s00001.t000', 's00001.t001', 's00002.t000', 's00002.t001'].flatMap((group) => [`${group}.e00`, `${group}.e01`]),
    );
  });
  test('is a step, a group or an episode by its id, of the run that was named or the latest', () => {
    expect(members('s00002', '', 'sample')).toHaveLength(4);
    expect(members('s00002.t001')).toHaveLength(2);
    expect(members('s00002.t001.e01').map(({ episode }) => episode.id)).toEqual(['s00002.t001.e01']);
  });
  test('is what passes the filter, rows and words alike', () => {
    expect(members('sample', 'reward<0').map(({ episode }) => episode.member)).toEqual([1, 1, 1, 1]);
    expect(members('sample', 'text~"SHELF 7" && step==2')).toHaveLength(4);
    expect(members('sample', 'text~"nobody said this"')).toEqual([]);
  });
  test('has the advantage that learning gives it', () => {
    const advantages = members('s00001.t000').map(({ advantage }) => advantage);
    expect(advantages[0]).toBeCloseTo(Math.SQRT1_2, 12);
    expect(advantages[1]).toBeCloseTo(-Math.SQRT1_2, 12);
  });
  test('is refused where nothing is called so, or the filter cannot be read', () => {
    expect(() => members('s00009.t000')).toThrow(ConfigFault);
    expect(() => members('s00001.t000.e09')).toThrow(ConfigFault);
    expect(() => members('sample', 'reward<')).toThrow(/--filter/);
  });
  test('goes to a file, whole, and the command says how much', () => {
    const out = join(root, 'tokens.jsonl');
    const said = troupe(['export', 'tokens', 'sample', '--dir', runs, '--out', out, '--json'], { cwd: root });
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(said.out)).toEqual({ v: 1, file: out, episodes: 8, lines: 8 });
    expect(readFileSync(out, 'utf8')).toBe(members('sample').flatMap(tokenLines).join(''));
  });
});

/** What the trainer made of the sampled tokens, made again from a line likewise: log-prob and entropy by turns. */
function signalsOf(line: string): Float32Array | null {
  const { mask, trainer, entropy } = JSON.parse(line) as TokenRow;
  if (trainer === undefined || entropy === undefined) return null;
  return Float32Array.from(mask.flatMap((is, at) => (is === 1 ? [trainer[at] ?? NaN, entropy[at] ?? NaN] : [])));
}

interface TokenRow {
  readonly trainer?: (number | null)[];
  readonly entropy?: (number | null)[];
  readonly ids: number[];
  readonly logprobs: (number | null)[];
  readonly mask: number[];
  readonly versions: number[];
  readonly stops: number[];
}

/** A trace made again from a line, as a reader in another language would: flags from mask and stops, log-probs as float32. */
function traceOf(line: string): Int32Array {
  const { ids, logprobs, mask, versions, stops } = JSON.parse(line) as TokenRow;
  const words = new Int32Array(4 * ids.length);
  const floats = new Float32Array(words.buffer);
  for (const [at, id] of ids.entries()) {
    words[4 * at] = id;
    floats[4 * at + 1] = logprobs[at] ?? NaN;
    words[4 * at + 2] = mask[at] === 1 ? 1 : 2;
    words[4 * at + 3] = versions[at] ?? -1;
  }
  for (const at of stops) words[4 * at + 2] = (words[4 * at + 2] ?? 0) | 4;
  return words;
}

describe('tokens', () => {
  test('are the recorded traces bit for bit, a line each', () => {
    const all = members('sample');
    const lines = all.flatMap(tokenLines);
    expect(lines).toHaveLength(all.reduce((sum, { episode }) => sum + episode.traces.length, 0));
    expect(lines.map(traceOf)).toEqual(all.flatMap(({ episode }) => episode.traces.map((trace) => new Int32Array(trace))));
  });
  test('keep every float32 there is, and every flag', () => {
    const token = fc.record({
      id: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      bits: fc.float({ noNaN: true, noDefaultInfinity: true }),
      flags: fc.constantFrom(1, 2, 5),
      version: fc.integer({ min: 0, max: 1e6 }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(token, { maxLength: 30 }), { maxLength: 3 }), (drawn) => {
        const traces = drawn.map((tokens) => {
          const words = new Int32Array(4 * tokens.length);
          const floats = new Float32Array(words.buffer);
          for (const [at, { id, bits, flags, version }] of tokens.entries()) {
            words.set([id, 0, flags, version], 4 * at);
            floats[4 * at + 1] = bits;
          }
          return words;
        });
        const lines = tokenLines(memberWith({ traces }));
        expect(lines.map(traceOf)).toEqual(traces);
        for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1);
      }),
      { numRuns: 200 },
    );
  });
  test('hold what the trainer made of each, bit for bit, where it saw them', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    const tokens = fc.array(fc.record({ flags: fc.constantFrom(1, 2, 5), logprob: float, entropy: float }), { maxLength: 30 });
    fc.assert(
      fc.property(tokens, (drawn) => {
        const trace = Int32Array.from(drawn.flatMap(({ flags }, id) => [id, 0, flags, 0]));
        const sampled = drawn.filter(({ flags }) => flags !== 2);
        const signals = Float32Array.from(sampled.flatMap(({ logprob, entropy }) => [logprob, entropy]));
        const seen = { version: 3 as PolicyVersion, signals: [signals, null] };
        const [one = '', other = ''] = tokenLines({ ...memberWith({ traces: [trace, trace] }), seen });
        expect(signalsOf(one)).toEqual(signals);
        expect(JSON.parse(one)).toMatchObject({ trainerVersion: 3 });
        expect((JSON.parse(one) as TokenRow).trainer).toHaveLength(drawn.length);
        // What it did not see has no such columns.
        for (const column of ['trainer', 'entropy', 'trainerVersion']) expect(JSON.parse(other)).not.toHaveProperty(column);
      }),
      { numRuns: 200 },
    );
  });
  test('stand beside reward and advantage as they are, and say null for what is no number', () => {
    const words = new Int32Array([7, 0, 1, 0]);
    new Float32Array(words.buffer)[1] = -Infinity;
    const [line = ''] = tokenLines(memberWith({ traces: [words] }));
    expect(JSON.parse(line)).toMatchObject({ reward: 1, advantage: 0.1 + 0.2, logprobs: [null], trace: 0, traces: 1 });
  });
});

/** As OpenAI's own types have it: that this compiles is half of the test. */
const asOpenAi = ({ messages, tools }: Conversation): { messages: ChatCompletionMessageParam[]; tools: ChatCompletionFunctionTool[] } => ({
  messages,
  tools,
});

/** Results answer calls made by the message before them, each once. */
function answered({ messages }: Conversation): boolean {
  let open: string[] = [];
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.includes(message.tool_call_id)) return false;
      open = open.filter((id) => id !== message.tool_call_id);
    } else {
      if (open.length > 0) return false;
      if (message.role === 'assistant') open = (message.tool_calls ?? []).map(({ id }) => id);
    }
  }
  return open.length === 0;
}

const call = (title: string): ToolCall => ({ name: 'find_book', arguments: { title } });
const result = (of: ToolCall): Turn => ({ role: 'tool', call: of, status: 'ok', result: { shelf: 7 }, patch: [] });

describe('openai', () => {
  test('has one line an episode, one message a turn, and the system prompt', () => {
    const all = members('sample');
    const lines = all.map((member) => JSON.parse(openAiLine(member, resultJson)) as Conversation);
    for (const [at, line] of lines.entries()) {
      expect(line.messages).toHaveLength(1 + (all[at]?.episode.turns.length ?? 0));
      expect(answered(line)).toBe(true);
      expect(line.tools.map((tool) => tool.function.name)).toEqual(['find_book']);
    }
    expect(lines.map(({ metadata }) => metadata['episode'])).toEqual(all.map(({ episode }) => episode.id));
  });
  test('says calls and results as the API does', () => {
    const { messages } = asOpenAi(conversationOf(memberWith({}), resultJson));
    expect(messages).toEqual([
      { role: 'system', content: 'you are a librarian' },
      { role: 'user', content: 'find emma' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'find_book', arguments: '{"title":"emma"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_0', content: '{"status": "ok", "result": {"shelf": 7}}' },
      { role: 'assistant', content: 'shelf 7' },
    ]);
  });
  test('pairs several results of one turn with their calls, and an unreadable call with its complaint', () => {
    const [a, b] = [call('a'), call('b')];
    const turns: Turn[] = [
      { role: 'user', text: 'two' },
      { role: 'agent', thought: 'hidden', text: 'both', calls: [a, b] },
      result(a),
      result(b),
      { role: 'agent', thought: '', text: '', calls: [a], malformed: { raw: '{"name": find', reason: 'no JSON' } },
      { role: 'tool', call: { name: '', arguments: {} }, status: 'invalidArgument', result: null, patch: [] },
      { role: 'agent', thought: '', text: 'done', calls: [] },
    ];
    const line = conversationOf(memberWith({ turns }), resultJson);
    expect(answered(line)).toBe(true);
    expect(line.messages.flatMap((message) => (message.role === 'assistant' ? (message.tool_calls ?? []) : []))).toMatchObject([
      { id: 'call_0', function: { arguments: '{"title":"a"}' } },
      { id: 'call_1', function: { arguments: '{"title":"b"}' } },
      { id: 'call_2', function: { name: 'unreadable_call', arguments: '{"name": find' } },
    ]);
    expect(JSON.stringify(line)).not.toContain('hidden');
  });
  test('keeps any text on its one line, in metadata of at most 16 short texts', () => {
    const text = 'a\nb\u2028"</script>\u0000é😀';
    const line = openAiLine(
      memberWith({ turns: [{ role: 'user', text }], outcome: { kind: 'policyFault', reason: 'x'.repeat(5000) } }),
      resultJson,
    );
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const read = JSON.parse(line) as Conversation;
    expect(read.messages[1]).toEqual({ role: 'user', content: text });
    expect(Object.keys(read.metadata).length).toBeLessThanOrEqual(16);
    for (const value of Object.values(read.metadata)) expect(value.length).toBeLessThanOrEqual(512);
  });
});

describe('csv', () => {
  test('has a line a step and a column a figure, empty where a step has none', () => {
    const steps = [
      { v: 1, step: 's00001', reward: 0.5, fates: { 'a,"b"': 3 }, deciles: [1] },
      { v: 1, step: 's00002', reward: -1, kl: 1e-9 },
    ].map((row) => scalarsOf(row));
    expect(csvOf(steps)).toBe('step,reward,"fates/a,""b""",kl\r\n1,0.5,3,\r\n2,-1,,1e-9\r\n');
  });
  test('holds the steps of a run', () => {
    const said = troupe(['export', 'csv', folder.dir], { cwd: root });
    expect(said.out.split('\r\n').map((line) => line.split(',')[0])).toEqual(['step', '1', '2']);
  });
});
