import { describe, expect, test } from 'vitest';
import { families, heldOutDomains, topicsOf } from '../src/simulation/procedural/families.ts';
import { type Drill, idsOf, lookupDrill, requestsDrill } from '../src/simulation/procedural/drills.ts';
import { lexicon, topics } from '../src/simulation/procedural/lexicon.ts';
import { splitOfName } from '../src/simulation/procedural/names.ts';
import { chainTask, recoveryDrill, teacherEpisode, withCalls } from '../src/simulation/procedural/teacher.ts';
import { viewOf } from './support/arbitraries.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { builtinRepository } from '../src/simulation/procedural/repository.ts';
import { taskView } from '../src/simulation/view.ts';

const drills: readonly (readonly [string, (seed: number) => Drill])[] = [
  ['look-up text', (seed) => lookupDrill(seed, 1 + (seed % 100))],
  ['many requests', (seed) => requestsDrill(seed, 1 + (seed % 100))],
  ['recovery', (seed) => recoveryDrill(viewOf({ seed, difficulty: 1 + (seed % 100) }), seed)],
];

/** `topic parameter …`, parameters sorted: what makes a built-in tool itself. */
const heldOutTools = new Set(
  families
    .filter(({ heldOut }) => heldOut)
    .flatMap(({ tools }) => tools.map(({ topic, parameters }) => [topic, ...parameters.map(({ word }) => word).sort()].join(' '))),
);

describe.each(drills)('%s', (_, draw) => {
  const sheets = Array.from({ length: 300 }, (__, seed) => draw(seed));

  test('is words of the lexicon, at most 512 of them, with a mark for each and at least one trained', () => {
    const known = new Set(lexicon);
    for (const { words, trained } of sheets) {
      expect(words.filter((word) => !known.has(word))).toEqual([]);
      expect(words.length).toBeLessThanOrEqual(512);
      expect(trained).toHaveLength(words.length);
      expect(trained.some(Boolean)).toBe(true);
    }
  });

  test('is the same for the same seed', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('never trains on what users, tools or the template say', () => {
    for (const { words, trained } of sheets) {
      words.forEach((word, at) => {
        const isTurnHead = word === '<|im_start|>' || words[at - 1] === '<|im_start|>';
        if (isTurnHead || word === '<tool>' || word === '<pad>') expect(trained[at]).toBe(false);
      });
    }
  });

  test('shows no held-out tool and no held-out name (L12)', () => {
    for (const { words } of sheets) {
      words.forEach((word, at) => {
        if (word !== '<tool>') return;
        const open = words.indexOf('(', at);
        const parameters = words.slice(open + 1, words.indexOf(')', open)).filter((part) => part !== ',' && part !== '?');
        expect(heldOutTools.has([words[at + 1], ...parameters.sort()].join(' '))).toBe(false);
        expect(splitOfName(words.slice(words.indexOf('<name>', at) + 1, open).join('_'))).toBe('train');
      });
    }
  });
});

test('the glossary knows the words of held-out topics', () => {
  const heldOut = new Set(topicsOf('heldOut').map(({ word }) => word));
  const taught = new Set<string>();
  for (let seed = 0; seed < 800; seed++) {
    const { words, trained } = lookupDrill(seed, 50);
    words.forEach((word, at) => trained[at] === true && heldOut.has(word) && taught.add(word));
  }
  expect(taught.size).toBe(heldOut.size);
});

test('in a recovery the slip is read and what follows it is trained', () => {
  let recovered = 0;
  for (let seed = 0; seed < 100; seed++) {
    const { words, trained } = recoveryDrill(viewOf({ seed, difficulty: 40 }), seed);
    const refused = words.findIndex((word, at) => (word === 'invalid' || word === 'missing') && words[at - 1] === 'tool');
    if (refused < 0) continue;
    recovered++;
    if (words[refused] === 'invalid') expect(trained[words.lastIndexOf('<tool_call>', refused)]).toBe(false);
    expect(trained[words.indexOf('assistant', refused) + 1]).toBe(true);
  }
  expect(recovered).toBeGreaterThan(40);
});

test('chains can be had at any difficulty', () => {
  let dependent = 0;
  for (let seed = 0; seed < 60; seed++) {
    const view = viewOf({ seed, difficulty: 1 + (seed % 50) });
    const calls = seed % 2 === 0 ? 2 : 3;
    const task = chainTask(taskView(builtinRepository, { ...view, aspects: withCalls(view.aspects, calls) }));
    expect(task.branch).toBe('call');
    expect(task.expectedCalls).toHaveLength(calls);
    if (task.expectedCalls.some(({ needs }) => needs.length > 0)) dependent++;
    const said = teacherEpisode(task);
    expect(said[0]).toEqual({ role: 'user', text: task.query });
    expect(said.filter((turn) => turn.role === 'agent' && turn.calls.length > 0).length).toBeGreaterThanOrEqual(calls);
    expect(said.every((turn) => turn.role !== 'agent' || turn.calls.length === 0 || turn.thought !== '')).toBe(true);
  }
  expect(dependent).toBeGreaterThan(20);
});

describe('the lexicon', () => {
  test("has at most 448 words, none twice, markers first, and its places are the vocabulary's ids", () => {
    expect(lexicon.length).toBeLessThanOrEqual(448);
    expect(new Set(lexicon).size).toBe(lexicon.length);
    expect(vocabularyOf(lexicon).words).toEqual(lexicon);
    const drill = lookupDrill(3, 50);
    expect(Array.from(idsOf(drill), (id) => lexicon[id])).toEqual(drill.words);
  });

  test('gives each topic two synonyms, and each word one meaning', () => {
    const said = topics.flatMap(({ word, synonyms }) => [word, ...synonyms]);
    expect(said).toHaveLength(48 * 3);
    expect(new Set(said).size).toBe(said.length);
    expect(topicsOf('heldOut')).toHaveLength(4 * heldOutDomains.size);
  });
});
