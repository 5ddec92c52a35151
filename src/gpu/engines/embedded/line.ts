/** A two-way line between blocking threads: messages through a port, a shared counter per listener to sleep on. */
import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import type { Answer, Job, Question, Result } from './work.ts';

export type LineMessage =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** Instead of an answer: give the job up. */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'fault'; readonly message: string }
  | { readonly kind: 'close' };

/** Longer than any job: a thread silent for so long has died. */
const SILENCE_MS = 600_000;

export interface Line {
  send(message: LineMessage): void;
  poll(): LineMessage | undefined;
  /** Take the mark, then poll, then wait on the mark: what arrives in between ends the wait. */
  mark(): number;
  wait(mark: number): void;
  /** Blocks until the next message. */
  receive(): LineMessage;
}

export function openLine(port: MessagePort, signals: Int32Array, ends: { readonly mine: number; readonly theirs: number }): Line {
  const mark = (): number => Atomics.load(signals, ends.mine);
  const poll = (): LineMessage | undefined => receiveMessageOnPort(port)?.message as LineMessage | undefined;
  const wait = (seen: number): void => {
    if (Atomics.wait(signals, ends.mine, seen, SILENCE_MS) === 'timed-out') throw new Error('a kernel thread fell silent');
  };
  return {
    send: (message) => {
      port.postMessage(message);
      Atomics.add(signals, ends.theirs, 1);
      Atomics.notify(signals, ends.theirs);
    },
    poll,
    mark,
    wait,
    receive: () => {
      for (;;) {
        const seen = mark();
        const message = poll();
        if (message) return message;
        Atomics.wait(signals, ends.mine, seen);
      }
    },
  };
}
