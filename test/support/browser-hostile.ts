/**
 * A run whose every text would like to be more than text, written through the real record, and its twin: the same run with letters in place of everything that could mean something to a browser.
 * A page that shows both must build the same elements of both. Knows where texts stand in a record, not how a page shows them.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stateHash } from '../../src/machines/hash.ts';
import { trail } from '../../src/machines/trail.ts';
import { configOf } from '../../src/config.ts';
import { pack } from '../../src/protocol/codec.ts';
import type { Episode } from '../../src/protocol/episode.ts';
import type { Fault } from '../../src/protocol/fault.ts';
import type { Frame, RecordedEvent } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { episodeId, groupId, type PolicyVersion, type RunId, stepId, taskId } from '../../src/protocol/ids.ts';
import type { JsonObject, JsonValue } from '../../src/protocol/json.ts';
import type { Outcome } from '../../src/protocol/outcome.ts';
import type { StepCommitted } from '../../src/protocol/policy.ts';
import type { Task } from '../../src/protocol/task.ts';
import { appendPrompt, appendSampled } from '../../src/protocol/trace.ts';
import type { Turn } from '../../src/protocol/turn.ts';
import { createFolder } from '../../src/record/folder.ts';
import { startRecord } from '../../src/record/record.ts';

/** Each calls `window.pwned` where it is taken for anything but text, or asks an address of its own for something. */
export const payloads: readonly string[] = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=1">',
  '"><svg/onload=window.pwned=1>',
  '\'"` onmouseover=window.pwned=1 autofocus onfocus=window.pwned=1 x="',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<style>@import "https://elsewhere.invalid/x.css"; *{display:none}</style>',
  '<link rel=stylesheet href=https://elsewhere.invalid/x.css><base href=https://elsewhere.invalid/>',
  '<meta http-equiv=refresh content="0;url=https://elsewhere.invalid/">',
  '<form action=https://elsewhere.invalid><input name=a><button>go</button></form>',
  '<a href="javascript:window.pwned=1">go</a> [go](javascript:window.pwned=1) ![x](https://elsewhere.invalid/x.png)',
  '</textarea></title></script><script>window.pwned=1</script><!--',
  '{{constructor.constructor("window.pwned=1")()}} ${window.pwned=1} <%= 1 %>',
  '__proto__',
  'constructor',
  '\u202Eegassem lausunu\u202C \u2066\u2067\u200B\u200D\uFEFF \u0000\u0007\u001b[31mred\u001b[0m',
  'lone \uD800 surrogate \uDFFF halves \uD83D',
  'a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309'.repeat(20),
  '&lt;b&gt; &amp;#60; &#x3c;script&#x3e;window.pwned=1&#x3c;/script&#x3e;',
];

/** Letters for everything but white space: as long, as many words, as many lines, the same where the other was the same. */
const tame = (text: string): string => text.replaceAll(/\S/g, (unit) => String.fromCodePoint(97 + ((unit.codePointAt(0) ?? 0) % 26)));

type Words = (n: number) => string;
const hostile: Words = (n) => payloads[n % payloads.length] as string;

/** Names of properties must differ within one object, and of a run within a folder. */
const aspect = { bound: 1, value: 1 };
const none = { bound: 0, value: 0 };
export const hostileRun = `<img src=x onerror=window.pwned=1>`;
export const tameRun = tame(hostileRun);

function taskOf(say: Words, index: number): Task {
  const all = payloads.map((_, n) => say(n));
  return {
    id: taskId(stepId(1), index),
    split: 'train',
    difficulty: 10,
    aspects: { tools: aspect, calls: aspect, turns: aspect, system: none, persona: none, query: none, criteria: none },
    branch: 'call',
    tools: payloads.map((_, n) => ({
      // The only name in a record that has a form.
      name: `tool_${n}`,
      description: say(n + 1),
      parameters: {
        type: 'object',
        properties: { [say(n + 2)]: { type: 'string', description: say(n + 3), enum: [say(n + 4)] } },
        title: say(n),
      },
      effects: 'read',
      category: say(n + 5),
      source: say(n + 6),
    })),
    system: all.join('\n'),
    persona: say(1),
    intent: {
      summary: all.join(' '),
      requests: [say(2), say(3)],
      facts: Object.fromEntries(payloads.map((_, n) => [`${say(n)} ${n}`, say(n + 1)])),
    },
    query: all.join(' '),
    expectedCalls: [{ name: say(1), arguments: { [say(2)]: say(3) }, needs: [], turn: 0 }],
    expectedAnswer: say(4),
    world: { entities: { [say(1)]: { [say(2)]: { [say(3)]: say(4) } } }, occurrences: { [say(5)]: 1 } },
    criteria: ['intent'],
    maxTurns: 400,
    seed: 1,
  };
}

