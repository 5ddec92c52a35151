/** The worker's entry: one call of the default export is one group. A failure that belongs to no group ends the thread; the pool brings another and the groups run again. */
import { unpack } from '../protocol/codec.ts';
import { castOf, type Cast, type CastSpec } from './cast.ts';
import { runGroup } from './group.ts';
import { hostGroup, type HostTask } from './host.ts';

// Whatever flags this process was started with: a rejection nobody handles is never passed over.
process.on('unhandledRejection', (reason) => {
  throw reason;
});

/** The newest cast; a run has one, or one more where evaluation plays another world. */
const casts = new Map<number, Cast>();

function castFor({ serial, bytes }: HostTask['cast']): Cast {
  const known = casts.get(serial);
  if (known !== undefined) return known;
  const made = castOf(unpack(new Uint8Array(bytes).slice()) as CastSpec);
  casts.set(serial, made);
  return made;
}

export default (task: HostTask): Promise<void> =>
  hostGroup(task, (job, spec, ports, signal) => {
    const { simulators, examiners, renderer } = castFor(spec);
    return runGroup(job, { simulators: job.simulation === undefined ? examiners : simulators, renderer, ...ports }, signal);
  });
