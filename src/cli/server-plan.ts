/** The vLLM servers' part of a dry run: which run already, or the exact command by which one is started. Starts and asks none. */
import { serverCommand, serverEnvironment } from '../actors/serving.ts';
import type { Config } from '../config.ts';
import type { MemoryPlan } from '../gpu/memory-plan.ts';
import { findPython } from '../gpu/python.ts';
import { ConfigFault } from '../errors.ts';
import type { Environment } from './settings/environment.ts';

export interface ServerPlan {
  /** Of servers that run already; empty where this run starts one. */
  readonly urls: readonly string[];
  /** Beside the environment the server inherits. */
  readonly env: { readonly [name: string]: string };
  /** The words to execute. Port 0 stands for a free one. */
  readonly command: readonly string[];
}

/** null where no vLLM serves. `memory`: the card's plan, if one is asked for; `cpu`: there is none to serve on. */
export function serverPlanOf(config: Config, memory: MemoryPlan | null, cpu: boolean, env: Environment): ServerPlan | null {
  const { kind, vllm } = config.engine;
  if (kind !== 'vllm') return null;
  const share = memory?.problem === null ? memory.serverShare : undefined;
  const place = { python: pythonOr(config.python, env), share, cpu, env };
  const [url] = vllm.servers;
  const port = url === undefined ? vllm.port : Number(new URL(url).port || 80);
  return { urls: vllm.servers, env: serverEnvironment(config, place), command: serverCommand(config, place, port) };
}

/** A plan can be made where no Python is yet. */
function pythonOr(configured: string, env: Environment): string {
  try {
    return findPython(configured, env);
  } catch (error) {
    if (error instanceof ConfigFault) return 'python';
    throw error;
  }
}

export function serverPlanText({ urls, env, command }: ServerPlan): string {
  const head =
    urls.length === 0
      ? 'server        started and ended by this run, by (port 0: a free one)'
      : `servers       ${urls.join(' ')}: they run already, each started by such a command (its own --port)`;
  const words = [...Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`), ...lines(command)];
  return `${head}\n${words.map((line) => `  ${line}`).join(' \\\n')}`;
}

/** A flag and its value to a line. */
function lines(command: readonly string[]): string[] {
  const first = command.findIndex((word) => word.startsWith('--'));
  const [start, flags] = first < 0 ? [command, []] : [command.slice(0, first), command.slice(first)];
  const grouped: string[][] = [[...start]];
  for (const word of flags) {
    if (word.startsWith('--')) grouped.push([word]);
    else grouped.at(-1)?.push(word);
  }
  return grouped.map((group) => group.map(quoted).join(' '));
}

/** For a POSIX shell. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
