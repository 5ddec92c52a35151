/** The procedural task writer: draws a task at a difficulty and proves it solvable before it is used. Samples no aspects (curriculum) and no tools (tools/). */
import type { JsonValue } from '../../protocol/json.ts';
import { type Branch, CriterionName, type Intent, type Task } from '../../protocol/task.ts';
import { seedOf, stream } from '../../random.ts';
import { TaskFault } from '../../errors.ts';
import type { TaskView, TaskWriter } from '../contract.ts';
import { pointer, slots, speech, systemPrompts } from './lexicon.ts';
import { type Offer, type Slot, naming, offersOf, spareOffer } from './offer.ts';
import { rehearse } from './oracle.ts';
import { ownOffers, strangeWish } from './own-offer.ts';
import { personasAt } from './personas.ts';
import { type PlannedCall, type WorldMix, chooseTools, defaultMix, drawBranch, plainBelow, planCalls } from './plan.ts';
import { Scene } from './scene.ts';
import { kindOf } from './families.ts';
import { Values, inWords } from './values.ts';
import { type Voice, sayQuestion, sayTerm, sayWishes, synonymShare } from './wording.ts';
import { solutionOf } from './solution.ts';

/** Agent turns beyond the shortest solution before the episode is cut. */
const spareTurns = 3;

export const proceduralTaskWriter = (mix: WorldMix = defaultMix): TaskWriter => ({
  role: 'task',
  pose: (view, complaints) => ({ kind: 'reply', reply: draft(view, mix, complaints.length) as unknown as JsonValue }),
  read: (reply) => {
    const task = reply as unknown as Task;
    const proof = rehearse(task);
    return proof.solved ? { ok: true, answer: task } : { ok: false, complaint: `not solvable: ${proof.why}` };
  },
});

/** A proven task at once, for callers without an `ask` machine. Throws TaskFault when five drafts fail. */
export function writeTask(view: TaskView, mix: WorldMix = defaultMix): Task {
  const complaints: string[] = [];
  while (complaints.length < 5) {
    const task = draft(view, mix, complaints.length);
    const proof = rehearse(task);
    if (proof.solved) return task;
    complaints.push(proof.why);
  }
  throw new TaskFault(`no solvable task for ${view.id}: ${complaints.join('; ')}`);
}

/** The same view and attempt always give the same task. */
function draft(view: TaskView, mix: WorldMix, attempt: number): Task {
  const { aspects, difficulty, split } = view;
  const draws = stream(seedOf(view.seed, 'task', attempt));
  const hardness = difficulty / 100;
  const plain = difficulty < plainBelow;
  const own = mix.names === 'own';
  const names = naming(draws, split, mix.words);
  const offers = own ? ownOffers(view.tools) : offersOf(view.tools, names, split === 'train' && draws.chance(mix.scramble));
  if (offers.length === 0) throw new TaskFault(`none of the ${view.tools.length} tools of ${view.id} can be expressed`);
  // Under one name for ever, a tool's requests differ by their values alone.
  const values = new Values(draws, own ? Math.max(0.5, 0.6 * hardness) : 0.6 * hardness);
  const persona = draws.pick(personasAt(aspects.persona.value));
  const voice: Voice = { draws, persona, synonyms: synonymShare(aspects.query.value) };
  const scene = new Scene(draws, values, offers, mix.names);
  let branch = drawBranch(view, offers, mix, draws);
  const spare = branch === 'none' ? (own ? strangeWish(view.tools, draws) : spareOffer(names)) : undefined;
  if (branch === 'none' && spare === undefined) branch = 'call';

  const acts = branch === 'call' || branch === 'ask';
  const chosen = acts ? chooseTools(offers, aspects.calls.value, branch, draws) : [];
  // Whoever wants two requests of one call wants the second to be about what it gives.
  const told = own && aspects.turns.value > 1 && chosen.length === 1;
  const absent = branch === 'call' && !plain && !told && draws.chance(mix.absent);
  const { calls, missing } = planCalls(chosen, scene, values, draws, {
    dependent: Math.max(mix.dependent, 0.75 * hardness),
    optional: 0.25 + 0.35 * hardness,
    absent,
    ask: branch === 'ask',
  });
  if (!plain) for (const { offer } of calls) if (draws.chance(mix.transient)) scene.tire(offer.spec.name);

  const facts = notes(
    branch === 'answer' ? 1 + draws.int(1 + Math.floor(3 * hardness)) : !plain && draws.chance(0.2) ? 1 : 0,
    values,
    voice,
  );
  const telling: Told = { branch, calls, turns: aspects.turns.value, spare, facts };
  const { requests, turnOf, answer } = tell(telling, voice);
  const task: Task = {
    id: view.id,
    split,
    difficulty,
    aspects,
    branch,
    tools: own ? [...view.tools] : offers.map(({ spec }) => spec),
    system: [
      ...(systemPrompts[aspects.system.value] ?? []),
      ...facts.flatMap(({ said, value }) => [pointer.note, said, inWords(value)]),
    ].join(' '),
    persona: persona.name,
    intent: { summary: summaryOf(telling), requests, facts: factsOf(calls, missing) },
    query: requests[0] as string,
    expectedCalls: calls.map((call, index) => ({
      name: call.offer.spec.name,
      arguments: call.arguments,
      needs: [...call.needs],
      turn: turnOf(index),
    })),
    ...(answer === undefined ? {} : { expectedAnswer: answer }),
    world: scene.world(),
    criteria: CriterionName.options.slice(0, aspects.criteria.value + 1),
    maxTurns: 1,
    seed: view.seed,
  };
  task.maxTurns = solutionOf(task).agentTurns + spareTurns;
  return task;
}

