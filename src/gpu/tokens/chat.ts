/**
 * The renderer of a real model: first prompt by its chat template, later turns by what the template adds, calls and thoughts read from text. Knows no engine.
 *
 * Qwen3 and Qwen2.5 (Hermes) are known by hand; any other template is asked what it would add. A template that rewrites the past gets a new trace a turn (`appends` false).
 * Deviation from Qwen3's own template: earlier thoughts (and the empty one that stands for "do not think") stay in the policy's context, where the template would
 * drop them at the next request. What was sampled is what is trained on (rule L1), and a server that strips them sees another prompt.
 */
import { ConfigFault } from '../../errors.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { ToolTurn, Turn, UserTurn } from '../../protocol/turn.ts';
import { chatmlAfter, end as chatmlEnd, type FamilyName, opening } from './chatml.ts';
import { behind, isAppendOnly, probeCall, probes, type Rendered } from './difference.ts';
import { type Encoding, encodingOf } from './encoding.ts';
import { guardedAll } from './guard.ts';
import { type MessageForm, openAiMessages, openAiTools, resultJson, turnMessages, wordForm } from './messages.ts';
import { type ModelFiles, readModelFiles } from './model-files.ts';
import type { Renderer } from './renderer.ts';
import { readTaggedCall, tag } from './tagged-call.ts';
import { readTaggedTurn, type TurnForm, writeTaggedTurn } from './tagged-turn.ts';
import { renderOf } from './template.ts';
import { tinyRenderer } from './tiny.ts';

export interface ChatOptions {
  /** Ask the model to think first, where its template knows how. */
  readonly thinking: boolean;
  /** Absent: the one its template turns out to be of. Given, any other is refused; `generic` fits all. */
  readonly family?: FamilyName | 'generic';
}

/** The renderer of a model directory in Hugging Face form. */
export const chatRenderer = ({ dir, ...options }: ChatOptions & { readonly dir: string }): Renderer =>
  chatRendererOf(readModelFiles(dir), options).renderer;

/** Asks the template everything there is to know. Throws ConfigFault where turns cannot be ended, or calls are written in a form that is not read. */
export function chatRendererOf(
  files: ModelFiles,
  { thinking, family }: ChatOptions,
): { readonly renderer: Renderer; readonly family: FamilyName | 'generic' } {
  const encoding = encodingOf(files);
  const { guard, vocabulary } = encoding;
  const form = messageFormOf(files, thinking, vocabulary !== undefined);
  const render = renderOf(files, thinking);
  const said = (task: Pick<Task, 'system' | 'query' | 'tools'>, turns: readonly Turn[]): string =>
    render(guardedAll(openAiMessages(task, turns, form), guard), guardedAll(openAiTools(task.tools), guard), { reply: true });
  const rendered: Rendered = (dummies, turns, reply) =>
    render([...openAiMessages(talk, dummies, form), ...guardedAll(turnMessages(turns, form), guard)], openAiTools(talk.tools), { reply });

  const asked = asking(files, rendered, encoding, thinking, family);
  const { appends, end, endId } = asked;
  const speech =
    vocabulary === undefined
      ? speechOf(encoding, turnFormOf(files, rendered, end, thinking), end, endId, files.stop)
      : tinyRenderer(vocabulary);
  const renderer: Renderer = {
    name: asked.family,
    stop: files.stop,
    appends,
    open: (task) => Int32Array.from(encoding.ids(said(task, []))),
    extend: (turns, stopped) => {
      const text = asked.after(turns);
      // What the policy did not say is read to it, so that the conversation stays well-formed.
      return text === null ? null : Int32Array.from([...(stopped ? [] : [endId]), ...encoding.ids(text, end)]);
    },
    reopen: (task, turns) => Int32Array.from(encoding.ids(said(task, turns))),
    text: encoding.text,
    parse: speech.parse,
    write: speech.write,
  };
  return { renderer, family: asked.family };
}

interface Asked {
  readonly family: FamilyName | 'generic';
  readonly appends: boolean;
  /** The marker that ends an agent's turn, and its id. */
  readonly end: string;
  readonly endId: number;
  /** What follows that marker, or null where the template does not append. */
  after(turns: readonly (UserTurn | ToolTurn)[]): string | null;
}

