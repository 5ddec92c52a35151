/** From a read request to a written reply: what is said is fixed at once, when it is said is the schedule's affair. Knows neither sockets nor faults. */
import { seedOf } from '../../../random.ts';
import { ChatMessage } from '../../../protocol/inference.ts';
import type { Adapters, Served } from './adapters.ts';
import type { Brain } from './brain.ts';
import { chatReply, completionReply, type Choice, type Finish, type Spoken } from './bodies.ts';
import { emptyChain, extended, hashOf, keyed, textIds, type Chain } from './chain.ts';
import type { Pace } from './pace.ts';
import { badRequest, invalid, tooBusy } from './refusal.ts';
import { checkLength, checkRanges, readPrompts, readSampling, requireFields, type Fields, type Sampling } from './request.ts';
import type { Schedule } from './schedule.ts';
import type { Sequence } from './sequence.ts';
import { schemaValue, SchemaError } from './schema-value.ts';
import type { FakeSettings } from './settings.ts';
import { continued, say, spreadOf, type Said } from './speech.ts';
import { textOf } from './words.ts';

export interface Office {
  readonly settings: FakeSettings;
  readonly brain: Brain;
  readonly adapters: Adapters;
  readonly schedule: Schedule;
  readonly pace: Pace;
  /** Requests begun so far: names them, and seeds those without a seed. */
  serial: number;
  /** Samples under way. */
  unfinished: number;
  rejected: number;
  readonly finishes: Record<Finish, number>;
  /** Seconds since 1970, of the server's start. */
  readonly epoch: number;
}

/** A request under way. `done` gets the reply's text; after `cancel` it gets nothing. */
export interface Under {
  cancel(): void;
}

interface Planned extends Choice {
  readonly text?: string;
}

/** Throws Refusal. `done` is called once, unless it is cancelled. */
export function complete(office: Office, body: Fields, requestId: string | undefined, done: (text: string) => void): Under {
  const sampling = readSampling(body);
  const served = office.adapters.serving(sampling.model);
  const prompts = readPrompts(body, office.settings);
  checkRanges(sampling, office.settings);
  admit(office, sampling.n * prompts.length);
  const base = seedBase(office, sampling);
  const plans = prompts.flatMap((given, p) => {
    const ids = typeof given === 'string' ? wordIds(given, office.settings) : given;
    checkLength(ids.length, office.settings);
    const prompt = extended(emptyChain, ids);
    return Array.from({ length: sampling.n }, (_, k) => {
      const script = sampling.script?.[p * sampling.n + k];
      return planned(office, sampling, served, {
        promptIds: ids,
        prompt,
        seed: base + k,
        most: 16,
        script: idsOrNone(script, office.settings),
      });
    });
  });
  const name = `cmpl-${requestId ?? sampling.requestId ?? nameOf(office)}`;
  return run(office, sampling, served, plans, (ends, cached) => {
    const choices = plans.map((plan, k) => ended(plan, ends[k] as Finish));
    done(completionReply(replyOf(office, name, served), choices, sampling, usageOf(office, prompts.length, choices, cached)));
  });
}