interface Fact {
  readonly word: string;
  /** As the system prompt says it. */
  readonly said: string;
  readonly value: JsonValue;
}
interface Told {
  readonly branch: Branch;
  readonly calls: readonly PlannedCall[];
  /** User turns wished for. */
  readonly turns: number;
  readonly spare: Pick<Offer, 'topic' | 'slots'> | undefined;
  readonly facts: readonly Fact[];
}

/** Facts for the system prompt: what an agent may answer from. */
function notes(count: number, values: Values, { draws }: Voice): Fact[] {
  const nameable = draws.sample(noteSlots, count);
  return nameable.map(({ word }) => ({ word, said: word, value: values.draw({ kind: kindOf(word) }) }));
}
const noteSlots = slots.filter(({ word }) => kindOf(word) === 'thing' || kindOf(word) === 'person');

/** What the user says, in order, and which request each call belongs to. */
function tell(
  { branch, calls, turns, spare, facts }: Told,
  voice: Voice,
): { requests: string[]; turnOf: (call: number) => number; answer?: string } {
  const first = (): number => 0;
  switch (branch) {
    case 'none': {
      const { topic, slots: wanted } = spare as Pick<Offer, 'topic' | 'slots'>;
      const values = new Values(voice.draws, 0);
      return {
        requests: [
          sayWishes(voice, [
            { topic, said: wanted.filter(({ required }) => required).map((slot) => ({ slot, value: values.draw(slot.domain) })) },
          ]),
        ],
        turnOf: first,
      };
    }
    case 'answer': {
      const fact = voice.draws.pick(facts);
      const term = slots.find(({ word }) => word === fact.word) as Slot['term'];
      return { requests: [sayQuestion(voice, sayTerm(voice, term))], turnOf: first, answer: inWords(fact.value) };
    }
    case 'ask':
    case 'call': {
      const wishes = calls.map(({ wish }) => wish);
      if (turns < 2 || branch === 'ask') return { requests: [sayWishes(voice, wishes)], turnOf: first };
      if (calls.length > 1) {
        const cut = 1 + voice.draws.int(calls.length - 1);
        return {
          requests: [sayWishes(voice, wishes.slice(0, cut)), sayWishes(voice, wishes.slice(cut))],
          turnOf: (call) => (call < cut ? 0 : 1),
        };
      }
      const result = calls[0]?.result;
      if (result === undefined) return { requests: [sayWishes(voice, wishes)], turnOf: first };
      return { requests: [sayWishes(voice, wishes), sayQuestion(voice, pointer.it)], turnOf: first, answer: inWords(result) };
    }
    default:
      return branch satisfies never;
  }
}

/** What the user can tell when asked; the missing argument before all. */
function factsOf(calls: readonly PlannedCall[], missing: Slot | undefined): Intent['facts'] {
  const facts: Intent['facts'] = {};
  for (const { wish } of calls)
    for (const { slot, value } of wish.said) if (typeof value !== 'object') facts[slot.term.word] ??= inWords(value);
  const word = missing?.term.word;
  if (word !== undefined) facts[word] = inWords(calls[0]?.arguments[word]);
  return facts;
}

const summaryOf = ({ branch, calls, spare }: Told): string =>
  branch === 'answer'
    ? speech.answer
    : branch === 'none'
      ? `${speech.none} ${spare?.topic.word ?? ''}`
      : calls.map(({ offer }) => offer.topic.word).join(` ${pointer.next} `);
