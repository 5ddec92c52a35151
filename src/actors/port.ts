/**
 * The line between a group in its worker and the coordinator: which messages may be said, and how they travel (packed once, coalesced per tick, transferred).
 * It knows the wire, not what either side does with a message.
 */
import type { MessagePort } from 'node:worker_threads';
import { pack, unpack, type Bytes } from '../protocol/codec.ts';
import type { Fault } from '../protocol/fault.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import type { ChatRequest, TokenRequest } from '../protocol/inference.ts';

/** From the group's worker. `call` numbers the calls of one port; a reply carries the number of its request. */
export type GuestMessage =
  | { readonly type: 'pool.started'; readonly thread: number }
  | { readonly type: 'pool.beat' }
  | { readonly type: 'broker.ask'; readonly call: number; readonly kind: 'tokens'; readonly request: TokenRequest }
  | { readonly type: 'broker.ask'; readonly call: number; readonly kind: 'chat'; readonly request: ChatRequest }
  | { readonly type: 'broker.cancel'; readonly call: number }
  /** `bytes`: the packed RolloutGroup, forwarded unread. */
  | { readonly type: 'broker.seal'; readonly envelope: GroupEnvelope; readonly bytes: Bytes }
  /** `bytes`: a packed `events` frame, journaled unread. */
  | { readonly type: 'record.events'; readonly bytes: Bytes };

/** To the group's worker. */
export type HostMessage =
  | { readonly type: 'pool.ping' }
  | { readonly type: 'group.cancel' }
  | { readonly type: 'group.accepted' }
  /** `bytes`: the packed TokenReply or ChatReply. */
  | { readonly type: 'call.answered'; readonly call: number; readonly bytes: Bytes }
  | { readonly type: 'call.faulted'; readonly call: number; readonly fault: Fault };

export interface Line<Out> {
  /** Leaves with the other messages of this tick. */
  say(message: Out): void;
  /** Leaves now, with what waits: for words that must get out even if the thread never comes back to its loop. */
  sayNow(message: Out): void;
  /** Lets what waits leave before the tick ends. */
  flush(): void;
  close(): void;
}

/** Messages beyond this many bytes in one tick travel as frames of their own, well below the codec's cap. */
const frameBytes = 1024 * 1024;

/** `hear` gets every message in order; `after` runs once all of a frame's were heard. The caller ends the line. */
export function openLine<Out extends { readonly type: string }, In>(
  port: MessagePort,
  hear: (message: In) => void,
  after: () => void = () => {},
): Line<Out> {
  let waiting: Out[] = [];
  let size = 0;
  let scheduled = false;
  let closed = false;
  const flush = (): void => {
    if (waiting.length === 0 || closed) return;
    const bytes = pack(waiting);
    waiting = [];
    size = 0;
    port.postMessage(bytes, [bytes.buffer]);
  };
  port.on('message', (bytes: Bytes) => {
    for (const message of unpack(bytes) as In[]) if (!closed) hear(message);
    after();
  });
  return {
    say: (message) => {
      if (closed) return;
      const heavy = 'bytes' in message ? (message.bytes as Bytes).length : 0;
      if (size + heavy > frameBytes) flush();
      waiting.push(message);
      size += heavy;
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        flush();
      });
    },
    sayNow: (message) => {
      waiting.push(message);
      flush();
    },
    flush,
    close: () => {
      flush();
      closed = true;
      port.close();
    },
  };
}