export function chat(office: Office, body: Fields, requestId: string | undefined, done: (text: string) => void): Under {
  requireFields(body, ['messages']);
  const sampling = readSampling(body);
  const served = office.adapters.serving(sampling.model);
  const { messages } = body;
  if (!Array.isArray(messages))
    throw invalid([{ type: 'list_type', loc: 'body.messages', msg: 'Input should be a valid list', input: messages }]);
  if (messages.length === 0) throw badRequest('Cannot apply chat template to an empty conversation. Provide at least one message.');
  const ids = textIds(messages.map((message) => JSON.stringify(message)).join('\n'));
  checkLength(ids.length, office.settings);
  checkRanges(sampling, office.settings);
  admit(office, sampling.n);
  const base = seedBase(office, sampling);
  const prompt = extended(emptyChain, ids);
  const asked = ChatMessage.array().safeParse(messages);
  const thoughts = Array.from({ length: sampling.n }, (_, k) => (asked.success ? office.brain.think(asked.data, base + k) : undefined));
  // Nothing is answered, and nothing is held: the client leaves when it has waited enough.
  if (thoughts.includes(null)) return { cancel: () => undefined };
  const plans = thoughts.map((thought, k) => {
    const text = thought ?? constrained(body, base + k) ?? scripted(sampling.script?.[k]);
    if (text === undefined) {
      const plan = planned(office, sampling, served, { promptIds: ids, prompt, seed: base + k, most: Infinity, script: undefined });
      return { ...plan, text: textOf(plan.said.ids) };
    }
    const most = Math.min(sampling.maxTokens ?? office.settings.contextLength, office.settings.contextLength - ids.length);
    const whole = Array.from(textIds(text.slice(0, 4 * most + 4)), (id) => 8 + (id % (office.settings.vocabulary - 8)));
    const said: Said =
      whole.length < most ? { ids: [...whole, office.settings.eos], finish: 'stop' } : { ids: whole.slice(0, most), finish: 'length' };
    const shown = said.finish === 'stop' ? text : text.slice(0, 4 * most);
    return { promptIds: ids, prompt, weights: served.weights, said, finish: said.finish, stopReason: null, text: shown };
  });
  const name = `chatcmpl-${requestId ?? sampling.requestId ?? nameOf(office)}`;
  return run(office, sampling, served, plans, (ends, cached) => {
    const choices = plans.map((plan, k): Spoken => ({ ...ended(plan, ends[k] as Finish), text: plan.text }));
    done(chatReply(replyOf(office, name, served), choices, sampling, usageOf(office, 1, choices, cached)));
  });
}

interface Opening {
  readonly promptIds: ArrayLike<number> & { readonly length: number };
  readonly prompt: Chain;
  readonly seed: number;
  /** Tokens where the request names no number. */
  readonly most: number;
  readonly script: readonly number[] | undefined;
}

function planned(office: Office, sampling: Sampling, served: Served, { promptIds, prompt, seed, most, script }: Opening): Planned {
  const { settings } = office;
  const eos = sampling.ignoreEos ? undefined : settings.eos;
  const stops = eos === undefined || sampling.stopIds.includes(eos) ? sampling.stopIds : [...sampling.stopIds, eos];
  const room = settings.contextLength - promptIds.length;
  const said = say(
    {
      prompt,
      weights: served.weights,
      seed,
      greedy: sampling.temperature === 0,
      maxTokens: Math.min(sampling.maxTokens ?? most, room),
      stops,
      allowed: sampling.allowedIds,
      script,
    },
    settings,
  );
  const last = said.ids.at(-1);
  return {
    promptIds,
    prompt,
    weights: served.weights,
    said,
    finish: said.finish,
    stopReason: said.finish === 'stop' && last !== undefined && last !== eos ? last : null,
  };
}

/** Puts every sample in line; all of a request answer together. */
function run(
  office: Office,
  sampling: Sampling,
  served: Served,
  plans: readonly Planned[],
  done: (ends: Finish[], cached: number) => void,
): Under {
  const { pace, settings } = office;
  const ends: Finish[] = [];
  let sequences: readonly Sequence[] = [];
  let left = plans.length;
  let cancelled = false;
  office.unfinished += plans.length;
  const settle = (k: number, finish: Finish): void => {
    ends[k] = finish;
    office.finishes[finish]++;
    office.unfinished--;
    if (--left === 0 && !cancelled) done(ends, sequences[0]?.cached ?? 0);
  };
  if (settings.latency !== undefined) {
    const key = seedOf('latency', settings.seed, plans[0]?.prompt.low ?? 0, sampling.seed ?? office.serial);
    const under = answerAfter(office, spreadOf(settings.latency, key), plans, settle);
    return {
      cancel: () => {
        cancelled = true;
        under.cancel();
      },
    };
  }
  const salt = sampling.salt === undefined ? 0 : hashOf(sampling.salt);
  const owner = served.owner + salt * 7;
  let keysOf: { readonly prompt: Chain; readonly keys: readonly number[] } | undefined;
  sequences = plans.map((plan, k): Sequence => {
    if (keysOf?.prompt !== plan.prompt) keysOf = { prompt: plan.prompt, keys: keyed(plan.prompt.blocks, owner) };
    return pace.submit({
      promptTokens: plan.promptIds.length,
      keys: keysOf.keys,
      length: Math.max(1, plan.said.ids.length),
      priority: sampling.priority,
      adapter: served.dir === undefined ? undefined : served.name,
      allKeys: () => keyed(continued(plan.prompt, plan.said).blocks, owner),
      ended: (end) => settle(k, end === 'done' ? plan.finish : 'abort'),
    });
  });
  return {
    cancel: () => {
      if (left === 0) return;
      cancelled = true;
      for (const sequence of sequences) pace.cancel(sequence);
    },
  };
}

