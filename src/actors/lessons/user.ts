/** What the tiny model is shown of playing a user: a conversation up to an agent's turn of any kind, and what the procedural user says to it. */
import type { Task } from '../../protocol/task.ts';
import { seedOf, type Stream } from '../../random.ts';
import type { UserView } from '../../simulation/contract.ts';
import { lmUser } from '../../simulation/lm/user.ts';
import { words } from '../../simulation/lm/words/words.ts';
import { fillers, people, slots, speech, things } from '../../simulation/procedural/lexicon.ts';
import { solutionOf } from '../../simulation/procedural/solution.ts';
import { proceduralUser } from '../../simulation/procedural/user.ts';
import { type Lesson, readers } from './lesson.ts';

const reader = lmUser(words.user, readers);
/** Agent turns of a conversation at most. */
const longest = 4;

/** The conversation breaks off at a random turn; the lesson is what the user says next. */
export function userLesson(task: Task, complaints: readonly string[], draws: Stream): Lesson | undefined {
  const conversation: { role: 'user' | 'agent'; text: string }[] = [{ role: 'user', text: task.query }];
  const turns = 1 + draws.int(longest);
  for (let turn = 1; ; turn++) {
    conversation.push({ role: 'agent', text: agentText(task, conversation, draws) });
    const view: UserView = { persona: task.persona, intent: task.intent, conversation: [...conversation] };
    const posed = proceduralUser.pose(view, [], seedOf(task.seed, 'user lesson', turn));
    const reading = posed.kind === 'reply' ? proceduralUser.read(posed.reply, view) : undefined;
    if (reading?.ok !== true) throw new TypeError('the procedural user answers at once');
    // Most conversations are over soon, and that is easily said.
    if (reading.answer.done && draws.chance(0.5)) return undefined;
    if (turn === turns || reading.answer.done)
      return {
        messages: words.user.prompt(view, complaints),
        reply: words.user.write(reading.answer, view),
        read: (text) => reader.read(text, view),
      };
    conversation.push({ role: 'user', text: reading.answer.text });
  }
}

/** What an agent may say: the right closing, another one, a question, or what no user understands. */
function agentText(task: Task, conversation: UserView['conversation'], draws: Stream): string {
  const at = draws.next();
  const { closings, asks } = solutionOf(task);
  const served = conversation.filter(({ role, text }) => role === 'agent' && !text.startsWith(speech.ask)).length;
  if (at < 0.4) return closings[served] ?? speech.done;
  if (at < 0.7) {
    const known = Object.keys(task.intent.facts);
    const slot = known.length > 0 && draws.chance(0.8) ? draws.pick(known) : draws.pick(slots).word;
    return `${speech.ask} ${draws.chance(0.5) ? (asks ?? slot) : slot}`;
  }
  if (at < 0.8) return draws.pick([speech.done, speech.missing, speech.none, `${speech.answer} ${draws.pick(things)}`]);
  return Array.from({ length: 1 + draws.int(4) }, () => draws.pick(draws.chance(0.5) ? [...things, ...people] : fillers)).join(' ');
}
