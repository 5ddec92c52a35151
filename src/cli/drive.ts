/** Starts a run or takes it up again, and stays with it to its end: signals in, progress and closing summary out. */
import { renameSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Config } from '../config.ts';
import { boundarySync, RecordFault } from '../errors.ts';
import type { RunSummary } from '../protocol/summary.ts';
import type { RunFolder } from '../record/folder.ts';
import { exitCodeOf, exitCodes, failureText, faultOf } from './exit.ts';
import { listenForInterruption } from './interruption.ts';
import type { Flags } from './invocation.ts';
import { outcomeText, program } from './outcome.ts';
import { progressView } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { addressOf, openViewer, type OwnViewer } from './viewer-link.ts';

/** Resolves with the exit code. */
export async function drive(
  config: Config,
  folder: RunFolder,
  flags: Pick<Flags, 'json'> & { readonly resume: boolean; readonly view: boolean },
  terminal: Terminal,
): Promise<number> {
  const view = progressView(terminal);
  const interruption = listenForInterruption((text) => {
    view.show({ kind: 'note', text });
  });
  let recorded = false;
  let viewer: OwnViewer | null = null;
  try {
    viewer = await watched(folder, flags.view, terminal);
    // Loaded only now: listing and showing runs need none of it.
    const { startRun } = await import('../actors/system.ts');
    const summary = await startRun(config, {
      runDir: folder.dir,
      signal: interruption.signal,
      progress: view.show,
      resume: flags.resume,
      onRecord: (record) => {
        recorded = true;
        interruption.lastly(() => record.flushSync());
      },
    });
    view.end();
    keepSummary(folder, summary);
    if (flags.json) {
      terminal.say(outcomeText(summary, terminal));
      terminal.out(JSON.stringify(summary));
    } else terminal.out(outcomeText(summary, terminal));
    return exitOf(summary);
  } catch (error) {
    view.end();
    const fault = faultOf(error);
    terminal.warn(failureText(fault));
    if (recorded) terminal.warn(`what is recorded is safe in ${folder.dir}; go on with: ${program} resume ${folder.dir}`);
    return exitCodeOf(fault);
  } finally {
    viewer?.close();
    interruption.end();
  }
}

/** Says where the run can be watched; opens a viewer where that is wanted. Watching is never a reason not to run. */
async function watched(folder: RunFolder, view: boolean, terminal: Terminal): Promise<OwnViewer | null> {
  try {
    const own = view ? await openViewer(folder) : null;
    const address = own?.url ?? (await addressOf(folder));
    terminal.say(`watch it: ${address ?? `${program} view ${relative('', folder.dir)}`}`);
    return own;
  } catch (error) {
    terminal.warn(failureText(faultOf(error)));
    return null;
  }
}

function exitOf({ ended }: RunSummary): number {
  switch (ended) {
    case 'done':
    case 'budget':
      return 0;
    case 'interrupted':
      return exitCodes.interrupted;
    case 'paused':
    case 'fault':
      return exitCodes.failed;
    default:
      return ended satisfies never;
  }
}

function keepSummary(folder: RunFolder, summary: RunSummary): void {
  boundarySync(RecordFault, `cannot write ${folder.summary}`, () => {
    writeFileSync(`${folder.summary}.next`, `${JSON.stringify(summary, null, 1)}\n`);
    renameSync(`${folder.summary}.next`, folder.summary);
  });
}
