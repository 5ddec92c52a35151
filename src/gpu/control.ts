/**
 * Call-and-return control of a long-lived service in a thread of its own: comlink, and the ends it lacks. Knows no verbs.
 * comlink never settles when the other side dies and loses an Error's class on the way; so every call here has a deadline, is rejected when the thread
 * ends, and faults travel as data. A service that misses a deadline is terminated: it is stuck in a loop that no message reaches.
 */
import { parentPort, Worker } from 'node:worker_threads';
import { expose, type Remote, transfer, wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { asFault, EngineFault, type FaultData, faultFrom, TrainerFault } from '../errors.ts';
import type { Clock } from './clock.ts';

type ServiceFault = typeof EngineFault | typeof TrainerFault;

/** What a service can do, by name. Arguments and results are plain data and typed arrays. */
export type Verbs = { readonly [name: string]: (...args: never[]) => unknown };

type Answer = { readonly ok: unknown } | { readonly fault: FaultData };
/** The one function that crosses: comlink proxies neither verbs nor results. */
type Invoke = (verb: string, args: readonly unknown[]) => Answer | Promise<Answer>;

export interface Service<V extends Verbs> {
  /** Rejects with the service's fault class. `buffers` are moved, not copied: the caller must not use them again. */
  call<K extends keyof V & string>(
    verb: K,
    deadlineMs: number,
    args: Parameters<V[K]>,
    buffers?: readonly ArrayBuffer[],
  ): Promise<Awaited<ReturnType<V[K]>>>;
  /** Ends the thread; whatever is pending rejects. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** For messages: `the embedded trainer`. */
  readonly name: string;
  readonly Kind: ServiceFault;
  readonly data: unknown;
  readonly clock: Clock;
}

/** Starts the thread. A failure while it starts rejects the first call. */
export function startService<V extends Verbs>(entry: URL, { name, Kind, data, clock }: ServiceOptions): Service<V> {
  const worker = new Worker(entry, { workerData: data, execArgv: [] });
  const pending = new Set<(fault: Error) => void>();
  let ended: InstanceType<ServiceFault> | undefined;
  // Kept for the life of the service: comlink drops calls in flight when their proxy is collected.
  const remote: Remote<Invoke> = wrap<Invoke>(nodeEndpoint(worker));

  const end = (fault: InstanceType<ServiceFault>): void => {
    ended ??= fault;
    for (const reject of pending) reject(ended);
    pending.clear();
  };
  worker.on('error', (error: unknown) =>
    end(new Kind(`${name} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error })),
  );
  worker.on('exit', (code) => end(new Kind(`${name} ended with code ${code}`)));
  // Pending calls keep the process alive through their deadlines; an idle service must not.
  worker.unref();

  return {
    call: async (verb, deadlineMs, args, buffers = []) => {
      if (ended !== undefined) throw ended;
      const answer = await new Promise<Answer>((resolve, reject) => {
        const settle = (): void => {
          cancel();
          pending.delete(reject);
        };
        const cancel = clock.after(deadlineMs, () => {
          end(new Kind(`${name} did not answer ${verb} within ${deadlineMs} ms`));
          void worker.terminate();
        });
        pending.add(reject);
        remote(verb, transfer(args as readonly unknown[], [...buffers]))
          .then(resolve, reject)
          .finally(settle);
      });
      if ('fault' in answer) throw faultFrom(answer.fault);
      return answer.ok as never;
    },
    close: async () => {
      end(new Kind(`${name} is closed`));
      await worker.terminate();
    },
  };
}

/** The thread's side: answers calls with `verbs`, one at a time. `buffersOf` names what of a result is moved. */
export function serve(Kind: ServiceFault, verbs: Verbs, buffersOf: (result: unknown) => ArrayBuffer[] = () => []): void {
  if (parentPort === null) throw new Error('a service runs in a worker thread');
  const invoke: Invoke = async (verb, args) => {
    try {
      const fn = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
      if (fn === undefined) throw new Kind(`there is no verb ${verb}`);
      const ok = await fn(...(args as never[]));
      return transfer({ ok }, buffersOf(ok));
    } catch (error) {
      return { fault: asFault(Kind, verb, error).toData() };
    }
  };
  expose(invoke, nodeEndpoint(parentPort));
}
