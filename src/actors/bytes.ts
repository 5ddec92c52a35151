/** The "force bytes" switch: the same ports, but every message goes through the wire's bytes and back, as it would between threads. What cannot travel fails here, in one thread. */
import { pack, unpack } from '../protocol/codec.ts';
import type { GroupPorts } from './ports.ts';

/** A copy by way of bytes; throws WireError for a value that would come back as something else. */
export const throughBytes = <T>(value: T): T => unpack(pack(value, { checked: true })) as T;

const overBytes =
  <Request, Reply>(ask: (request: Request, signal: AbortSignal) => Promise<Reply>) =>
  async (request: Request, signal: AbortSignal): Promise<Reply> =>
    throughBytes(await ask(throughBytes(request), signal));

export function forceBytes(ports: GroupPorts): GroupPorts {
  return {
    ...ports,
    generate: overBytes(ports.generate.bind(ports)),
    ...(ports.chat === undefined ? {} : { chat: overBytes(ports.chat.bind(ports)) }),
    record: (events) => {
      ports.record(throughBytes(events));
    },
  };
}
