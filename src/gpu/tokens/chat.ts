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
import { chatmlAfter, end as chatmlEnd, families, type FamilyName } from './chatml.ts';
import { behind, isAppendOnly, probeCall, probes, type Rendered } from './difference.ts';
import { encodingOf } from './encoding.ts';
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
  const { dir } = files;
  const encoding = encodingOf(files);
  const { guard, vocabulary } = encoding;
  const form = messageFormOf(files, thinking, vocabulary !== undefined);
  const render = renderOf(files, thinking);
  const said = (task: Pick<Task, 'system' | 'query' | 'tools'>, turns: readonly Turn[]): string =>
    render(guardedAll(openAiMessages(task, turns, form), guard), guardedAll(openAiTools(task.tools), guard), { reply: true });
  const rendered: Rendered = (dummies, turns, reply) =>
    render([...openAiMessages(talk, dummies, form), ...guardedAll(turnMessages(turns, form), guard)], openAiTools(talk.tools), { reply });

  const markers = new Map(files.stop.flatMap((id) => (encoding.markerOf(id) === undefined ? [] : [[encoding.markerOf(id) as string, id]])));
  const ends = [...markers.keys()];
  const name = family ?? familyOf(files);
  const header = name === 'generic' ? null : families[name].header(thinking);
  const byHand = header !== null && agrees(rendered, header, ends, guard);
  if (family !== undefined && family !== 'generic' && !byHand)
    throw new ConfigFault(`${dir}: its chat template is not of the family ${family}`);
  const end = behind(rendered, [], ends)?.end;
  if (end === undefined)
    throw new ConfigFault(`${dir}: its chat template ends an agent's turn with none of its stop tokens (${ends.join(', ')})`);
  const endId = markers.get(end) as number;
  const speech =
    vocabulary === undefined
      ? speechOf(encoding, turnFormOf(files, rendered, end, thinking), end, endId, files.stop)
      : tinyRenderer(vocabulary);
  const appends = byHand || isAppendOnly(rendered, thinking);

  const after = (turns: readonly (UserTurn | ToolTurn)[]): string | null => {
    if (byHand) return chatmlAfter(turns, header, guard);
    const behindIt = appends ? behind(rendered, turns, ends) : null;
    return behindIt?.end === end ? behindIt.text : null;
  };
  const found = byHand ? name : 'generic';
  const renderer: Renderer = {
    name: found,
    stop: files.stop,
    appends,
    open: (task) => Int32Array.from(encoding.ids(said(task, []))),
    extend: (turns, stopped) => {
      const text = after(turns);
      // What the policy did not say is read to it, so that the conversation stays well-formed.
      return text === null ? null : Int32Array.from([...(stopped ? [] : [endId]), ...encoding.ids(text, end)]);
    },
    reopen: (task, turns) => Int32Array.from(encoding.ids(said(task, turns))),
    text: encoding.text,
    parse: speech.parse,
    write: speech.write,
  };
  return { renderer, family: found };
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

/** By what the template writes; whether it is really of that family is found out by asking it. */
function familyOf({ template }: Pick<ModelFiles, 'template'>): FamilyName | 'generic' {
  if (!['<|im_start|>', '<tool_call>', '<tool_response>'].every((part) => template.includes(part))) return 'generic';
  return template.includes('enable_thinking') ? 'qwen3' : 'hermes';
}

const agrees = (rendered: Rendered, header: string, ends: readonly string[], guard: (text: string) => string): boolean =>
  probes.every((turns) => {
    const found = behind(rendered, turns, ends);
    return found?.end === chatmlEnd && found.text === chatmlAfter(turns, header, guard);
  });

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
  encoding: ReturnType<typeof encodingOf>,
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
