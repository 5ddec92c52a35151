/** The world a task starts from, grown call by call so that the solution works in it, with records that only a careless call would find. Knows rules and records; no words. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { World } from '../../protocol/world.ts';
import type { Stream } from '../../random.ts';
import { applyPatch } from '../state.ts';
import type { Offer, Slot } from './offer.ts';
import { ownTool } from './own.ts';
import { type Behaviour, type Done, type Rule, act, lacking, rulesCollection } from './rule.ts';
import type { Values } from './values.ts';

export class Scene {
  readonly #draws: Stream;
  readonly #values: Values;
  readonly #behaviours = new Map<string, Behaviour>();
  /** Whether the rules stand in the world, or follow from the tools. */
  readonly #ruled: boolean;
  /** collection → id → record, before the first call. */
  readonly #records: Record<string, Record<string, JsonObject>> = {};
  /** The calls rehearsed so far, in order. */
  readonly #calls: ToolCall[] = [];
  #made = 0;

  constructor(draws: Stream, values: Values, offers: readonly Offer[], names: 'drawn' | 'own' = 'drawn') {
    this.#draws = draws;
    this.#values = values;
    this.#ruled = names === 'drawn';
    for (const offer of offers) {
      const own = this.#ruled ? undefined : ownTool(offer.spec);
      const behaviour = own?.ok === true ? own.behaviour : { rule: drawnRule(offer, draws) };
      this.#behaviours.set(offer.spec.name, behaviour);
    }
  }

  /** Makes a tool fail once with a transient error. */
  tire(name: string): void {
    const { rule } = this.#behaviour(name);
    if (this.#ruled) this.#behaviours.set(name, { rule: { ...rule, busy: 1 } });
  }

  /** The value that the next call of the solution gives; records it needs are added. `absent`: nothing is added, so that it finds nothing. Undefined when it finds nothing. */
  call(offer: Offer, call: ToolCall, absent: boolean): JsonValue | undefined {
    const behaviour = this.#behaviour(call.name);
    const before = this.#after();
    let done: Done | undefined = act(behaviour, call, before);
    if (done === undefined && !absent) {
      this.#provide(behaviour, offer, call);
      done = act(behaviour, call, this.#after());
    }
    this.#calls.push(call);
    return done?.value;
  }

  /** The world before the first call. */
  world(): World {
    const rules = [...this.#behaviours].map(([name, { rule }]) => [name, rule] as const);
    return {
      entities: {
        ...(this.#ruled ? { [rulesCollection]: Object.fromEntries(rules) as unknown as Record<string, JsonObject> } : {}),
        ...this.#records,
      },
      occurrences: {},
    };
  }

  #behaviour(name: string): Behaviour {
    return this.#behaviours.get(name) as Behaviour;
  }

  #after(): World {
    return this.#calls.reduce((world, call) => applyPatch(world, act(this.#behaviour(call.name), call, world)?.patch ?? []), this.world());
  }

  #provide({ rule, showing }: Behaviour, offer: Offer, { arguments: args }: ToolCall): void {
    const fields = rule.deed === 'find' ? Object.keys(args) : rule.keys;
    const named: JsonObject = Object.fromEntries(fields.map((field) => [field, args[field] as JsonValue]));
    named[rule.gives] ??= this.#values.draw(rule.domain);
    // Whole from the start: whatever a tool of this collection may show of it stands there.
    const others = [...this.#behaviours.values()].filter((other) => other.rule.collection === rule.collection);
    const record = [showing, ...others.map((other) => other.showing)].reduce<JsonObject>(
      (known, each) => (each === undefined ? known : { ...known, ...lacking(each, known, (_, domain) => this.#values.draw(domain)) }),
      named,
    );
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

function drawnRule({ spec, deed, gives, slots }: Offer, draws: Stream): Rule {
  const keys = slots.filter(({ required }) => required).slice(0, deed === 'change' ? 1 : undefined);
  return {
    deed,
    collection: spec.category,
    keys: keys.map(({ term }) => term.word),
    gives: gives.word,
    domain: gives.domain,
    busy: 0,
    salt: draws.int(4294967296),
  };
}
