/** Lives of whole runs whose servers, trainers and own processes are killed, stopped or interrupted at a moment; and how each goes on to its end. Knows what is done, not what must be true. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config.ts';
import { stepId } from '../../src/protocol/ids.ts';
import { type Ended, isAlive, type Process, start, written } from './runs.ts';
import { type Household, household, markName, pause } from './serving-processes.ts';

/** `hang`: SIGSTOP, of a server with all its children. `kill`: SIGKILL. The warden is the small process that starts and ends the server. Several things at once, in this order. */
export type Blow = 'kill warden' | 'kill server' | 'hang server' | 'kill trainer' | 'hang trainer' | 'kill run' | 'interrupt run';

/** Counted from when a step's tasks are issued, its intent is recorded (it is then trained and saved), or its commit (it is then published and proved). */
export interface Moment {
  readonly phase: 'rolling' | 'updating' | 'publishing';
  readonly step: number;
  readonly ms: number;
}

export interface Life {
  /** How the disturbed process ended, and the one that took the run up again, if that was needed. */
  readonly ends: readonly Ended[];
  /** Milliseconds from the blow to the end of the disturbed process. */
  readonly heldMs: number;
  /** What was struck really ran. */
  readonly struck: boolean;
}

/** How long a started or a resumed run may take, and its processes to be gone after it. */
export interface Patience {
  readonly runMs: number;
  readonly goneMs: number;
}

export const textOf = (blows: readonly Blow[], { phase, step, ms }: Moment): string => `${blows.join(', ')}: ${phase} ${step} + ${ms} ms`;

/** Runs `config`, strikes, and resumes where the run did not go on by itself. Rejects where anything it started is left after it, or where an end does not come. */
export async function live(config: ConfigInput, cwd: string, blows: readonly Blow[], moment: Moment, patience: Patience): Promise<Life> {
  const dir = join(cwd, 'runs', config.name as string);
  const ends: Ended[] = [];
  const first = household(randomUUID());
  const process = start([written(config, cwd), '--quiet'], cwd, { [markName]: first.mark });
  const reached = await reach(process, dir, moment, patience.runMs);
  const struck = reached && blows.map((blow) => strike(blow, process, first)).every(Boolean);
  const from = performance.now();
  ends.push(await endOf(process, first, patience));
  const heldMs = performance.now() - from;
  await first.gone(patience.goneMs);
  if (ends[0]?.code !== 0) {
    const second = household(randomUUID());
    ends.push(await endOf(start(['resume', dir, '--quiet'], cwd, { [markName]: second.mark }), second, patience));
    await second.gone(patience.goneMs);
  }
  return { ends, heldMs, struck };
}

/** Undisturbed; its processes are gone, too. */
export async function whole(config: ConfigInput, cwd: string, patience: Patience): Promise<Ended> {
  const home = household(randomUUID());
  const end = await endOf(start([written(config, cwd), '--quiet'], cwd, { [markName]: home.mark }), home, patience);
  await home.gone(patience.goneMs);
  return end;
}

async function endOf(process: Process, home: Household, { runMs }: Patience): Promise<Ended> {
  const due = performance.now() + runMs;
  // Looked at all the while, so that every group it founds is known when it has ended.
  for (; isAlive(process); await pause(200)) {
    home.look();
    if (performance.now() < due) continue;
    process.child.kill('SIGKILL');
    const { err } = await process.ended;
    throw new Error(`no end within ${runMs} ms; it said:\n${err}`);
  }
  return process.ended;
}

/** False where it ended before. */
async function reach(process: Process, dir: string, { phase, step, ms }: Moment, runMs: number): Promise<boolean> {
  const hasCome = {
    rolling: (text: Buffer) => text.includes(`${stepId(step)}.t`),
    updating: (text: Buffer) => occurrences(text, 'step.intent') >= step,
    publishing: (text: Buffer) => occurrences(text, 'step.committed') >= step,
  }[phase];
  const due = performance.now() + runMs;
  for (let size = -1; ; await pause(3)) {
    if (!isAlive(process)) return false;
    const text = journal(dir);
    if (text.length !== size && hasCome(text)) break;
    size = text.length;
    if (performance.now() > due) {
      process.child.kill('SIGKILL');
      throw new Error(`${phase} ${step} never came; it said:\n${(await process.ended).err}`);
    }
  }
  await pause(ms);
  return isAlive(process);
}

/** The journal's bytes: frames name their kind in them. */
function journal(dir: string): Buffer {
  const folder = join(dir, 'journal');
  if (!existsSync(folder)) return Buffer.alloc(0);
  const files = readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
  return Buffer.concat(files.map((file) => readFileSync(file)));
}

function occurrences(text: Buffer, word: string): number {
  let count = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) count++;
  return count;
}

/** False where there was nothing to strike. */
function strike(blow: Blow, { child }: Process, home: Household): boolean {
  switch (blow) {
    case 'kill run':
      return child.kill('SIGKILL');
    case 'interrupt run':
      return child.kill('SIGINT');
    case 'kill server':
      return signal(home.server()?.pid, 'SIGKILL');
    case 'hang server':
      return home.serverGroup().filter(({ pid }) => signal(pid, 'SIGSTOP')).length > 0;
    case 'kill warden':
      return signal(home.server()?.parent, 'SIGKILL');
    case 'kill trainer':
      return signal(home.trainer()?.pid, 'SIGKILL');
    case 'hang trainer':
      return signal(home.trainer()?.pid, 'SIGSTOP');
    default:
      return blow satisfies never;
  }
}

function signal(target: number | undefined, name: 'SIGKILL' | 'SIGSTOP'): boolean {
  return target !== undefined && process.kill(target, name);
}
