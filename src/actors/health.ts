/** Counts how the roles that a language model plays answered, question by question, until the group (or the step's task writing) is over. It judges nothing: whoever asks tells it. */
import { addAudits, emptyTally } from '../learning/health.ts';
import type { Audit, Defect, SimulatorHealth, Tally } from '../protocol/health.ts';
import type { CallId } from '../protocol/ids.ts';
import type { ChatReply } from '../protocol/inference.ts';
import { SimulatorRole } from '../protocol/outcome.ts';

/** Who asks whom. */
export interface Asking {
  readonly role: SimulatorRole;
  /** Of tools: which; one of the task's. */
  readonly tool?: string;
  /** Who waits for the answer: a member, a task to be written. One question at a time. */
  readonly seat: string;
}

type Counts = { -readonly [Key in keyof Tally]: Tally[Key] };

const fresh = (): Counts => ({ ...emptyTally, defects: {} });

export class HealthCount {
  readonly #lm: ReadonlySet<SimulatorRole>;
  readonly #roles = new Map<SimulatorRole, Counts>();
  readonly #tools = new Map<string, Counts>();
  /** Seat → the question it waits for an answer to. */
  readonly #open = new Map<string, Asking>();
  /** Answered prompts: an episode that runs again asks the same, and is answered from the journal. */
  readonly #answered = new Set<CallId>();
  /** Members that ask the same at the same time share one prompt, and its failure. */
  readonly #failures = new WeakSet<object>();
  #audit: Audit | undefined;
  #votes: NonNullable<SimulatorHealth['votes']> | undefined;

  /** `roles`: those that a language model plays; the others are not counted. */
  constructor(roles: readonly SimulatorRole[] = SimulatorRole.options) {
    this.#lm = new Set(roles);
    // Said even where nothing was asked: nobody should wonder who played.
    for (const role of roles) this.#roles.set(role, fresh());
  }

  /** A question is put for the first time. */
  asked(asking: Asking): void {
    this.#open.set(asking.seat, asking);
    this.#count(asking, (tally) => tally.asks++);
  }

  /** It cost no prompt. */
  spared(asking: Asking): void {
    this.#count(asking, (tally) => tally.spared++);
  }

  /** A prompt was answered, rightly or not. False: it was counted before. */
  called(asking: Asking, { id, usage }: Pick<ChatReply, 'id' | 'usage'>): boolean {
    if (this.#answered.has(id)) return false;
    this.#answered.add(id);
    this.#count(asking, (tally) => {
      tally.calls++;
      tally.promptTokens += usage?.prompt ?? 0;
      tally.replyTokens += usage?.reply ?? 0;
    });
    return true;
  }

  /** A prompt was not answered. False: it was counted before. */
  failed(asking: Asking, fault: Error): boolean {
    if (this.#failures.has(fault)) return false;
    this.#failures.add(fault);
    this.#count(asking, (tally) => tally.calls++);
    return true;
  }

  /** An answer, or its absence, was not taken. */
  refused(asking: Asking, defect: Defect): void {
    this.#count(asking, (tally) => {
      tally.defects[defect] = (tally.defects[defect] ?? 0) + 1;
    });
  }

  /** The question is answered; `repaired`: not at the first attempt. */
  settled(asking: Asking, repaired: boolean): void {
    this.#open.delete(asking.seat);
    if (repaired) this.#count(asking, (tally) => tally.repaired++);
  }

  /** An answer that was taken has turned out wrong, and the question stands again. `repaired`: it was not the first attempt. */
  retracted(asking: Asking, defect: Defect, repaired: boolean): void {
    this.#open.set(asking.seat, asking);
    this.refused(asking, defect);
    if (repaired) this.#count(asking, (tally) => tally.repaired--);
  }

  /** The seat is lost to the question it waits for, or to a question of `role` where it waits for none. */
  mask(seat: string, role?: SimulatorRole): void {
    const asking = this.#open.get(seat) ?? (role === undefined ? undefined : { role, seat });
    this.#open.delete(seat);
    if (asking !== undefined) this.#count(asking, (tally) => tally.masked++);
  }

  /** The seat begins anew: what it waited for is no loss. */
  reopen(seat: string): void {
    this.#open.delete(seat);
  }

  audited(audit: Audit): void {
    this.#audit = this.#audit === undefined ? audit : addAudits([this.#audit, audit]);
  }

  /** One question of the judge was decided by votes. */
  voted(cast: number, disputed: number): void {
    if (cast === 0) return;
    this.#votes = { cast: (this.#votes?.cast ?? 0) + cast, disputed: (this.#votes?.disputed ?? 0) + disputed };
  }

  get health(): SimulatorHealth {
    const roles: SimulatorHealth['roles'] = {};
    for (const role of SimulatorRole.options) {
      const tally = this.#roles.get(role);
      if (tally !== undefined) roles[role] = copy(tally);
    }
    const tools = Object.fromEntries([...this.#tools].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([tool, tally]) => [tool, copy(tally)]));
    return {
      roles,
      tools,
      ...(this.#audit === undefined ? {} : { audit: this.#audit }),
      ...(this.#votes === undefined ? {} : { votes: this.#votes }),
    };
  }

  #count({ role, tool }: Asking, change: (tally: Counts) => void): void {
    if (!this.#lm.has(role)) return;
    change(tallyAt(this.#roles, role));
    if (tool !== undefined) change(tallyAt(this.#tools, tool));
  }
}

const copy = (tally: Counts): Tally => ({ ...tally, defects: { ...tally.defects } });

function tallyAt<Key>(tallies: Map<Key, Counts>, key: Key): Counts {
  let tally = tallies.get(key);
  if (tally === undefined) tallies.set(key, (tally = fresh()));
  return tally;
}