/** Every turn form with every payload. */
function turnsOf(say: Words, large: string): Turn[] {
  const turns = payloads.flatMap((_, n): Turn[] => {
    const call = { name: say(n), arguments: { [say(n + 1)]: say(n + 2), deep: { list: [say(n + 3), { [say(n + 4)]: say(n + 5) }] } } };
    return [
      { role: 'user', text: say(n) },
      { role: 'agent', thought: say(n), text: say(n + 1), calls: [call] },
      {
        role: 'tool',
        call,
        status: n % 2 === 0 ? 'ok' : 'invalidArgument',
        result: { [say(n)]: say(n + 1), text: `${say(n)}\n${say(n + 1)}` },
        patch: [{ op: 'put', collection: say(n), id: say(n + 1), record: { [say(n + 2)]: say(n + 3) } }],
      },
      { role: 'agent', thought: '', text: '', calls: [], malformed: { raw: say(n), reason: say(n + 1) } },
    ];
  });
  const call = { name: 'large', arguments: {} };
  return [
    ...turns,
    { role: 'agent', thought: '', text: '', calls: [call] },
    { role: 'tool', call, status: 'ok', result: large, patch: [] },
  ];
}

const noCalls = { role: 'agent', thought: '', calls: [] };

/** What the actors of an episode received, as far as texts are in it; states are those of the real charts. */
function eventsOf(say: Words, episode: string, query: string): RecordedEvent[] {
  const received: [string, JsonObject & { type: string }][] = [
    ['episode', { type: 'xstate.init', input: { id: episode, member: 0, attempt: 1, query, maxTurns: 400, askAttempts: 3 } }],
    ['agent', { type: 'xstate.init' }],
    ['tool', { type: 'xstate.init', input: { attempts: 3 } }],
    ['user', { type: 'xstate.init', input: { query, attempts: 3 } }],
  ];
  for (const n of payloads.keys()) {
    const call = { name: say(n), arguments: { [say(n + 1)]: say(n + 2) } };
    const said = { ...noCalls, thought: say(n + 3), text: say(n), calls: [call] };
    const observed = { role: 'tool', call, status: 'ok', result: say(n), patch: [] };
    received.push(
      ['agent', { type: 'agent.prompt', turns: [{ role: 'user', text: say(n) }] }],
      ['episode', { type: 'episode.said', turn: said }],
      ['tool', { type: 'tool.call', call }],
      ['tool', { type: 'ask.unread', ask: n + 1, attempt: 0, complaint: say(n), raw: say(n + 1) }],
      ['episode', { type: 'episode.observed', turn: observed }],
      // Nobody's: of a chart that does not exist, and of no event that any chart knows.
      [say(n), { type: say(n + 1), [say(n + 2)]: say(n + 3) }],
    );
  }
  const follower = trail();
  return received.map(([name, event]) => {
    const recorded = { actor: `${episode}/${name}`, event, state: '' };
    const { value } = follower.follow(recorded);
    return { ...recorded, state: value === null ? say(0) : stateHash(value) };
  });
}

const outcomesOf = (say: Words): Outcome[] => [
  {
    kind: 'scored',
    verdict: {
      reward: -1,
      gates: payloads.map((_, n) => ({ name: say(n), passed: n % 2 === 0, detail: say(n + 1) })),
      criteria: payloads.map((_, n) => ({ name: 'intent', required: true, met: n % 2 === 0, evidence: say(n) })),
    },
  },
  { kind: 'simulatorFault', role: 'tool', fault: faultOf(say, 0) },
  { kind: 'infraFault', fault: { ...faultOf(say, 3), kind: 'EngineFault', trouble: 'malformed' } },
  { kind: 'truncated', by: 'policy', reason: payloads.map((_, n) => say(n)).join(' ') },
];

