/** What reaches the trainer when a real template is between the policy and its ids: episodes played with an engine that answers in ids of our choice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import { chatRenderer } from '../src/gpu/tokens/chat.ts';
import type { Renderer } from '../src/gpu/tokens/renderer.ts';
import { sampleOf } from '../src/learning/batch.ts';
import { replay } from '../src/machines/replay.ts';
import type { Episode } from '../src/protocol/episode.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { TokenRequest } from '../src/protocol/inference.ts';
import { flag, recordAt, traceLength } from '../src/protocol/trace.ts';
import { chatModel, idOf, tokenizer } from './support/chat-models.ts';
import { scriptedJob, scriptedPorts, scriptedTask, type RecordingPorts } from './support/scripted.ts';

const end = idOf('<|im_end|>');
/** One token a character: ids that no tokenizer would give for this text. */
const spelt = (text: string): number[] =>
  text.split('').map((letter) => tokenizer.model.vocab[letter.replace(' ', 'Ġ').replace('\n', 'Ċ')] as number);
const call = (name: string): number[] => [
  idOf('<tool_call>'),
  ...spelt(`\n{"name": "book_room", "arguments": {"name": "${name}"}}\n`),
  idOf('</tool_call>'),
];

interface Played {
  readonly episode: Episode;
  readonly requests: readonly TokenRequest[];
  readonly ports: RecordingPorts;
}

/** The policy's n-th turn is `said[n]`; it has stopped where its last id is a stop token. */
async function play(renderer: Renderer, said: readonly (readonly number[])[]): Promise<Played> {
  const requests: TokenRequest[] = [];
  const ports: RecordingPorts = {
    ...scriptedPorts(),
    renderer,
    generate: (request) => {
      const ids = Int32Array.from(said[requests.push(request) - 1] ?? [end]);
      const finish = renderer.stop.includes(ids.at(-1) as number) ? 'stop' : 'length';
      const logprobs = Float32Array.from(ids, (_, index) => -1 - index);
      return Promise.resolve({ id: request.id, version: request.version as PolicyVersion, samples: [{ ids, logprobs, finish }] });
    },
  };
  const group = await runGroup(scriptedJob(), ports, new AbortController().signal);
  return { episode: group.episodes[0] as Episode, requests, ports };
}

const records = (trace: Int32Array) => Array.from({ length: traceLength(trace) }, (_, index) => recordAt(trace, index));
const sampledIds = (trace: Int32Array): number[] => records(trace).flatMap(({ id, flags }) => ((flags & flag.sampled) === 0 ? [] : [id]));

const appending = ['qwen3', 'hermes', 'xml', 'roles'].map(
  (name) => [name, chatRenderer({ dir: chatModel(name), thinking: name === 'qwen3' })] as const,
);
const forgetful = chatRenderer({ dir: chatModel('forgetful'), thinking: false });

describe.each(appending)('with the template %s', (_, renderer) => {
  const first = [...call('ada'), end];
  const second = [...spelt('it is done'), end];

  test('ids that another tokenization of the same text would not give reach the trainer as they were sampled', async () => {
    const { episode, requests } = await play(renderer, [first, second]);
    // The premise: rendering the turn anew would give other ids.
    const turn = renderer.parse(Int32Array.from(first), scriptedTask());
    expect([...renderer.write(turn, scriptedTask())]).not.toEqual(first);
    expect(episode.reward).toBe(1);
    expect(episode.turns.map(({ role }) => role)).toEqual(['user', 'agent', 'tool', 'agent']);
    expect(episode.traces.map(sampledIds)).toEqual([[...first, ...second]]);
    const [open, later] = requests.map(({ ids }) => [...ids]) as [number[], number[]];
    expect(later.slice(0, open.length + first.length)).toEqual([...open, ...first]);
    expect([...(sampleOf(episode.group, episode.traces[0] as Int32Array, 1)?.ids ?? [])]).toEqual([...later, ...second]);
  });

  test('any sampled ids stay as they are, those without a token and markers in the wrong place included', async () => {
    const ids = fc.array(
      fc.integer({ min: 0, max: 620 }).filter((id) => !renderer.stop.includes(id)),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(ids, ids, async (one, other) => {
        const said = [
          [...call('ada'), ...one, end],
          [...other, end],
        ];
        const { episode, requests } = await play(renderer, said);
        expect(sampledIds(episode.traces[0] as Int32Array)).toEqual([...said, [end], [end]].slice(0, requests.length).flat());
      }),
      { numRuns: 20 },
    );
  });

  test('a turn that ran out of tokens is closed by what the policy reads, never by what it is said to have sampled', async () => {
    const cut = call('ada');
    const { episode, requests } = await play(renderer, [cut, second]);
    const trace = records(episode.traces[0] as Int32Array);
    const after = requests[0]?.ids.length as number;
    expect(trace[after + cut.length]).toEqual({ id: end, logprob: 0, flags: flag.prompt, policyVersion: 3 });
    expect(sampledIds(episode.traces[0] as Int32Array)).toEqual([...cut, ...second]);
    expect(trace.filter(({ flags }) => (flags & flag.stop) !== 0)).toHaveLength(1);
  });

  test('everything the template writes between two turns is read and not trained', async () => {
    const { requests } = await play(renderer, [first, second]);
    const between = [...(requests[1]?.ids ?? [])].slice((requests[0]?.ids.length as number) + first.length);
    const text = renderer.text(Int32Array.from(between));
    expect(text).toContain('"status": "ok"');
    expect(text).toMatch(/^\n?<\|im_start\|>(?:user|tool)/);
    expect(text).toContain('<|im_start|>assistant\n');
  });
});

describe('with a template that rewrites the past', () => {
  const said = [
    [...call('ada'), end],
    [...spelt('so'), ...call('bea'), end],
    [...spelt('done'), end],
  ];

  test('every turn has a trace of its own that begins with the whole prompt, and every sampled token is in exactly one', async () => {
    const { episode, requests } = await play(forgetful, said);
    expect(requests).toHaveLength(3);
    expect(episode.traces.map(sampledIds)).toEqual(said);
    episode.traces.forEach((trace, index) => {
      const prompt = records(trace).filter(({ flags }) => (flags & flag.sampled) === 0);
      expect(prompt.map(({ id }) => id)).toEqual([...(requests[index]?.ids ?? [])]);
    });
    const turns = episode.turns.slice(1);
    expect([...(requests[2]?.ids ?? [])]).toEqual([...forgetful.reopen(scriptedTask(), turns.slice(0, 4))]);
  });

  test('the record says where a trace begins anew, and replaying it gives the same traces', async () => {
    const { episode, ports } = await play(forgetful, said);
    const restarts = ports.events.flatMap(({ event }) =>
      event.type === 'agent.sampled' ? [(event as { restart?: true }).restart ?? false] : [],
    );
    expect(restarts).toEqual([false, true, true]);
    const agent = replay(ports.events).events.findLast(({ actor }) => actor.endsWith('/agent'));
    expect(agent?.snapshot.context).toMatchObject({ traces: episode.traces });
  });
});
