/**
 * A program of ours in another language, behind its standard input and output: call and return, and every way that can end. Knows no verb.
 * Frames {id, verb, args} → {id, ok} | {id, fault: {kind, message}}, MessagePack behind a u32 length. Calls are answered in order. A call that misses its deadline
 * ends the whole process group with SIGKILL, since nothing gentler reaches a stuck kernel; so does a byte on its output that is no frame.
 * Exit code 78 (EX_CONFIG) says that its surroundings lack something; what, is the last line on its standard error.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { z } from 'zod';
import { boundarySync, ConfigFault, RecordFault, TrainerFault, type TroupeFault } from '../../../errors.ts';
import { packForeign, unpackForeign } from '../../../protocol/codec.ts';
import type { Clock } from '../../clock.ts';
import { frameOf, frameReader } from './frames.ts';
import { type ProcessLog, processLog } from './log.ts';

/** Whose fault it is. */
const kinds = { config: ConfigFault, record: RecordFault, trainer: TrainerFault } as const;
const Answer = z.union([
  z.strictObject({ id: z.int(), ok: z.unknown() }),
  z.strictObject({ id: z.int(), fault: z.strictObject({ kind: z.enum(['config', 'record', 'trainer']), message: z.string() }) }),
]);
type Answer = z.infer<typeof Answer>;

export interface SidecarOptions {
  /** For messages: `the torch trainer`. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where its standard error goes; absent: nowhere but into faults. */
  readonly logFile?: string | undefined;
  /** What to do where it ends for want of something in its surroundings. */
  readonly remedy: string;
  /** It ended by itself, whether or not a call is pending. */
  onDeath?(fault: TroupeFault): void;
}

export interface Sidecar {
  /** The answer as it came: the caller validates it. Rejects with the verb's own fault, or with how the process ended: TrainerFault, or ConfigFault where it lacks something or was never there. */
  call(verb: string, args: unknown, deadlineMs: number): Promise<unknown>;
  /** Ends the process; whatever is pending rejects. Resolves when it is gone. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: TroupeFault) => void;
}

/** sysexits.h. */
const lacking = 78;

export function startSidecar({ name, command, cwd, env, clock, logFile, remedy, onDeath }: SidecarOptions): Sidecar {
  const log = processLog(logFile);
  const [program, ...args] = command;
  // A process group of its own: Ctrl-C is for us, who end it in order; and SIGKILL reaches what it started.
  const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const pending = new Map<number, Pending>();
  let ended: TroupeFault | undefined;
  let serial = 0;

  const end = (reason: string, Kind: typeof TrainerFault | typeof ConfigFault = TrainerFault): void => {
    ended ??= new Kind(`${name} ${reason}`);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
    hold(child, false);
  };
  const kill = (reason: string): void => {
    end(`${reason}${said(log)}`);
    killGroup(child);
  };
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end(`cannot be started: ${error.message}; ${remedy}`, ConfigFault);
      resolve();
    });
    // `close`, not `exit`: what it said last has been read by then.
    child.once('close', (code, signal) => {
      const isDeath = ended === undefined;
      if (code === lacking) end(`cannot run: ${log.tail().split('\n').at(-1)}; ${remedy}`, ConfigFault);
      else
        end(
          `ended ${signal === null ? `with code ${code}` : `by ${signal}${signal === 'SIGKILL' ? ', as when memory runs out' : ''}`}${said(log)}`,
        );
      if (isDeath) onDeath?.(ended as unknown as TroupeFault);
      resolve();
    });
  });

  child.stdout.on(
    'data',
    guarded(
      frameReader((body) => {
        const answer = Answer.parse(unpackForeign(body));
        const call = pending.get(answer.id);
        // Answers of calls we no longer wait for do not exist: a missed deadline ends the process.
        if (call === undefined) throw new TypeError(`an answer to call ${answer.id}, which nobody made`);
        pending.delete(answer.id);
        if (pending.size === 0) hold(child, false);
        settle(name, call, answer);
      }),
      (error) => kill(`answered what is no frame: ${error.message}`),
    ),
  );
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.add(text));
  // A broken pipe is the process's end, which `close` reports.
  child.stdin.on('error', () => undefined);
  hold(child, false);

  return {
    call: async (verb, args, deadlineMs) => {
      if (ended !== undefined) throw ended;
      const id = serial++;
      const frame = frameOf(boundarySync(TrainerFault, `pack ${verb}`, () => packForeign({ id, verb, args })));
      return new Promise((resolve, reject) => {
        const cancel = clock.after(deadlineMs, () => kill(`did not answer ${verb} within ${deadlineMs} ms`));
        const settled =
          <T>(next: (value: T) => void) =>
          (value: T): void => {
            cancel();
            next(value);
          };
        pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
        // Pending calls keep our process alive through their deadlines; an idle sidecar must not.
        hold(child, true);
        for (const part of frame) child.stdin.write(part);
      });
    },
    close: async () => {
      end('is closed');
      killGroup(child);
      // Nothing else may be left that keeps our process alive until it is gone.
      hold(child, true);
      await gone;
    },
  };
}

function settle(name: string, call: Pending, answer: Answer): void {
  if ('fault' in answer) call.reject(new kinds[answer.fault.kind](`${name}: ${answer.fault.message}`));
  else call.resolve(answer.ok);
}

const said = (log: ProcessLog): string => {
  const last = log.tail();
  return last === '' ? '' : `; it last said:\n${last}`;
};

function guarded<T>(fn: (value: T) => void, caught: (error: Error) => void): (value: T) => void {
  return (value) => {
    try {
      fn(value);
    } catch (error) {
      caught(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** Whether a process that waits for nothing else waits for this one. */
function hold(child: ChildProcessWithoutNullStreams, held: boolean): void {
  for (const one of [child, child.stdin, child.stdout, child.stderr] as readonly { ref?(): unknown; unref?(): unknown }[]) {
    if (held) one.ref?.();
    else one.unref?.();
  }
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
