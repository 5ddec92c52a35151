/**
 * The question every simulated role is asked in the same way: prompting, then answered; or unreadable and repairing with the complaint, a bounded number of times; or faulted.
 * A fragment of the charts of user, tool, judge and task writer. It does not know what is asked, nor who answers.
 */
import type { EventObject } from 'xstate';
import type { Fault, FaultKind } from '../protocol/fault.ts';
import type { AskMessage } from '../protocol/messages.ts';

export interface AskContext {
  /** Number of the present question, from 1; 0 before the first. An answer to an earlier one is late. */
  readonly ask: number;
  /** One per unreadable attempt at the present question, oldest first: its length is the number of the present attempt. */
  readonly complaints: readonly string[];
  /** Prompts that one question may cost, repairs included. */
  readonly attempts: number;
  /** Answers that came after they mattered. */
  readonly late: number;
}

/** Where asking failed, the fault to report; set on the way to `faulted`. */
export interface AskFailure {
  readonly fault: Fault | null;
}

type Asked = { context: AskContext; event: EventObject };
type Reply = AskMessage<unknown>;

export const freshAsk = (attempts: number): AskContext & AskFailure => ({ ask: 0, complaints: [], attempts, late: 0, fault: null });

const isCurrent = ({ context, event }: Asked): boolean => {
  const reply = event as Reply;
  return reply.type !== 'deadline.expired' && reply.ask === context.ask && reply.attempt === context.complaints.length;
};

export const askGuards = {
  isCurrent,
  /** Another prompt, with a fresh seed and the complaint in it, is still allowed. */
  mayRepair: (asked: Asked): boolean => isCurrent(asked) && asked.context.complaints.length + 1 < asked.context.attempts,
};

export const nextAsk = ({ context }: { context: AskContext }): Pick<AskContext, 'ask' | 'complaints'> => ({
  ask: context.ask + 1,
  complaints: [],
});

export const complain = ({ context, event }: Asked): Pick<AskContext, 'complaints'> => ({
  complaints: [...context.complaints, (event as Extract<Reply, { type: 'ask.unreadable' }>).complaint],
});

export const countLate = ({ context }: { context: { readonly late: number } }): { late: number } => ({ late: context.late + 1 });

/** What to report when no answer came: the last complaint with its text, the fault itself, or the silence. */
export function blame(kind: FaultKind, who: string, { context, event }: Asked): AskFailure {
  const reply = event as Reply;
  switch (reply.type) {
    case 'ask.unreadable':
      return {
        fault: {
          kind,
          message: `${who}: unreadable after ${context.complaints.length + 1} attempts: ${reply.complaint}`,
          raw: reply.raw.slice(0, 2000),
        },
      };
    case 'ask.fault':
      return { fault: reply.fault };
    case 'deadline.expired':
      return { fault: { kind, message: `${who}: no answer before the ${reply.deadline} deadline` } };
    case 'ask.read':
      return { fault: null };
    default:
      return reply satisfies never;
  }
}

/**
 * The fragment. The chart that holds it names states `answered` and `faulted`, actions `pose` (bound: prompts whoever plays the role), `keepAnswer`, `keepComplaint`, `keepFault`,
 * and guards `isCurrent` and `mayRepair`. One turn deadline covers the question with all its repairs.
 */
export const asking = {
  initial: 'prompting',
  states: {
    prompting: { entry: 'pose', meta: { deadline: 'turn' } },
    repairing: { entry: 'pose', meta: { deadline: 'turn' } },
  },
  on: {
    'ask.read': { guard: 'isCurrent', target: 'answered', actions: 'keepAnswer' },
    'ask.unreadable': [
      { guard: 'mayRepair', target: '.repairing', actions: 'keepComplaint' },
      { guard: 'isCurrent', target: 'faulted', actions: 'keepFault' },
    ],
    'ask.fault': { guard: 'isCurrent', target: 'faulted', actions: 'keepFault' },
    'deadline.expired': { target: 'faulted', actions: 'keepFault' },
  },
} as const;

/** Beside the states of a chart that asks: what comes when nothing is being asked is counted and dropped. */
export const lateAnswers = { 'ask.*': { actions: 'countLate' }, 'deadline.expired': { actions: 'countLate' } } as const;
