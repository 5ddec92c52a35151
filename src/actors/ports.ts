/** What a group host is asked and given: the job is plain data and may cross a thread, the ports are the world outside. Types only. */
import type { GroupId, PolicyVersion, RunId, StepId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { SimulatorRole } from '../protocol/outcome.ts';
import type { Task } from '../protocol/task.ts';
import type { Renderer } from '../gpu/tokens/renderer.ts';
import type { Seed } from '../random.ts';
import type { Simulators } from '../simulation/contract.ts';
import type { Clock } from './clock.ts';
import type { Anew } from './past.ts';

/** What to do: plain data, so that it can cross a thread. */
export interface GroupJob {
  readonly run: RunId;
  readonly step: StepId;
  readonly group: GroupId;
  readonly task: Task;
  /** Episodes of this task. */
  readonly members: number;
  /** Gmin: with fewer scored members the group is `failed`. */
  readonly minimumScored: number;
  /** The run's seed. */
  readonly seed: Seed;
  /** The version that must answer. */
  readonly version: PolicyVersion;
  readonly sampling: {
    readonly temperature: number;
    /** Tokens one agent turn may sample. */
    readonly maxTokens: number;
    /** Tokens prompt and reply may hold together. */
    readonly contextLength: number;
  };
  /** Milliseconds; a turn is cut by its episode, an episode by its group. */
  readonly deadlines: { readonly turnMs: number; readonly episodeMs: number; readonly groupMs: number };
  /** Runs of one episode when the infrastructure fails: same seed, journaled replies answer. */
  readonly attempts: number;
  /** Prompts to one simulator for one answer, repairs included. */
  readonly askAttempts: number;
  /** How a language model plays; absent where code plays all roles of this group, whatever the cast. */
  readonly simulation?: GroupSimulation;
  /** One member of a group that was, played anew; absent: members are counted from 0, and begin at the beginning. */
  readonly anew?: Anew;
}

/** What a group does about simulators that are language models (config `simulation`). */
export interface GroupSimulation {
  /** The roles a language model plays; absent: all. */
  readonly roles?: readonly SimulatorRole[];
  /** Equal calls on equal state answer equally for all members. */
  readonly shared: boolean;
  /** Reads are answered from what the group knows. */
  readonly cache: boolean;
  readonly toolSeesIntent: boolean;
  /** Share of the tools that fail once, where a language model plays them; absent: none. */
  readonly transient?: number;
  /** Least fidelity of a scored episode. */
  readonly fidelity: number;
  /** Answers to each question of the judge. */
  readonly votes: number;
  readonly scope: 'episode' | 'group';
}

/** What the host needs of the world outside it. */
export interface GroupPorts {
  generate(request: TokenRequest, signal: AbortSignal): Promise<TokenReply>;
  /** Needed only where a simulator is played by a language model. */
  chat?(request: ChatRequest, signal: AbortSignal): Promise<ChatReply>;
  /** Every event every actor received, in order, in chunks. */
  record(events: RecordedEvent[]): void;
  /** Told of each reply that came after its episode had ended; it is dropped. */
  late?(): void;
  readonly simulators: Simulators;
  readonly renderer: Renderer;
  readonly clock: Clock;
}
