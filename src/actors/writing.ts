/**
 * Has one task written, drawing anew what cannot be: fresh tools and a fresh prompt where nobody could write a sound task, where it names what is held out, or asks what was asked before.
 * Knows how often that may happen; not how a task is written, nor what makes it sound.
 */
import type { Config } from '../config.ts';
import { faultFrom, TaskFault } from '../errors.ts';
import type { Defect } from '../protocol/health.ts';
import type { Fault } from '../protocol/fault.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import { type PolicyVersion, type RunId, stepId, type TaskId } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import { type Seed, seedOf, stream } from '../random.ts';
import type { Simulators, TaskView } from '../simulation/contract.ts';
import { nameIn } from '../simulation/lm/hygiene.ts';
import type { Sayings } from '../simulation/lm/similarity.ts';
import { disguise } from '../simulation/procedural/disguise.ts';
import { type Repository, type Split, subset } from '../tools/repository.ts';
import type { Clock } from './clock.ts';
import type { HealthCount } from './health.ts';
import { jobOf } from './job.ts';
import type { GroupPorts } from './ports.ts';
import { tryTask } from './task.ts';

export interface WritingPorts {
  readonly simulators: Simulators;
  readonly repository: Repository;
  /** The language model, where one writes the tasks. */
  readonly chat?: GroupPorts['chat'];
  /** Shows tools under drawn names before they are written about: where a language model writes, and the tools are ours. */
  readonly disguised?: boolean;
  readonly clock: Clock;
  /** Counts how tasks are written, where a language model writes. */
  readonly health?: HealthCount;
  /** What the users of this run have asked for, where no two tasks may ask nearly the same. */
  readonly said?: Sayings;
  record(events: RecordedEvent[]): void;
}

/** The task that is wanted. */
export interface Wish {
  readonly id: TaskId;
  readonly split: Split;
  readonly difficulty: number;
  readonly aspects: Task['aspects'];
  /** Of the run, or of its examinations. */
  readonly seed: Seed;
  readonly version: PolicyVersion;
}

export interface Written {
  readonly task: Task;
  /** How often it was drawn anew. */
  readonly redraw: number;
}

/** A sound task, or why a language model could not write it, the reasons counted. Throws the fault of an engine that nobody can ask, and of code that cannot write. */
export const tryWish = (config: Config, ports: WritingPorts, wish: Wish, signal: AbortSignal): Promise<Written | TaskFault> =>
  draw(config, ports, wish, 0, signal);

/** A sound task. Throws TaskFault when none came of it. */
export async function writeWish(config: Config, ports: WritingPorts, wish: Wish, signal: AbortSignal): Promise<Written> {
  const written = await tryWish(config, ports, wish, signal);
  if (written instanceof TaskFault) throw written;
  return written;
}

/**
 * The task, or the first redraw of it that asks for something else than all before. Where none does, the task itself after all, so that a small list of tools cannot end a run;
 * it is counted each time.
 */
export async function unlike(config: Config, ports: WritingPorts, wish: Wish, first: Written, signal: AbortSignal): Promise<Task> {
  const isLike = ({ task }: Written): boolean => (ports.said?.distance(task.query) ?? 1) < config.simulation.duplicates;
  let written: Written | TaskFault = first;
  while (isLike(written)) {
    retract(ports, wish, 'duplicate');
    if (written.redraw >= config.simulation.redraws) return first.task;
    written = await draw(config, ports, wish, written.redraw + 1, signal);
    if (written instanceof TaskFault) return first.task;
  }
  return written.task;
}

/** What code writes is drawn once; a language model's task anew up to `simulation.redraws` times. */
async function draw(config: Config, ports: WritingPorts, wish: Wish, from: number, signal: AbortSignal): Promise<Written | TaskFault> {
  const last = ports.chat === undefined ? 0 : config.simulation.redraws;
  const reasons = new Map<string, number>();
  for (let redraw = from; redraw <= last; redraw++) {
    const { task, fault } = await attempt(config, ports, wish, redraw, signal);
    if (task === null && (last === 0 || !isWriters(fault))) throw faultFrom(fault);
    const foreign = task === null ? undefined : foreignName(task, ports.repository);
    if (task !== null && foreign === undefined) return { task, redraw };
    if (task !== null) retract(ports, wish, 'leak');
    const reason = task === null ? fault.message.slice(0, 200) : `it names the tool ${foreign} of the other split`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const counted = [...reasons].toSorted(([, a], [, b]) => b - a).map(([reason, times]) => `${times} × ${reason}`);
  return new TaskFault(`task ${wish.id} could not be written, ${last - from + 1} sets of tools tried: ${counted.slice(0, 5).join('; ')}`);
}

const retract = ({ health }: WritingPorts, { id }: Wish, defect: Defect): void => {
  health?.refused({ role: 'task', seat: id }, defect);
};

/** One set of tools, and as many prompts as one question may cost. */
function attempt(config: Config, ports: WritingPorts, wish: Wish, redraw: number, signal: AbortSignal) {
  const { rollout, simulation } = config;
  const { simulators, chat, health, clock } = ports;
  const { turnMs, episodeMs } = rollout.deadlines;
  const view = viewOf(ports, wish, redraw);
  return tryTask(
    { view, seed: wish.seed, attempts: rollout.askAttempts, deadlineMs: turnMs, version: wish.version, redraw },
    {
      writer: simulators.task,
      clock,
      record: (events) => ports.record(events),
      ...(chat === undefined ? {} : { chat }),
      ...(health === undefined ? {} : { health }),
      ...(chat === undefined || !simulation.rehearse
        ? {}
        : {
            rehearsal: {
              simulators,
              job: (task) => jobOf(config, 'rehearsal' as RunId, stepId(0), task, wish.version),
              deadlineMs: episodeMs,
            },
          }),
    },
    signal,
  );
}

/** What the writer is given. A task that is drawn anew keeps its difficulty and its aspects, and gets other tools and another seed. */
function viewOf({ repository, disguised }: WritingPorts, { id, split, difficulty, aspects, seed }: Wish, redraw: number): TaskView {
  const own = redraw === 0 ? seedOf(seed, id) : seedOf(seedOf(seed, id), 'redraw', redraw);
  const tools = subset(repository, aspects.tools.value, stream(seedOf(own, 'tools')), split);
  return { id, split, difficulty, aspects, tools: disguised === true ? disguise(tools, split, own) : tools, seed: own };
}

/** Whether another prompt may help: nobody wrote a sound task, or the model said nothing. An engine that is away or refuses does so again. */
const isWriters = ({ kind, trouble }: Fault): boolean =>
  kind === 'TaskFault' || (kind === 'EngineFault' && (trouble === 'stalled' || trouble === 'internal' || trouble === 'malformed'));

/** Names of each repository's tools, by split. */
const names = new WeakMap<Repository, Record<Split, ReadonlySet<string>>>();

/** A tool of the other split that the task's texts name (rule L12). */
function foreignName({ split, system, persona, intent }: Task, repository: Repository): string | undefined {
  let known = names.get(repository);
  if (known === undefined) {
    const of = (side: Split): Set<string> => new Set([...repository.categories[side].values()].flat().map(({ name }) => name));
    names.set(repository, (known = { train: of('train'), heldOut: of('heldOut') }));
  }
  const texts = [system, persona, intent.summary, ...intent.requests, ...Object.values(intent.facts)].join(' ');
  return nameIn(texts, known[split === 'train' ? 'heldOut' : 'train']);
}
