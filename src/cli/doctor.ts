/** `doctor [config]`: whether this machine can run, each thing with the fix where it cannot. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config.ts';
import { compileKernels } from '../gpu/engines/embedded/kernels.ts';
import { readModel } from '../gpu/weights.ts';
import { exitCodes, faultOf } from './exit.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printableLine } from './printable.ts';
import { readConfig } from './settings/read.ts';
import { byteSize } from './table.ts';

interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly fix: string;
}

export const doctorCommand = (): Command =>
  withOutput(new Command('doctor').description('check this machine, and a config if given').argument('[config]', 'a YAML file')).action(
    (file: string | undefined, flags: Flags) =>
      carryOut(flags, (terminal) => {
        const checks = checksOf(readConfig({ file, env: process.env }));
        if (flags.json) terminal.out(JSON.stringify(checks));
        else
          for (const { what, ok, found, fix } of checks)
            terminal.out(
              `${ok ? terminal.paint('green', 'ok   ') : terminal.paint('red', 'wrong')} ${what.padEnd(14)} ${printableLine(found)}${ok ? '' : `\n      → ${fix}`}`,
            );
        return checks.every(({ ok }) => ok) ? 0 : exitCodes.environment;
      }),
  );

function checksOf(config: Config): Check[] {
  return [nodeCheck(), coresCheck(), memoryCheck(), sharedMemoryCheck(), kernelCheck(), modelCheck(config), folderCheck(config.record.dir)];
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { what: 'Node', ok, found: process.versions.node, fix: 'install Node 20.19 or newer' };
}

function coresCheck(): Check {
  const cores = availableParallelism();
  return { what: 'cores', ok: cores >= 1, found: cores === 1 ? '1: everything takes about twice as long as on two' : `${cores}`, fix: '' };
}

function memoryCheck(): Check {
  const bytes = totalmem();
  return { what: 'memory', ok: bytes >= 1.5e9, found: byteSize(bytes), fix: 'at least 1.5 GB; lower rollout.window and rollout.workers' };
}

function sharedMemoryCheck(): Check {
  const ok = typeof SharedArrayBuffer === 'function';
  return { what: 'shared memory', ok, found: ok ? 'there' : 'missing', fix: 'start Node without flags that disable SharedArrayBuffer' };
}

function kernelCheck(): Check {
  return attempt('kernels', 'npm run build (needs development dependencies)', () => {
    const { variant } = compileKernels(false);
    return variant === 'relaxed' ? 'WebAssembly SIMD, relaxed' : 'WebAssembly SIMD, plain: some 20 % slower';
  });
}

function modelCheck({ policy }: Config): Check {
  return attempt('model', 'set policy.model to a Qwen3 model directory, or make one with imitate', () => {
    const { shape, vocabulary, weights } = readModel(policy.model);
    return `${policy.model}: ${shape.layers} layers of ${shape.hidden}, ${vocabulary.words.length} words, sha256 ${weights.sha256.slice(0, 12)}`;
  });
}

function folderCheck(dir: string): Check {
  return attempt('run folder', 'set record.dir to a folder that can be written', () => {
    let at = resolve(dir);
    while (!existsSync(at)) at = dirname(at);
    const trial = mkdtempSync(join(at, '.doctor-'));
    writeFileSync(join(trial, 'trial'), 'x');
    rmSync(trial, { recursive: true });
    const { bavail, bsize } = statfsSync(at);
    const free = bavail * bsize;
    if (free < 200e6) throw new Error(`${at}: only ${byteSize(free)} free`);
    return `${at}: ${byteSize(free)} free`;
  });
}

function attempt(what: string, fix: string, look: () => string): Check {
  try {
    return { what, ok: true, found: look(), fix };
  } catch (error) {
    return { what, ok: false, found: faultOf(error).message.replace('unexpected: ', ''), fix };
  }
}
