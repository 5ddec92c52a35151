/**
 * Gathers the members of a group that have come to the judge, and asks about all of them at once; whoever cannot be judged so is judged alone. Knows no criterion.
 * A member that ends early, or hangs, holds up nobody: the others are asked when all who are still at work have come, or when the patience of the first is at its end.
 */
import type { AskMessage } from '../protocol/messages.ts';
import type { Verdict } from '../protocol/outcome.ts';
import { seedOf, stream } from '../random.ts';
import type { JudgeView, PanelSimulator, PanelView } from '../simulation/contract.ts';
import { pose, type Question } from './ask.ts';
import { chatOf, type GroupStage, type Stage } from './stage.ts';

export interface Seat {
  readonly stage: Stage;
  readonly question: Question<JudgeView, Verdict>;
  /** The same question, for this member only. */
  alone(question: Question<JudgeView, Verdict>): void;
  deliver(message: AskMessage<Verdict>): void;
}

/** Share of its time that a member waits for others, and that all together wait for an answer: what is left is for asking alone. */
const patience = 0.25;

interface Waiting extends Seat {
  readonly dueAt: number;
}

class Panel {
  readonly #group: GroupStage;
  readonly #simulator: PanelSimulator;
  #waiting: Waiting[] = [];
  /** Members whose verdict is being made. */
  #asked = 0;
  #sittings = 0;
  #disarm: (() => void) | undefined;

  constructor(group: GroupStage, simulator: PanelSimulator) {
    this.#group = group;
    this.#simulator = simulator;
  }

  sit(seat: Seat): void {
    const { clock } = this.#group.ports;
    this.#waiting.push({ ...seat, dueAt: clock.now() + seat.question.deadlineMs });
    if (this.#waiting.length === 1) this.#disarm = clock.after(seat.question.deadlineMs * patience, () => this.#open());
    this.recount();
  }

  /** Are all here who will come? */
  recount(): void {
    const { length } = this.#waiting;
    if (length > 0 && length + this.#asked >= this.#group.running) this.#open();
  }

  #open(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    const seats = this.#waiting.filter(({ stage }) => !stage.ended);
    this.#waiting = [];
    const { job, ports, health, running, abort } = this.#group;
    const now = ports.clock.now();
    const alone = ({ dueAt, question, alone: ask }: Waiting): void => ask({ ...question, deadlineMs: Math.max(1, dueAt - now) });
    if (seats.length < 2) return seats.forEach(alone);
    const number = this.#sittings++;
    const inOrder = seats.toSorted((a, b) => a.stage.member - b.stage.member);
    const seed = seedOf(job.seed, job.group, 'panel', number, ...inOrder.map(({ stage }) => stage.member));
    // Where an episode stands must mean nothing in the mean.
    const shown = stream(seed).shuffle(inOrder);
    const view: PanelView = { views: shown.map(({ question }) => question.view) };
    const left = Math.max(1, Math.min(...shown.map(({ dueAt }) => dueAt)) - now);
    this.#asked += shown.length;
    let isOver = false;
    const end = (message: AskMessage<readonly Verdict[]> | undefined): void => {
      if (isOver) return;
      isOver = true;
      disarm();
      this.#asked -= shown.length;
      if (message?.type !== 'ask.read') {
        const later = ports.clock.now();
        for (const seat of shown) seat.alone({ ...seat.question, deadlineMs: Math.max(1, seat.dueAt - later) });
        return;
      }
      for (const [index, { question, deliver }] of shown.entries()) {
        const answer = message.answer[index];
        const { source } = message;
        if (answer !== undefined)
          deliver({
            type: 'ask.read',
            ask: question.ask,
            attempt: question.complaints.length,
            answer,
            ...(source === undefined ? {} : { source }),
          });
      }
    };
    const disarm = ports.clock.after(left * patience, () => end(undefined));
    pose(
      {
        simulator: this.#simulator,
        view,
        ask: 1,
        complaints: [],
        // It is not repaired: asking alone is the repair.
        attempts: 1,
        asker: { actor: `${job.group}/panel`, episodes: shown.map(({ stage }) => stage.episode) },
        call: { scope: job.group, actor: 'panel', turn: number, sample: 0, version: job.version },
        seed,
        group: job.group,
        priority: running,
        deadlineMs: left * patience,
        clock: ports.clock,
        chat: chatOf({ group: this.#group, abort }),
        ...(health === undefined ? {} : { counted: { health, asking: { role: 'judge', seat: `${job.group} panel ${number}` } } }),
      },
      end,
    );
  }
}

const panels = new WeakMap<GroupStage, Panel>();

/** The panel of a group that is judged side by side; undefined where each is judged alone. */
export function panelOf(group: GroupStage): Pick<Panel, 'sit'> | undefined {
  const simulator = group.ports.simulators.panel;
  if (group.job.simulation?.scope !== 'group' || simulator === undefined) return undefined;
  let panel = panels.get(group);
  if (panel === undefined) panels.set(group, (panel = new Panel(group, simulator)));
  return panel;
}

/** A member has ended. */
export const recount = (group: GroupStage): void => panels.get(group)?.recount();
