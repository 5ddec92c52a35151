/** `imitate <config>`: the supervised stage: a model learns from the teacher's episodes. Interrupted, the same line goes on. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../actors/clock.ts';
import type { Config } from '../config.ts';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import { modelCard } from '../gpu/model-card.ts';
import { readModel } from '../gpu/weights.ts';
import { copyModel } from './export.ts';
import { listenForInterruption } from './interruption.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { program } from './outcome.ts';
import { dryRun } from './plan.ts';
import { readConfig } from './settings/read.ts';
import { lockRun } from '../record/lock.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

export const imitateCommand = (): Command =>
  withSettings(
    new Command('imitate').description('make or continue a model from the teacher’s episodes').argument('<config>', 'a YAML file'),
  ).action((file: string, flags: Flags & { dryRun: boolean }) =>
    carryOut(flags, async (terminal) => {
      const config = readConfig({ file, set: flags.set, env: process.env });
      if (flags.dryRun) return dryRun(config, flags, terminal);
      return imitate(file, config, flags, terminal);
    }),
  );

async function imitate(file: string, config: Config, flags: Flags, terminal: Terminal): Promise<number> {
  const out = resolve(config.imitation.out);
  if (existsSync(out)) throw new ConfigFault(`imitation.out: ${out} exists; choose another folder`);
  const folder = resolve(config.record.dir, `${config.name}.imitation`);
  boundarySync(RecordFault, `cannot make ${folder}`, () => mkdirSync(folder, { recursive: true }));
  const lock = lockRun(folder);
  const interruption = listenForInterruption((text) => terminal.say(text));
  const began = systemClock.now();
  let lastLine = '';
  try {
    const { runImitation } = await import('../actors/imitation.ts');
    const imitated = await runImitation(config, {
      folder,
      signal: interruption.signal,
      onProgress: ({ step, steps, loss, smoothed, hardest, tokens, tokensPerSecond, examination }) => {
        lastLine = `step ${step}/${steps}  loss ${loss.toFixed(3)} (${smoothed.toFixed(3)})  D ≤ ${hardest.toFixed(0)}  ${(tokens / 1e6).toFixed(2)}M tokens  ${tokensPerSecond.toFixed(0)} tokens/s`;
        if (terminal.live) terminal.raw(`\r\u001b[2K${lastLine.slice(0, terminal.width - 1)}`);
        else if (step % 20 === 0 || step === steps) terminal.say(lastLine);
        for (const { difficulty, exact, lessons, role } of examination ?? [])
          terminal.say(
            `${terminal.live ? '\r\u001b[2K' : ''}${role === undefined ? 'held-out' : `the ${role}’s replies at`} D${difficulty}: ${exact.toFixed(3)} of ${lessons} exact`,
          );
      },
    });
    copyModel(imitated.weights.dir, out);
    const { steps, tokens, firstLosses, dataHash, examination } = imitated;
    const provenance = {
      v: 1,
      made: 'imitate',
      config,
      steps,
      tokens,
      firstLosses,
      dataHash,
      examination,
      sha256: imitated.weights.sha256,
    };
    const { shape, vocabulary } = readModel(out);
    const card = modelCard({
      name: config.name,
      shape,
      words: vocabulary.words.length,
      command: `${program} imitate ${file}`,
      config: file,
      ...(config.imitation.start === 'model' ? { start: relative('.', config.policy.model) } : {}),
      seed: config.seed,
      steps,
      tokens,
      seconds: (systemClock.now() - began) / 1000,
      machine: `${availableParallelism()} cores, Node ${process.version}`,
      dataHash,
      weightsHash: imitated.weights.sha256,
      firstLosses,
      evaluation: examination,
    });
    boundarySync(RecordFault, `cannot write ${out}`, () => {
      writeFileSync(join(out, 'provenance.json'), `${JSON.stringify(provenance, null, 1)}\n`);
      writeFileSync(join(out, 'README.md'), card);
    });
    const summary = table(
      ['of', 'D', 'exact', 'n'],
      examination.map(({ difficulty, exact, lessons, role = 'episodes' }) => [role, `${difficulty}`, exact.toFixed(3), `${lessons}`]),
    );
    terminal.out(
      flags.json ? JSON.stringify({ ...provenance, dir: out }) : `\n${summary}\nmodel in ${out}\nmeasure it: ${program} eval ${out}`,
    );
    return 0;
  } finally {
    interruption.end();
    lock.release();
  }
}
