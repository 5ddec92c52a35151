/** Our ids beside those of transformers' apply_chat_template (python/goldens/render.py wrote them; test/stages/python/render.test.ts writes them again). */
import { describe, expect, test } from 'vitest';
import { chatRenderer } from '../src/gpu/tokens/chat.ts';
import type { Renderer } from '../src/gpu/tokens/renderer.ts';
import type { AgentTurn, ToolTurn, Turn, UserTurn } from '../src/protocol/turn.ts';
import { chatModel, chats, type Golden, goldens, numbers, promptsOf } from './support/chat-models.ts';

const made = new Map<string, Renderer>();
function rendererOf(template: string, thinking: boolean): Renderer {
  const key = `${template} ${thinking}`;
  const renderer = made.get(key) ?? chatRenderer({ dir: chatModel(template), thinking });
  made.set(key, renderer);
  return renderer;
}

const titled = (rows: readonly Golden[]) =>
  rows.map((row) => [`${row.template}${row.thinking ? ', thinking' : ''}: ${row.chat}`, row] as const);
const chatOf = ({ chat }: Golden) => {
  const found = chats.find(({ name }) => name === chat);
  if (found === undefined) throw new Error(`no chat ${chat}`);
  return found;
};
/** What the goldens' policy says: without a place for thoughts there is none beside a text. */
const sayable = (turn: AgentTurn, { template, thinking }: Pick<Golden, 'template' | 'thinking'>): AgentTurn =>
  (template === 'qwen3' && thinking) || turn.calls.length > 0 ? turn : { ...turn, thought: '' };

/** The prompt before each agent turn and the ids of everything, by opening, writing and extending. */
function played(renderer: Renderer, row: Golden): { prompts: number[][]; whole: number[] } {
  const { task, turns } = chatOf(row);
  let ids = [...renderer.open(task)];
  const prompts: number[][] = [];
  let heard: (UserTurn | ToolTurn)[] = [];
  for (const turn of turns) {
    if (turn.role !== 'agent') {
      heard.push(turn);
      continue;
    }
    if (prompts.length > 0) ids = [...ids, ...(renderer.extend(heard, true) as Int32Array)];
    heard = [];
    prompts.push(ids);
    ids = [...ids, ...renderer.write(sayable(turn, row), task)];
  }
  return { prompts, whole: ids };
}

const appendOnly = goldens.filter(({ template }) => ['hermes', 'xml', 'roles'].includes(template));
const stripping = goldens.filter(({ template }) => template === 'qwen3');
const forgetful = goldens.filter(({ template }) => template === 'forgetful');

describe('a template that only appends', () => {
  test.each(titled(appendOnly))('gives transformers’ ids at every turn: %s', (_, row) => {
    const renderer = rendererOf(row.template, row.thinking);
    expect(renderer.appends).toBe(true);
    const { prompts, whole } = played(renderer, row);
    expect(prompts.map((ids) => ids.join(' '))).toEqual(promptsOf(row).map((ids) => ids.join(' ')));
    // The template closes the last turn with a separator, which is observed only when something follows.
    const full = numbers(row.whole);
    expect(full.slice(0, whole.length)).toEqual(whole);
    expect(renderer.text(Int32Array.from(full.slice(whole.length))).trim()).toBe('');
  });
});

describe('Qwen3, whose template rewrites the past', () => {
  test.each(titled(stripping))('opens as the template does, and every later prompt begins with the one before: %s', (_, row) => {
    const renderer = rendererOf('qwen3', row.thinking);
    expect(renderer.appends).toBe(true);
    const { prompts } = played(renderer, row);
    expect(prompts[0]).toEqual(promptsOf(row)[0]);
    prompts.forEach((prompt, index) => expect(prompt.slice(0, prompts[index - 1]?.length ?? 0)).toEqual(prompts[index - 1] ?? []));
  });

  test.each(titled(stripping.filter(({ thinking }) => !thinking)))(
    'without thinking differs by the empty thought alone, which stays in every earlier header: %s',
    (_, row) => {
      const renderer = rendererOf('qwen3', false);
      const text = (all: readonly number[]): string => renderer.text(Int32Array.from(all));
      const empty = '<think>\n\n</think>\n\n';
      const ours = played(renderer, row).prompts.map(text);
      // The template writes it into the newest header only.
      const theirs = promptsOf(row).map(text);
      expect(ours.map((prompt) => prompt.replaceAll(empty, ''))).toEqual(theirs.map((prompt) => prompt.replaceAll(empty, '')));
      expect(ours.map((prompt) => prompt.split(empty).length - 1)).toEqual(ours.map((_each, index) => index + 1));
      expect(theirs.map((prompt) => prompt.split(empty).length - 1)).toEqual(ours.map(() => 1));
    },
  );

  test.each(titled(stripping.filter(({ thinking }) => thinking)))(
    'with thinking differs by the thoughts before the newest request alone, which stay: %s',
    (_, row) => {
      const renderer = rendererOf('qwen3', true);
      const text = (all: readonly number[]): string => renderer.text(Int32Array.from(all));
      const { turns } = chatOf(row);
      const ours = played(renderer, row).prompts.map(text);
      const theirs = promptsOf(row).map(text);
      const before = turns.flatMap((turn, index) => (turn.role === 'agent' ? [index] : []));
      ours.forEach((prompt, index) => {
        const past = turns.slice(0, before[index]);
        const request = past.findLastIndex((turn) => turn.role === 'user');
        expect(stripped(prompt, past, request)).toBe(theirs[index]);
      });
    },
  );

  /** The thought of every agent turn up to the `request`-th turn taken out, and, after it, the block of each that thought nothing: what the template does. */
  function stripped(prompt: string, past: readonly Turn[], request: number): string {
    const agents = past.flatMap((turn, index) => (turn.role === 'agent' ? [{ turn, old: index < request }] : []));
    let at = 0;
    return prompt.replace(/<think>\n([\s\S]*?)\n<\/think>\n\n/g, (block, thought: string) => {
      const { turn, old } = agents[at++] as (typeof agents)[number];
      expect(thought).toBe(turn.thought);
      return old || turn.thought === '' ? '' : block;
    });
  }
});

describe('a template that cannot be appended to', () => {
  test.each(titled(forgetful))('is opened anew at every turn, as transformers renders it then: %s', (_, row) => {
    const renderer = rendererOf('forgetful', false);
    expect(renderer.appends).toBe(false);
    expect(renderer.extend([{ role: 'user', text: 'more' }], true)).toBeNull();
    const { task, turns } = chatOf(row);
    const cuts = turns.flatMap((turn, index) => (turn.role === 'agent' ? [index] : []));
    const prompts = cuts.map((cut) =>
      cut === 0
        ? renderer.open(task)
        : renderer.reopen(
            task,
            turns.slice(0, cut).map((turn) => (turn.role === 'agent' ? sayable(turn, row) : turn)),
          ),
    );
    expect(prompts.map((prompt) => [...prompt])).toEqual(promptsOf(row));
  });
});
