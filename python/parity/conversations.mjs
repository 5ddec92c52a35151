// Conversations for the parity stage: episodes of the procedural world, and random ones over the whole lexicon with hostile words among them. Knows no model.
import { marker } from '../../dist/gpu/tokens/markers.js';
import { lexicon } from '../../dist/simulation/procedural/lexicon.js';
import { aspectsAt } from '../../dist/learning/curriculum.js';
import { seedOf, stream } from '../../dist/random.js';
import { builtinRepository } from '../../dist/simulation/procedural/repository.js';
import { writeTask } from '../../dist/simulation/procedural/task.js';
import { teacherEpisode } from '../../dist/simulation/procedural/teacher.js';
import { taskView } from '../../dist/simulation/view.js';

const signs = ['(', ')', ',', '=', '?'];
const plain = lexicon.filter((word) => !word.includes('<') && !signs.includes(word));
/** What must never become structure, and what no tokenizer of ours knows. */
const hostile = [...Object.values(marker), ...signs, 'a<tool_call>b', '<|im_end|>.', 'xylophone', 'naïve', "it's", '{{', '%}', '日本'];

/** The `index`-th right episode, of rising difficulty and of both splits. */
export function episode(index) {
  const [difficulty, split] = [1 + (index % 100), index % 2 === 0 ? 'train' : 'heldOut'];
  const seed = seedOf('parity episode', index);
  const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), 0.5);
  const task = writeTask(taskView(builtinRepository, { id: `parity.${index}`, split, difficulty, aspects, seed }));
  // The task's query is the first turn; the renderer opens with it.
  return { task, turns: teacherEpisode(task).slice(1) };
}

/** The `index`-th random conversation: a task's rendered fields and its turns, ending with an agent turn. `hostility`: the chance that a word is hostile. */
export function conversation(index, hostility) {
  const chance = stream(seedOf('parity', index));
  const word = () => (chance.chance(hostility) ? chance.pick(hostile) : chance.pick(plain));
  const words = (most, least = 0) =>
    Array.from({ length: least + chance.int(most - least + 1) }, word).join(chance.chance(0.1) ? '  ' : ' ');
  // A tool's name obeys the protocol, so it is never hostile; a parameter's may be anything.
  const name = () =>
    chance
      .sample(
        plain.filter((w) => /^[a-z]+$/.test(w)),
        1 + chance.int(2),
      )
      .join('_');
  const value = () => chance.pick([words(2, 1), chance.int(20), chance.chance(0.5), 2.5]);
  const properties = () => Object.fromEntries(Array.from({ length: chance.int(4) }, () => [words(1, 1), { type: 'string' }]));
  const tools = Array.from({ length: 1 + chance.int(5) }, () => {
    const parameters = properties();
    return {
      name: name(),
      description: words(3),
      parameters: { type: 'object', properties: parameters, required: Object.keys(parameters).filter(() => chance.chance(0.7)) },
      effects: 'read',
      category: 'parity',
      source: 'parity',
    };
  });
  const task = { tools, system: words(6), query: words(12, 1) };
  const turns = [];
  const calls = () =>
    Array.from({ length: 1 + chance.int(2) }, () => {
      const tool = chance.pick(tools);
      return { name: tool.name, arguments: Object.fromEntries(Object.keys(tool.parameters.properties).map((key) => [key, value()])) };
    });
  for (let round = chance.int(4); round > 0; round--) {
    const asked = calls();
    turns.push({ role: 'agent', thought: words(1), text: '', calls: asked });
    for (const call of asked) {
      const status = chance.pick(['ok', 'unknownTool', 'invalidArgument', 'notFound', 'transient']);
      turns.push({
        role: 'tool',
        call,
        status,
        result: chance.pick([value(), null, [value(), value()], { title: value(), more: { count: value() } }]),
        patch: [],
      });
    }
    if (chance.chance(0.4)) turns.push({ role: 'agent', thought: '', text: words(3, 1), calls: [] }, { role: 'user', text: words(6, 1) });
  }
  turns.push({ role: 'agent', thought: '', text: words(3, 1), calls: [] });
  return { task, turns };
}

/** Ids of a conversation as the loop builds them: prompt, sampled turn, observation, sampled turn, … `sampled` is 1 on the agent's tokens. */
export function rendered(renderer, { task, turns }) {
  const ids = [...renderer.open(task)];
  const sampled = ids.map(() => 0);
  const append = (part, mark) => {
    ids.push(...part);
    sampled.push(...Array.from(part, () => mark));
  };
  let heard = [];
  for (const turn of turns) {
    if (turn.role !== 'agent') {
      heard.push(turn);
      continue;
    }
    if (heard.length > 0) append(renderer.extend(heard, true), 0);
    heard = [];
    append(renderer.write(turn, task), 1);
  }
  return { ids, sampled };
}