/** No steps, no places: every call takes its own time, however many there are. */
function answerAfter(office: Office, ms: number, plans: readonly Planned[], settle: (k: number, finish: Finish) => void): Under {
  const { pace, schedule, unfinished } = office;
  const { tally } = schedule;
  const began = pace.now();
  tally.jobs += plans.length;
  tally.firstArrival ??= began;
  tally.mostRunning = Math.max(tally.mostRunning, unfinished);
  let open = true;
  const end = (finishOf: (plan: Planned) => Finish): void => {
    open = false;
    tally.lastEnd = pace.now();
    tally.slotMs += plans.length * (tally.lastEnd - began);
    plans.forEach((plan, k) => {
      const finish = finishOf(plan);
      if (finish === 'abort') tally.aborted++;
      else tally.done++;
      tally.generated += finish === 'abort' ? 0 : plan.said.ids.length;
      settle(k, finish);
    });
  };
  const recall = pace.after(ms, () => end((plan) => plan.finish));
  return {
    cancel: () => {
      if (!open) return;
      recall();
      end(() => 'abort');
    },
  };
}

/** vLLM refuses by what it holds altogether, running requests included. */
function admit(office: Office, samples: number): void {
  const { maxQueued } = office.settings;
  if (maxQueued === 0 || office.unfinished + samples <= maxQueued) return;
  office.rejected++;
  throw tooBusy();
}

const seedBase = (office: Office, { seed }: Sampling): number => seed ?? seedOf('unseeded', office.settings.seed, office.serial);
const nameOf = ({ settings, serial }: Office): string => seedOf('id', settings.seed, serial).toString(16).padStart(16, '0').slice(-16);

const replyOf = ({ settings, epoch }: Office, id: string, { name }: Served) => ({
  id,
  created: epoch,
  model: name,
  fingerprint: `vllm-${settings.version}-fake`,
});

function usageOf({ settings }: Office, prompts: number, choices: readonly Choice[], cached: number) {
  const samples = choices.length / prompts;
  let prompt = 0;
  for (let p = 0; p < prompts; p++) prompt += choices[p * samples]?.promptIds.length ?? 0;
  const completion = choices.reduce((sum, { said }) => sum + said.ids.length, 0);
  return { prompt, completion, cached: settings.usageDetails ? cached : undefined };
}

const ended = (plan: Planned, end: Finish): Choice => (end === plan.finish ? plan : { ...plan, finish: end, stopReason: null });

/** What constrained decoding would leave; undefined where nothing constrains. */
function constrained(body: Fields, seed: number): string | undefined {
  const format = body['response_format'] as { type?: unknown; json_schema?: { schema?: unknown } } | undefined | null;
  const outputs = body['structured_outputs'] as Fields | undefined | null;
  try {
    if (format?.type === 'json_schema') return JSON.stringify(schemaValue(format.json_schema?.schema, seed));
    if (format?.type === 'json_object' || outputs?.['json_object'] === true) return '{}';
    if (outputs === undefined || outputs === null) return undefined;
    if (Array.isArray(outputs['choice'])) return String(outputs['choice'][seed % outputs['choice'].length]);
    const { json } = outputs;
    if (json !== undefined) return JSON.stringify(schemaValue(typeof json === 'string' ? (JSON.parse(json) as unknown) : json, seed));
  } catch (error) {
    throw badRequest(error instanceof SchemaError ? error.message : 'the schema is no JSON', 'structured_outputs');
  }
  throw badRequest('regular expressions and grammars are not known here', 'structured_outputs');
}

const scripted = (text: unknown): string | undefined => (typeof text === 'string' ? text : undefined);

function idsOrNone(script: unknown, { vocabulary }: FakeSettings): readonly number[] | undefined {
  if (!Array.isArray(script) || script.length === 0) return undefined;
  const ids = script as unknown[];
  if (ids.every((id) => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary)) return ids as number[];
  throw badRequest('vllm_xargs.script holds something that is no token id', 'vllm_xargs');
}

const wordIds = (text: string, { vocabulary }: FakeSettings): number[] => [...textIds(text)].map((id) => 8 + (id % (vocabulary - 8)));
