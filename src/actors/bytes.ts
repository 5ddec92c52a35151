/** The "force bytes" switch: the same ports, but every message goes through the wire's bytes and back, as it would between threads. What cannot travel fails here, in one thread. */
import { pack, unpack } from '../protocol/codec.ts';
import type { GroupPorts } from './group.ts';

/** A copy by way of bytes; throws WireError for a value that would come back as something else. */
export const throughBytes = <T>(value: T): T => unpack(pack(value, { checked: true })) as T;

export function forceBytes(ports: GroupPorts): GroupPorts {
  const { chat } = ports;
  return {
    ...ports,
    generate: async (request, signal) => throughBytes(await ports.generate(throughBytes(request), signal)),
    ...(chat === undefined ? {} : { chat: async (request, signal) => throughBytes(await chat(throughBytes(request), signal)) }),
    record: (events) => {
      ports.record(throughBytes(events));
    },
  };
}