const faultOf = (say: Words, n: number): Fault => ({
  kind: 'SimulatorFault',
  message: say(n),
  raw: payloads.map((_, i) => say(i)).join('\n'),
  causes: [say(n + 1), say(n + 2)],
});

const rewards = [-1, null, null, -1] as const;

function framesOf(say: Words, large: string): Frame[] {
  const task = taskOf(say, 0);
  const id = groupId(task.id);
  const turns = turnsOf(say, large);
  const trace = appendSampled(
    appendPrompt(new Int32Array(0), Int32Array.of(60, 61, 62), 0),
    Int32Array.of(4, 5),
    Float32Array.of(-1, -2),
    true,
    0,
  );
  const episodes = outcomesOf(say).map((outcome, member): Episode => ({
    id: episodeId(id, member),
    group: id,
    task: task.id,
    member,
    attempt: 1,
    // The large one in one of them only: a frame has an end.
    turns: member === 0 ? turns : turns.slice(0, -2),
    traces: [trace as Int32Array<ArrayBuffer>],
    outcome,
    reward: rewards[member] ?? null,
    policy: { start: 0 as PolicyVersion, end: 0 as PolicyVersion },
    seed: 5,
  }));
  const group: RolloutGroup = {
    id,
    step: stepId(1),
    task,
    episodes,
    missing: [{ member: 4, fault: { ...faultOf(say, 6), kind: 'EngineFault' } }],
    status: 'sealed',
    sealedBy: 'complete',
  };
  const bytes = pack(group);
  const committed: StepCommitted = {
    step: stepId(1),
    groups: [id],
    version: 1 as PolicyVersion,
    trained: 2,
    checkpoint: say(1),
    chain: say(2),
  };
  const metrics: JsonObject = {
    difficulty: 1,
    nextDifficulty: 4,
    meanReward: -1,
    success: 0,
    faults: { [say(0)]: 1, [say(1)]: 2 },
    [say(3)]: say(4),
  };
  return [
    { kind: 'task.issued', step: group.step, task },
    ...episodes.map((episode): Frame => ({ kind: 'events', events: eventsOf(say, episode.id, task.query) })),
    {
      kind: 'group.sealed',
      envelope: { step: group.step, group: id, scored: 2, status: 'sealed', hash: createHash('sha256').update(bytes).digest('hex') },
      bytes,
    },
    { kind: 'step.intent', intent: { step: stepId(1), groups: [id], parent: 0 as PolicyVersion } },
    { kind: 'step.committed', committed, metrics },
    { kind: 'task.quarantined', task: taskOf(say, 1), faults: [faultOf(say, 0)], command: say(2) },
    { kind: 'run.halted', reason: 'fault', detail: payloads.map((_, n) => say(n)).join(' ') },
  ];
}

async function write(root: string, name: string, say: Words, large: string): Promise<void> {
  const folder = createFolder(join(root, 'runs'), name);
  const config = {
    ...(configOf({ name: 'x' }) as unknown as JsonObject),
    name,
    [say(0)]: say(1),
    nested: { [say(2)]: [say(3)] as JsonValue },
  };
  const record = await startRecord(folder, { run: name as RunId, segmentBytes: 256 << 20, transcripts: true }, { version: say(0), config });
  for (const frame of framesOf(say, large)) record.append(frame);
  record.timing({ step: 's00001', [say(1)]: say(2), generateMs: 5 });
  await record.close();
}

/** Five megabytes of it, in one text. */
const largeUnits = 5 * 1024 * 1024;

export async function recordHostileRuns(root: string): Promise<void> {
  const line = `${payloads.join(' ')}\n`;
  const large = line.repeat(Math.ceil(largeUnits / line.length));
  await write(root, hostileRun, hostile, large);
  await write(root, tameRun, (n) => tame(hostile(n)), tame(large));
}
