/** The processes of one run, found by a mark in their environment and by the groups they founded: to disturb one, and to see that none is left. Linux only: it reads /proc. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** `T` = stopped. */
  readonly state: string;
  readonly command: string;
}

export const canSeeProcesses = existsSync('/proc/self/environ');

/** Set in a run's environment, which all it starts inherit. */
export const markName = 'TROUPE_TEST_LIFE';

export interface Household {
  readonly mark: string;
  /** All that live now, founders of groups included that have lost the mark (vLLM's processes rename themselves over it). */
  look(): Found[];
  /** The server itself and not its warden; undefined where none runs just now. */
  server(): Found | undefined;
  /** With its children, without its warden. */
  serverGroup(): Found[];
  trainer(): Found | undefined;
  /** Resolves when none is left; rejects with who is after `ms`. */
  gone(ms: number): Promise<void>;
}

export function household(mark: string): Household {
  const groups = new Set<number>();
  const look = (): Found[] => {
    const all = everybody();
    const ours = all.filter(({ pid }) => hasMark(pid, mark));
    // Only groups founded by one of ours: the run itself shares its group with whoever started it.
    for (const { pid, group } of ours) if (pid === group) groups.add(group);
    return all.filter((one) => ours.includes(one) || groups.has(one.group));
  };
  const wardens = (): number[] => look().flatMap(({ pid, command }) => (/warden\.js /.test(command) ? [pid] : []));
  return {
    mark,
    look,
    server: () => {
      const leaders = wardens();
      return look().find(({ parent }) => leaders.includes(parent));
    },
    serverGroup: () => {
      const leaders = wardens();
      return look().filter(({ pid, group }) => leaders.includes(group) && pid !== group);
    },
    trainer: () => look().find(({ command }) => command.includes('troupe_trainer')),
    gone: async (ms) => {
      for (const began = performance.now(); ; await pause(50)) {
        const left = look();
        if (left.length === 0) return;
        if (performance.now() - began > ms)
          throw new Error(
            `left behind after ${ms} ms:\n${left.map(({ pid, state, command }) => `  ${pid} ${state} ${command}`).join('\n')}`,
          );
      }
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A process that has ended and whose parent has not yet asked is gone, too. */
function everybody(): Found[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    const stat = read(`/proc/${name}/stat`);
    // The second field is the program's name in parentheses, which may hold anything.
    const [state = 'Z', parent = '0', group = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '' || state === 'Z' || state === 'X') return [];
    const command = read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
    return [{ pid, parent: Number(parent), group: Number(group), state, command }];
  });
}

const hasMark = (pid: number, mark: string): boolean => read(`/proc/${pid}/environ`).split('\0').includes(`${markName}=${mark}`);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It ended while we looked, or is not ours to read.
    return '';
  }
}