/** What the template does after an agent's turn. By hand where it does what we write by hand, in every case we know; else by asking it each time. */
function asking(
  files: ModelFiles,
  rendered: Rendered,
  { markerOf, guard }: Encoding,
  thinking: boolean,
  wanted: ChatOptions['family'],
): Asked {
  const ids = new Map(files.stop.flatMap((id) => [markerOf(id) ?? []].flat().map((marker) => [marker, id] as const)));
  const ends = [...ids.keys()];
  const bare = behind(rendered, [], ends);
  if (bare === null)
    throw new ConfigFault(`${files.dir}: its chat template ends an agent's turn with none of its stop tokens (${ends.join(', ')})`);
  const header = bare.text.trimStart();
  const isKnown =
    bare.end === chatmlEnd &&
    header.startsWith(opening) &&
    probes.every((turns) => behind(rendered, turns, ends)?.text === chatmlAfter(turns, header, guard));
  const family = isKnown && wanted !== 'generic' ? (files.template.includes('<think>') ? 'qwen3' : 'hermes') : 'generic';
  if (wanted !== undefined && family !== wanted) throw new ConfigFault(`${files.dir}: its chat template is not of the family ${wanted}`);
  const appends = family !== 'generic' || isAppendOnly(rendered, thinking);
  return {
    family,
    appends,
    end: bare.end,
    endId: ids.get(bare.end) as number,
    after: (turns) => {
      if (family !== 'generic') return chatmlAfter(turns, header, guard);
      const found = appends ? behind(rendered, turns, ends) : null;
      return found?.end === bare.end ? found.text : null;
    },
  };
}

/** A conversation about nothing, for asking a template what it does. */
const talk = {
  system: 'be kind',
  query: 'hello',
  tools: [
    {
      name: probeCall.name,
      description: 'looks',
      parameters: { type: 'object', properties: { place: { type: 'string' } } },
      effects: 'read',
      category: '',
      source: '',
    } satisfies ToolSpec,
  ],
};

const messageFormOf = ({ template }: ModelFiles, thinking: boolean, isWords: boolean): MessageForm =>
  isWords
    ? wordForm
    : { result: resultJson, thought: thinking && template.includes('reasoning_content') ? 'reasoning_content' : 'content' };

/** How the agent's own turns are written: the template is asked to write a call, and must write it so that it can be read. */
function turnFormOf({ dir, template }: ModelFiles, rendered: Rendered, end: string, thinking: boolean): TurnForm {
  const text = rendered([{ role: 'agent', thought: '', text: '', calls: [probeCall] }], [], false);
  const body = text.slice(text.lastIndexOf(tag.open) + tag.open.length, text.lastIndexOf(tag.close));
  const reading = readTaggedCall(body, talk.tools);
  if (!reading.ok || JSON.stringify(reading.call) !== JSON.stringify(probeCall))
    throw new ConfigFault(
      `${dir}: its chat template writes calls in a form that is not read (JSON or tags between ${tag.open} and ${tag.close})`,
      {
        raw: text,
      },
    );
  const prompt = rendered([], [], true);
  const header = prompt.slice(prompt.lastIndexOf(end));
  const opened = header.lastIndexOf('<think>') > header.lastIndexOf('</think>');
  const thought = opened ? 'opened' : thinking && template.includes('<think>') ? 'tagged' : 'none';
  return { calls: body.trim().startsWith('<function=') ? 'xml' : 'json', thought };
}

function speechOf(
  encoding: Encoding,
  form: TurnForm,
  end: string,
  endId: number,
  stop: readonly number[],
): Pick<Renderer, 'parse' | 'write'> {
  const tags = /<\u{FDD0}(?=\/?(?:tool_call|think)>)/gu;
  return {
    parse: (ids, task) => {
      const stopAt = ids.findIndex((id) => stop.includes(id));
      return readTaggedTurn(encoding.text(stopAt < 0 ? ids : ids.subarray(0, stopAt)), task.tools, form);
    },
    // The tags are the turn's own, everything else is somebody's words.
    write: (turn) => Int32Array.from([...encoding.ids(encoding.guard(writeTaggedTurn(turn, form)).replace(tags, '<'), end), endId]),
  };
}
