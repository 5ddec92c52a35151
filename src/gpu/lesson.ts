/** A teacher's episode as a token sample: the same renderer, trace and mask as a rollout's, so that what is imitated is what is later reinforced. Knows no teacher. */
import { sampleOf, type TokenSample } from '../learning/batch.ts';
import type { GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import type { ChatMessage } from '../protocol/inference.ts';
import { appendPrompt, appendSampled, type TokenTrace } from '../protocol/trace.ts';
import type { ToolTurn, Turn, UserTurn } from '../protocol/turn.ts';
import { marker, roleWord, wordsOf } from './tokens/markers.ts';
import type { Renderer } from './tokens/renderer.ts';
import type { Vocabulary } from './tokens/vocabulary.ts';

const version = 0 as PolicyVersion;
const group = 'lesson' as GroupId;
const nothing: TokenTrace = new Int32Array(0);

/** The prompt, then every turn: the agent's trained, the others read. What follows the last agent turn is left out. `turns` begins after the task's query. Throws RangeError without an agent turn. */
export function lessonOf(task: Task, turns: readonly Turn[], renderer: Renderer): TokenSample {
  let trace = appendPrompt(nothing, renderer.open(task), version);
  let heard: (UserTurn | ToolTurn)[] = [];
  let spoken = false;
  for (const turn of turns) {
    if (turn.role !== 'agent') {
      heard.push(turn);
      continue;
    }
    if (spoken) trace = appendPrompt(trace, continued(renderer, heard), version);
    heard = [];
    const ids = renderer.write(turn, task);
    trace = appendSampled(trace, ids, new Float32Array(ids.length), true, version);
    spoken = true;
  }
  return sampleFrom(trace);
}

function continued(renderer: Renderer, heard: readonly (UserTurn | ToolTurn)[]): Int32Array {
  const ids = renderer.extend(heard, true);
  if (ids === null) throw new RangeError(`a lesson is one trace, and the template ${renderer.name} does not append`);
  return ids;
}

/** A prompt as a server renders it by the tiny template, then the reply, which alone is trained. A test holds it to the template. */
export function replyLessonOf(messages: readonly ChatMessage[], reply: string, vocabulary: Vocabulary): TokenSample {
  const turn = (role: string, text: string): number[] => [
    ...[marker.start, role].map(vocabulary.id),
    ...wordsOf(text).map(vocabulary.foreignId),
    vocabulary.id(marker.end),
  ];
  const [first] = messages;
  const prompt = [
    ...turn(roleWord.system, first?.role === 'system' ? first.content : ''),
    ...messages.flatMap(({ role, content }) => (role === 'system' ? [] : turn(role === 'user' ? roleWord.user : roleWord.agent, content))),
    ...[marker.start, roleWord.agent].map(vocabulary.id),
  ];
  const words = Int32Array.from([...wordsOf(reply), marker.end], vocabulary.id);
  return sampleFrom(
    appendSampled(appendPrompt(nothing, Int32Array.from(prompt), version), words, new Float32Array(words.length), true, version),
  );
}

/** A plain text whose marked tokens are trained: look-up drills. Throws RangeError when nothing is marked. */
export function drillOf(ids: Int32Array, trained: ArrayLike<number | boolean>): TokenSample {
  if (trained.length !== ids.length) throw new RangeError(`${trained.length} marks for ${ids.length} ids`);
  let trace = nothing;
  for (let from = 0, to = 0; from < ids.length; from = to) {
    const marked = Boolean(trained[from]);
    while (to < ids.length && Boolean(trained[to]) === marked) to++;
    const part = ids.subarray(from, to);
    trace = marked ? appendSampled(trace, part, new Float32Array(part.length), false, version) : appendPrompt(trace, part, version);
  }
  return sampleFrom(trace);
}

function sampleFrom(trace: TokenTrace): TokenSample {
  const sample = sampleOf(group, trace, 0);
  if (sample === undefined) throw new RangeError('a lesson without a trained token');
  return sample;
}
