/**
 * The worker's side of one group: unpacks the job, gives the group its ports, seals it with the broker, and tells the coordinator at every moment
 * whether this group has the processor. It knows threads and the line; what a group does is `play`.
 */
import { threadId, type MessagePort } from 'node:worker_threads';
import { CancelledFault, faultFrom } from '../errors.ts';
import { pack, unpack, type Bytes } from '../protocol/codec.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { ChatReply, ChatRequest, TokenReply, TokenRequest } from '../protocol/inference.ts';
import { systemClock, type Clock } from './clock.ts';
import { enveloped } from './envelope.ts';
import type { GroupJob } from './group.ts';
import { openLine, type GuestMessage, type HostMessage, type Line } from './port.ts';

/** One task of the pool. */
export interface HostTask {
  /** The packed GroupJob. */
  readonly job: Bytes;
  /** What the cast is made of, packed once and shared by all threads; equal serials mean equal bytes. */
  readonly cast: { readonly serial: number; readonly bytes: SharedArrayBuffer };
  readonly port: MessagePort;
  /** One word: 1 while this group has the processor. The coordinator reads it when the thread has died. */
  readonly running: SharedArrayBuffer;
}

interface HostPorts {
  generate(request: TokenRequest, signal: AbortSignal): Promise<TokenReply>;
  chat(request: ChatRequest, signal: AbortSignal): Promise<ChatReply>;
  record(events: RecordedEvent[]): void;
  readonly clock: Clock;
}

export type Play = (job: GroupJob, cast: HostTask['cast'], ports: HostPorts, signal: AbortSignal) => Promise<RolloutGroup>;

/** The group that has this thread's processor, if any. */
let onProcessor: { readonly word: Int32Array; readonly line: Line<GuestMessage> } | undefined;

/** Resolves when the broker has taken the sealed group. */
export async function hostGroup(task: HostTask, play: Play): Promise<void> {
  const enter = (): void => {
    if (onProcessor === here) return;
    if (onProcessor === undefined) setImmediate(leave);
    else {
      Atomics.store(onProcessor.word, 0, 0);
      // With many groups on a thread one tick can take long: what a group has said need not wait for the others to have their turn.
      onProcessor.line.flush();
    }
    onProcessor = here;
    Atomics.store(here.word, 0, 1);
  };
  const cancel = new AbortController();
  const calls = new Map<number, { answer(bytes: Bytes): void; fail(error: Error): void }>();
  let numbers = 0;
  let accepted = (): void => {};
  const taken = new Promise<void>((resolve) => (accepted = resolve));

  const hear = (message: HostMessage): void => {
    switch (message.type) {
      case 'pool.ping':
        return line.sayNow({ type: 'pool.beat' });
      case 'group.cancel':
        return cancel.abort();
      case 'group.accepted':
        return accepted();
      case 'call.answered':
        return calls.get(message.call)?.answer(message.bytes);
      case 'call.faulted':
        return calls.get(message.call)?.fail(faultFrom(message.fault));
      default:
        return message satisfies never;
    }
  };
  const line = openLine<GuestMessage, HostMessage>(task.port, (message) => {
    enter();
    hear(message);
  });
  const here = { word: new Int32Array(task.running), line };
  line.sayNow({ type: 'pool.started', thread: threadId });

  const ask = (say: (call: number) => void, signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new CancelledFault('the call was cancelled'));
      const call = numbers++;
      const end = (): void => {
        calls.delete(call);
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        end();
        line.say({ type: 'broker.cancel', call });
        reject(new CancelledFault('the call was cancelled'));
      };
      calls.set(call, {
        answer: (bytes) => {
          end();
          resolve(unpack(bytes));
        },
        fail: (error) => {
          end();
          reject(error);
        },
      });
      signal.addEventListener('abort', abort, { once: true });
      say(call);
    });

  const ports: HostPorts = {
    generate: (request, signal) =>
      ask((call) => line.say({ type: 'broker.ask', call, kind: 'tokens', request }), signal) as Promise<TokenReply>,
    chat: (request, signal) => ask((call) => line.say({ type: 'broker.ask', call, kind: 'chat', request }), signal) as Promise<ChatReply>,
    record: (events) => line.say({ type: 'record.events', bytes: pack({ kind: 'events', events }) }),
    clock: {
      now: () => systemClock.now(),
      after: (ms, fire) =>
        systemClock.after(ms, () => {
          enter();
          fire();
        }),
    },
  };

  try {
    enter();
    const group = await play(unpack(task.job) as GroupJob, task.cast, ports, cancel.signal);
    line.say({ type: 'broker.seal', ...enveloped(group) });
    await taken;
  } finally {
    line.close();
  }
}

function leave(): void {
  if (onProcessor !== undefined) Atomics.store(onProcessor.word, 0, 0);
  onProcessor = undefined;
}
