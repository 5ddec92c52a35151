/** `view [dir]`: serves the viewer over a folder of runs until it is interrupted. Where it listens and how it ends; what it serves is viewer/server.ts's. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError } from 'commander';
import { boundary, ConfigFault } from '../errors.ts';
import type { Viewer } from '../viewer/server.ts';
import { forkPort } from './fork-process.ts';
import { endOfStdin } from './interruption.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { program } from './outcome.ts';
import { printableLine } from './printable.ts';
import { packageRoot } from './settings/package-root.ts';
import type { Terminal } from './terminal.ts';
import { firstPort, lastPort } from './viewer-link.ts';

interface ViewFlags extends Flags {
  readonly port?: number;
  readonly host: string;
  readonly open: boolean;
  readonly untilStdinEnds: boolean;
}

function portIn(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('expected a number from 0 (any free one) to 65535.');
  return Number(text);
}

export const viewCommand = (): Command => {
  const command = withOutput(
    new Command('view')
      .description('show runs in the browser: live while they go on, the same afterwards')
      .argument('[dir]', 'where runs lie, or one run', 'runs'),
  )
    .option('--port <n>', `where to listen; left out: ${firstPort}, or the next free one`, portIn)
    .option('--host <name>', 'address to listen at; anything but this machine asks browsers for the token in the link', '127.0.0.1')
    .option('--open', 'open the browser', false)
    .action((dir: string, flags: ViewFlags) => carryOut(flags, (terminal) => view(dir, flags, terminal)));
  // For `run --view`, whose viewer goes when it goes.
  return command.addOption(command.createOption('--until-stdin-ends').hideHelp().default(false));
};

async function view(dir: string, flags: ViewFlags, terminal: Terminal): Promise<number> {
  // One that a run opened; else when there is a run to yield to: a long one that has ended opens the sooner.
  if (flags.untilStdinEnds) yieldToRuns();
  setFlagsFromString(`--heap-growing-percent=${heapGrowth}`);
  const { parent, run } = placeOf(dir);
  const interrupted = interruption(flags.untilStdinEnds);
  const asked = {
    dir: parent,
    host: flags.host,
    page: join(packageRoot, 'dist/viewer/page'),
    charts: join(packageRoot, 'dist/viewer/charts.json'),
  };
  // Loaded only now: every other command does without.
  const [{ startViewer }, { viewerPorts }] = await Promise.all([import('../viewer/server.ts'), import('./view-ports.ts')]);
  const note = (text: string): void => terminal.warn(printableLine(text));
  const ports = { ...viewerPorts(note), yields: yieldToRuns, fork: forkPort(parent) };
  const viewer = await listen(flags, (port) => startViewer({ ...asked, port }, ports), terminal);
  const url = run === null ? viewer.url : addressOf(viewer.url, run);
  if (flags.json) terminal.out(JSON.stringify({ v: 1, url, dir: parent, host: viewer.host, port: viewer.port, pid: process.pid }));
  else {
    terminal.out(url);
    terminal.say(`runs in ${parent}; Ctrl-C ends the viewer, and nothing else`);
  }
  if (flags.open) openBrowser(url, terminal);
  await (flags.untilStdinEnds ? Promise.race([interrupted, endOfStdin()]) : interrupted);
  await viewer.close();
  return 0;
}

/** A folder of runs, or one run in its folder. Throws ConfigFault for neither. */
function placeOf(dir: string): { readonly parent: string; readonly run: string | null } {
  const at = resolve(dir);
  if (!existsSync(at))
    throw new ConfigFault(
      `there is no folder ${at}. A run makes one: ${program} configs/quickstart.yaml; or say where runs lie: ${program} view <dir>`,
    );
  if (!statSync(at).isDirectory()) throw new ConfigFault(`${at} is a file; say where runs lie: ${program} view <dir>`);
  const isRun = existsSync(join(at, 'journal'));
  return isRun ? { parent: dirname(at), run: basename(at) } : { parent: at, run: null };
}

/** Keeps the token, where the link has one. */
function addressOf(url: string, run: string): string {
  const address = new URL(url);
  address.pathname = `/runs/${encodeURIComponent(run)}`;
  return address.href;
}

/** Where no port was asked for, the first free one of a few. Rejects with ConfigFault saying what is in the way. */
async function listen({ port, host }: ViewFlags, start: (port: number) => Promise<Viewer>, terminal: Terminal): Promise<Viewer> {
  for (let next = port ?? firstPort; ; next++) {
    try {
      return await boundary(ConfigFault, `cannot listen at ${host}:${next}`, () => start(next));
    } catch (error) {
      const code = error instanceof ConfigFault ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined;
      if (code === 'EADDRINUSE' && port === undefined && next < lastPort) {
        terminal.say(`port ${next} is taken by another program; trying ${next + 1}`);
        continue;
      }
      throw troubleAt(host, next, code) ?? error;
    }
  }
}

function troubleAt(host: string, port: number, code: string | undefined): ConfigFault | null {
  if (code === 'EADDRINUSE')
    return new ConfigFault(
      `port ${port} of ${host} is taken by another program (perhaps another viewer); choose another: --port <n>, or --port 0 for any free one`,
    );
  if (code === 'EACCES') return new ConfigFault(`no permission to listen at port ${port}; choose one above 1023: --port <n>`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new ConfigFault(`${printableLine(host)} is no address of this machine; leave --host out to listen to this machine only`);
  return null;
}

/** Percent by which the heap may grow beyond what is in use before garbage is collected. V8's own choice is several times as much: a viewer that opened twenty long runs was 1.1 GB, most of it garbage. */
const heapGrowth = 50;

/** The lowest there is: on Linux the weight of a seventieth beside whoever wants all of a core. A run leaves a core idle often enough for a page to come. */
const niceness = 19;

/** Whoever looks waits rather than whoever runs. On Linux a priority is one thread's, and this process already has several. */
function yieldToRuns(): void {
  const tasks = '/proc/self/task';
  for (const thread of existsSync(tasks) ? readdirSync(tasks) : ['0'])
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // It has ended, or the system does not allow it: then they share as others do.
    }
}

/** Resolves when somebody ends the program. Ctrl-C is meant for the run that opened this viewer, where one did: it has things to finish, and they are shown. */
const interruption = (isRuns: boolean): Promise<void> =>
  new Promise((resolve) => {
    if (isRuns) process.on('SIGINT', () => undefined);
    else process.once('SIGINT', () => resolve());
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** A browser that cannot be opened is no failure: the link is printed. */
function openBrowser(url: string, terminal: Terminal): void {
  const [command = '', ...args] =
    process.platform === 'darwin' ? ['open', url] : process.platform === 'win32' ? ['cmd', '/c', 'start', '""', url] : ['xdg-open', url];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => terminal.warn('no browser could be opened; follow the link yourself'));
  child.unref();
}
