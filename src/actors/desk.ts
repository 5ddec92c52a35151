/** The coordinator's side of one group's line: hands its calls to the broker and the answers back. It reads neither. */
import type { MessagePort } from 'node:worker_threads';
import { asFault, EngineFault } from '../errors.ts';
import type { Broker } from '../gpu/broker.ts';
import type { Bytes } from '../protocol/codec.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import { openLine, type GuestMessage, type HostMessage } from './port.ts';

export interface DeskPorts {
  readonly broker: Broker;
  recordPacked(frame: Bytes): void;
  started(thread: number): void;
  /** The thread showed that it lives: anything it says is as good as an answer to a ping. */
  heard(): void;
  sealed(envelope: GroupEnvelope, bytes: Bytes): void;
}

export interface AnsweredLine {
  cancel(): void;
  ping(): void;
  /** Keeps what is known about the end of this line's host. */
  note(reason: string): void;
  readonly noted: string | undefined;
  /** Stops listening. Calls in flight go on: the group will ask for them again, and then they are paid for. */
  close(): void;
}

export function answerLine(port: MessagePort, ports: DeskPorts): AnsweredLine {
  const cancels = new Map<number, AbortController>();
  let noted: string | undefined;

  const ask = (message: GuestMessage & { type: 'broker.ask' }): void => {
    const { call } = message;
    const cancel = new AbortController();
    cancels.set(call, cancel);
    ports.broker.ask(message, cancel.signal).then(
      (bytes) => {
        cancels.delete(call);
        line.say({ type: 'call.answered', call, bytes });
      },
      (error: unknown) => {
        cancels.delete(call);
        line.say({ type: 'call.faulted', call, fault: asFault(EngineFault, 'broker', error).toData() });
      },
    );
  };
  const hear = (message: GuestMessage): void => {
    switch (message.type) {
      case 'pool.started':
        return ports.started(message.thread);
      case 'pool.beat':
        return;
      case 'broker.ask':
        return ask(message);
      case 'broker.cancel':
        return cancels.get(message.call)?.abort();
      case 'broker.seal':
        ports.sealed(message.envelope, message.bytes);
        return line.sayNow({ type: 'group.accepted' });
      case 'record.events':
        return ports.recordPacked(message.bytes);
      default:
        return message satisfies never;
    }
  };
  const line = openLine<HostMessage, GuestMessage>(port, hear, () => ports.heard());
  return {
    cancel: () => line.sayNow({ type: 'group.cancel' }),
    ping: () => line.sayNow({ type: 'pool.ping' }),
    note: (reason) => {
      noted = reason;
    },
    get noted() {
      return noted;
    },
    close: () => line.close(),
  };
}
