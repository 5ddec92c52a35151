/**
 * An agent's turn as text, for templates of tagged calls and thoughts: `<think>…</think>`, words, `<tool_call>…</tool_call>`. Reads what any policy may say and never throws.
 * Tags are looked for in the text, as the parsers of inference servers do, so a policy that spells one letter by letter is taken at its word too.
 */
import type { ToolSpec } from '../../protocol/tool.ts';
import type { AgentTurn } from '../../protocol/turn.ts';
import type { CallReading } from './call.ts';
import { type CallForm, readTaggedCall, tag, writeTaggedCall } from './tagged-call.ts';

export interface TurnForm {
  readonly calls: CallForm;
  /** Whether a turn begins with a thought in tags; `opened`: the template has already written `<think>`. */
  readonly thought: 'none' | 'tagged' | 'opened';
}

const think = { open: '<think>', close: '</think>' } as const;

/** Words before or between calls are thought, as nobody but the policy hears them; without a call they are text. */
export function readTaggedTurn(said: string, tools: readonly ToolSpec[], { thought }: Pick<TurnForm, 'thought'>): AgentTurn {
  const { thoughts, rest } = apart(said, thought === 'opened');
  const words: string[] = [];
  const readings: CallReading[] = [];
  let end = 0;
  for (const found of rest.matchAll(/<tool_call>([\s\S]*?)(<\/tool_call>|(?=<tool_call>)|$)/g)) {
    words.push(rest.slice(end, found.index));
    end = found.index + found[0].length;
    const reading = readTaggedCall(found[1] as string, tools);
    readings.push(reading.ok ? reading : { ...reading, raw: found[0].trim() });
  }
  words.push(rest.slice(end));
  const spoken = joined(words);
  if (spoken.includes(tag.close)) readings.push({ ok: false, raw: spoken, reason: `${tag.close} without ${tag.open}` });
  const broken = readings.filter((reading): reading is CallReading & { ok: false } => !reading.ok);
  const silent = readings.length > 0;
  return {
    role: 'agent',
    thought: joined(silent ? [...thoughts, spoken] : thoughts),
    text: silent ? '' : spoken,
    calls: readings.flatMap((reading) => (reading.ok ? [reading.call] : [])),
    ...(broken.length === 0
      ? {}
      : { malformed: { raw: broken.map(({ raw }) => raw).join('\n'), reason: broken.map(({ reason }) => reason).join('; ') } }),
  };
}

/** The text a teacher would say, without the stop token. Thought and text are taken trimmed. Throws RangeError for a turn this form has no place for. */
export function writeTaggedTurn({ thought, text, calls }: AgentTurn, form: TurnForm): string {
  if (/<\/?(?:tool_call|think)>/.test(thought + text)) throw new RangeError('a thought or text that holds a tag cannot be written');
  if (calls.length > 0 && text !== '') throw new RangeError(`a turn is calls, or text; this one also says ${JSON.stringify(text)}`);
  const spoken = calls.length > 0 ? calls.map((call) => writeTaggedCall(call, form.calls)).join('\n') : text.trim();
  if (form.thought !== 'none') return `${form.thought === 'opened' ? '' : `${think.open}\n`}${thought.trim()}\n${think.close}\n\n${spoken}`;
  if (thought === '') return spoken;
  if (calls.length === 0) throw new RangeError(`without a place for thoughts, ${JSON.stringify(thought)} would be said aloud`);
  return `${thought.trim()}\n${spoken}`;
}

/** Thoughts and the rest. A thought without its end is all that follows; an end without a beginning closes what came before it. */
function apart(said: string, opened: boolean): { readonly thoughts: readonly string[]; readonly rest: string } {
  const begins = said.indexOf(think.open);
  const ends = said.indexOf(think.close);
  const inside = opened || (ends >= 0 && (begins < 0 || begins > ends));
  const text = inside ? think.open + said : said;
  const thoughts: string[] = [];
  const rest = text.replace(/<think>([\s\S]*?)(?:<\/think>|$)/g, (_, thought: string) => {
    thoughts.push(thought.replaceAll(think.open, ''));
    return '';
  });
  return { thoughts, rest: rest.replaceAll(think.close, '') };
}

const joined = (parts: readonly string[]): string =>
  parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n\n');
