/** `doctor [config]`: whether this machine can run, each thing with the fix where it cannot. */
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../config.ts';
import { compileKernels } from '../gpu/engines/embedded/kernels.ts';
import { readModel } from '../gpu/weights.ts';
import { attempt, type Check } from './check.ts';
import { acceleratorChecks } from './doctor-accelerator.ts';
import { pythonChecks } from './doctor-python.ts';
import { exitCodes } from './exit.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printableLine } from './printable.ts';
import { readConfig } from './settings/read.ts';
import { byteSize } from './table.ts';
import type { Terminal } from './terminal.ts';

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

export const doctorCommand = (): Command =>
  withOutput(new Command('doctor').description('check this machine, and a config if given').argument('[config]', 'a YAML file'))
    .option('--set <key=value>', 'change one key of the config; may be given more than once', collect, [])
    .action((file: string | undefined, flags: Flags) =>
      carryOut(flags, async (terminal) => {
        const checks = await checksOf(readConfig({ file, set: flags.set, env: process.env }));
        if (flags.json) terminal.out(JSON.stringify(checks));
        else for (const line of linesOf(checks, terminal)) terminal.out(line);
        return checks.every(({ ok, optional }) => ok || optional === true) ? 0 : exitCodes.environment;
      }),
    );

function linesOf(checks: readonly Check[], { paint }: Terminal): string[] {
  const width = Math.max(...checks.map(({ what }) => what.length));
  return checks.map(({ what, ok, optional, found, fix }) => {
    const verdict = ok ? paint('green', 'ok   ') : optional === true ? paint('yellow', 'lacks') : paint('red', 'wrong');
    return `${verdict} ${what.padEnd(width)} ${printableLine(found)}${ok ? '' : `\n      → ${printableLine(fix)}`}`;
  });
}

async function checksOf(config: Config): Promise<Check[]> {
  const { engine, trainer, record } = config;
  const embedded = engine.kind !== 'vllm' && trainer.kind !== 'torch';
  return [
    nodeCheck(),
    coresCheck(),
    memoryCheck(config),
    sharedMemoryCheck(),
    ...(embedded ? [await kernelCheck(), await modelCheck(config)] : []),
    await folderCheck(record.dir),
    ...(await pythonChecks(config, process.env)),
    ...(await acceleratorChecks(config, process.env)),
  ];
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

/** Of processes: our own, a vLLM server that we start (three processes that import PyTorch), the trainer. */
const needs = { own: 1.5e9, server: 3.5e9, trainer: 1.6e9 };

function memoryCheck({ engine, trainer }: Config): Check {
  const bytes = totalmem();
  const starts = engine.kind === 'vllm' && engine.vllm.servers.length === 0;
  const needed = needs.own + (starts ? needs.server : 0) + (trainer.kind === 'torch' ? needs.trainer : 0);
  return {
    what: 'memory',
    ok: bytes >= needed,
    found: byteSize(bytes),
    fix: `at least ${byteSize(needed)}; lower rollout.window and rollout.workers`,
  };
}

function sharedMemoryCheck(): Check {
  const ok = typeof SharedArrayBuffer === 'function';
  return { what: 'shared memory', ok, found: ok ? 'there' : 'missing', fix: 'start Node without flags that disable SharedArrayBuffer' };
}

function kernelCheck(): Promise<Check> {
  return attempt('kernels', 'npm run build (needs development dependencies)', () => {
    const { variant } = compileKernels(false);
    return variant === 'relaxed' ? 'WebAssembly SIMD, relaxed' : 'WebAssembly SIMD, plain: some 20 % slower';
  });
}

function modelCheck({ policy }: Config): Promise<Check> {
  return attempt('model', 'set policy.model to a Qwen3 model directory, or make one with imitate', () => {
    const { shape, vocabulary, weights } = readModel(policy.model);
    return `${policy.model}: ${shape.layers} layers of ${shape.hidden}, ${vocabulary.words.length} words, sha256 ${weights.sha256.slice(0, 12)}`;
  });
}

function folderCheck(dir: string): Promise<Check> {
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
