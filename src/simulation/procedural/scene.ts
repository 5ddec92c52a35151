/** The world a task starts from, grown call by call so that the solution works in it, with records that only a careless call would find. Knows rules and records; no words. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { World } from '../../protocol/world.ts';
import type { Stream } from '../../random.ts';
import { applyPatch } from '../state.ts';
import type { Offer, Slot } from './offer.ts';
import { type Rule, act, rulesCollection } from './tool.ts';
import type { Values } from './values.ts';

export class Scene {
  readonly #draws: Stream;
  readonly #values: Values;
  readonly #rules = new Map<string, Rule>();
  /** collection → id → record, before the first call. */
  readonly #records: Record<string, Record<string, JsonObject>> = {};
  /** The calls rehearsed so far, in order. */
  readonly #calls: ToolCall[] = [];
  #made = 0;

  constructor(draws: Stream, values: Values, offers: readonly Offer[]) {
    this.#draws = draws;
    this.#values = values;
    for (const { spec, deed, gives, slots } of offers) {
      const keys = slots.filter(({ required }) => required).slice(0, deed === 'change' ? 1 : undefined);
      this.#rules.set(spec.name, {
        deed,
        collection: spec.category,
        keys: keys.map(({ term }) => term.word),
        gives: gives.word,
        domain: gives.domain,
        busy: 0,
        salt: draws.int(4294967296),
      });
    }
  }

  /** Makes a tool fail once with a transient error. */
  tire(name: string): void {
    this.#rules.set(name, { ...this.#rule(name), busy: 1 });
  }

  /** The result of the next call of the solution; records it needs are added. `absent`: nothing is added, so that it finds nothing. Undefined when it finds nothing. */
  call(offer: Offer, call: ToolCall, absent: boolean): JsonValue | undefined {
    const rule = this.#rule(call.name);
    const before = this.#after();
    let done = act(rule, call, before);
    if (done === undefined && !absent) {
      this.#provide(rule, offer, call);
      done = act(rule, call, this.#after());
    }
    this.#calls.push(call);
    return done?.result;
  }

  /** The world before the first call. */
  world(): World {
    return {
      entities: { [rulesCollection]: Object.fromEntries(this.#rules) as unknown as Record<string, JsonObject>, ...this.#records },
      occurrences: {},
    };
  }

  #rule(name: string): Rule {
    return this.#rules.get(name) as Rule;
  }

  #after(): World {
    return this.#calls.reduce((world, call) => applyPatch(world, act(this.#rule(call.name), call, world)?.patch ?? []), this.world());
  }

  #provide(rule: Rule, offer: Offer, { arguments: args }: ToolCall): void {
    const fields = rule.deed === 'find' ? Object.keys(args) : rule.keys;
    const record: JsonObject = Object.fromEntries(fields.map((field) => [field, args[field] as JsonValue]));
    record[rule.gives] ??= this.#values.draw(rule.domain);
    if (this.#draws.chance(0.5)) this.#decoy(rule, offer, record, fields);
    this.#put(rule.collection, record);
  }

  /** Before the record that is wanted stands one that differs in a single field, an optional one where there is one: found by whoever leaves that argument out. */
  #decoy(rule: Rule, { slots }: Offer, record: JsonObject, fields: readonly string[]): void {
    const differing = slots.filter(({ term, domain }) => fields.includes(term.word) && domain.kind !== 'flag');
    const slot: Slot | undefined = differing.find(({ required }) => !required) ?? differing[0];
    if (slot === undefined) return;
    const other = this.#values.draw(slot.domain);
    if (other === record[slot.term.word]) return;
    const decoy = { ...record, [slot.term.word]: other };
    if (rule.gives !== slot.term.word) decoy[rule.gives] = this.#values.draw(rule.domain);
    this.#put(rule.collection, decoy);
  }

  #put(collection: string, record: JsonObject): void {
    this.#made++;
    (this.#records[collection] ??= {})[`r${this.#made}`] = record;
  }
}
