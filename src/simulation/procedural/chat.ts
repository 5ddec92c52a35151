/** Requests and the right reactions to them, one after the other on a sheet. Results are made up: no world stands behind a drill. */
import type { JsonValue } from '../../protocol/json.ts';
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import { pointer, speech } from './lexicon.ts';
import type { Offer, Slot } from './offer.ts';
import { agentHeader, agentWords, heardWords } from './phrase.ts';
import type { Sheet } from './sheet.ts';
import { type Values, inWords } from './values.ts';
import { type Voice, chatter, sayQuestion, sayTerm, sayWishes } from './wording.ts';

export class Chat {
  readonly #sheet: Sheet;
  readonly #voice: Voice;
  readonly #values: Values;
  #last: JsonValue | undefined;
  #lastKind = '';

  constructor(sheet: Sheet, voice: Voice, values: Values) {
    this.#sheet = sheet;
    this.#voice = voice;
    this.#values = values;
  }

  refuse({ topic, slots: wanted }: Offer): void {
    this.#hear({ role: 'user', text: sayWishes(this.#voice, [{ topic, said: this.#literal(wanted.slice(0, 2)) }]) });
    this.#say(speech.none);
  }

  /** About the last result, where there is one. */
  question(): void {
    if (this.#last === undefined) return;
    this.#hear({ role: 'user', text: sayQuestion(this.#voice, pointer.it) });
    this.#say(`${speech.answer} ${inWords(this.#last)}`);
  }

  ask({ topic, slots: wanted, spec }: Offer): void {
    const said = this.#literal(this.#given(wanted));
    const { draws } = this.#voice;
    const required = said.filter(({ slot }) => slot.required);
    if (required.length === 0) return;
    const missing = draws.pick(required);
    this.#hear({ role: 'user', text: sayWishes(this.#voice, [{ topic, said: said.filter((part) => part !== missing) }]) });
    this.#say(`${speech.ask} ${missing.slot.term.word}`);
    const named = draws.chance(0.5) ? [sayTerm(this.#voice, missing.slot.term)] : [];
    this.#hear({ role: 'user', text: [...chatter(this.#voice), ...named, inWords(missing.value)].join(' ') });
    this.#make(
      topic.word,
      spec.name,
      said.map(({ slot, value }) => [slot.term.word, value] as const),
    );
    this.#result(this.#values.draw({ kind: 'thing' }));
    this.#say(speech.done);
  }

  call(offers: readonly Offer[]): void {
    const { draws } = this.#voice;
    const planned: { offer: Offer; args: (readonly [string, JsonValue])[]; result: JsonValue }[] = [];
    const wishes = offers.map((offer) => {
      const said = this.#literal(this.#given(offer.slots));
      const before = planned.at(-1);
      const last = before?.result ?? this.#last;
      const kind = before?.offer.gives.domain.kind ?? this.#lastKind;
      const linked =
        last !== undefined && draws.chance(0.4)
          ? said.find(({ slot }) => slot.domain.kind === kind && (kind === 'thing' || kind === 'person'))
          : undefined;
      const args = said.map((part) => [part.slot.term.word, part === linked && last !== undefined ? last : part.value] as const);
      planned.push({ offer, args, result: this.#values.draw(offer.gives.domain) });
      return {
        topic: offer.topic,
        said: said.map((part) => (part === linked ? { slot: part.slot, value: { pointer: pointer.it } } : part)),
      };
    });
    this.#hear({ role: 'user', text: sayWishes(this.#voice, wishes) });
    for (const { offer, args, result } of planned) {
      this.#make(offer.topic.word, offer.spec.name, args);
      this.#result(result);
      this.#lastKind = offer.gives.domain.kind;
    }
    this.#say(speech.done);
  }

  #given(wanted: readonly Slot[]): readonly Slot[] {
    return wanted.filter(({ required }) => required || this.#voice.draws.chance(0.5));
  }

  #literal(wanted: readonly Slot[]): { slot: Slot; value: JsonValue }[] {
    return wanted.map((slot) => ({ slot, value: this.#values.draw(slot.domain) }));
  }

  #make(thought: string, name: string, args: readonly (readonly [string, JsonValue])[]): void {
    this.#sheet.read(...agentHeader);
    this.#sheet.train(...agentWords({ role: 'agent', thought, text: '', calls: [{ name, arguments: Object.fromEntries(args) }] }));
  }

  #result(result: JsonValue): void {
    this.#last = result;
    this.#lastKind = typeof result === 'string' ? 'thing' : '';
    this.#hear({ role: 'tool', call: { name: '', arguments: {} }, status: 'ok', result, patch: [] });
  }

  #say(text: string): void {
    this.#sheet.read(...agentHeader);
    this.#sheet.train(...agentWords({ role: 'agent', thought: '', text, calls: [] }));
  }

  #hear(turn: Exclude<Turn, AgentTurn>): void {
    this.#sheet.read(...heardWords(turn));
  }
}
