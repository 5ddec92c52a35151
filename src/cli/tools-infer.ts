/** `tools infer <file>`: what a list does not say of its tools (what they do, what comes back, whether they change anything), asked of the config's model once and kept with the list. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { InferReport } from '../actors/inferring.ts';
import { openings } from '../actors/openings.ts';
import type { Config } from '../config.ts';
import { ConfigFault } from '../errors.ts';
import { gapsOf } from '../tools/gaps.ts';
import { isLinesFile, toolLine } from '../tools/lines.ts';
import { loadTools } from '../tools/load.ts';
import { exitCodes } from './exit.ts';
import { listenForInterruption } from './interruption.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';
import { printableLine } from './printable.ts';
import { lacksModel } from '../actors/stand-in.ts';
import { requireModel } from './require-model.ts';
import { readConfig } from './settings/read.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface InferFlags extends Flags {
  readonly config?: string;
  readonly out?: string;
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];
/** Tools asked about at once. */
const width = 64;
const failuresShown = 12;

export const inferCommand = (): Command =>
  withOutput(
    new Command('infer')
      .description(
        'have the config’s model say what tools do, what they return and whether they change anything, where their list does not',
      )
      .argument('<file>', 'a tool list; a .jsonl file is written back unless --out says where to'),
  )
    .option('--out <file>', 'write the list there (.jsonl)')
    .option('--config <file>', 'take engine and model from this config')
    .option('--set <key=value>', 'change one key of the config; may be given more than once', collect, [])
    .addHelpText(
      'after',
      '\nExample:\n  tools infer pets.jsonl --set engine.kind=vllm --set policy.model=Qwen/Qwen3-8B --set trainer.adapter=lora --set trainer.kind=torch',
    )
    .action((file: string, flags: InferFlags) =>
      carryOut(flags, async (terminal) => {
        const out = flags.out ?? file;
        if (!isLinesFile(out))
          throw new ConfigFault(`${printableLine(out)} is no .jsonl file; say where the list goes with --out <file.jsonl>`);
        const config = readConfig({ file: flags.config, set: flags.set, env: process.env });
        const { usable, rejected } = loadTools(file);
        const missing = gapsOf(usable).length;
        if (missing === 0) {
          terminal.say(`none of ${usable.length} tools lacks anything`);
          if (flags.out === undefined) return 0;
        }
        const report = missing === 0 ? complete(usable) : await infer(config, usable, terminal);
        write(out, report);
        if (flags.json)
          terminal.out(
            JSON.stringify({ v: 1, tools: report.tools.length, ...figures(report), unusable: rejected.length, failed: report.failed }),
          );
        say(report, out, terminal);
        return missing > 0 && report.inferred === 0 ? exitCodes.failed : 0;
      }),
    );

const complete = (tools: InferReport['tools']): InferReport => ({ tools, lacking: 0, inferred: 0, failed: [], calls: 0 });

async function infer(config: Config, tools: InferReport['tools'], terminal: Terminal): Promise<InferReport> {
  if (!lacksModel(config)) requireModel(config.policy.model);
  const interruption = listenForInterruption(() => terminal.say('interrupted: what was inferred is kept; once more to stop at once'));
  const opened = openings();
  const logs = mkdtempSync(join(tmpdir(), 'troupe-infer-'));
  try {
    // Loaded only now: every other command starts without them.
    const [{ openChat }, { inferGaps }] = await Promise.all([import('../actors/chat-engine.ts'), import('../actors/inferring.ts')]);
    const { signal } = interruption;
    const chat = await openChat(config, { logs, opened, signal, note: (text) => terminal.say(text) });
    const report = await inferGaps(tools, {
      chat,
      seed: config.seed,
      attempts: config.rollout.askAttempts,
      deadlineMs: config.rollout.deadlines.turnMs,
      width,
      signal,
      progress: (done, of) => {
        if (done % 100 === 0) terminal.say(`${done} of ${of} tools`);
      },
    });
    await opened.close();
    return report;
  } finally {
    // After a failure its reason is the first one.
    await opened.close().catch(() => undefined);
    interruption.end();
    rmSync(logs, { recursive: true, force: true });
  }
}

function write(path: string, { tools }: InferReport): void {
  const file = lineFile(path);
  try {
    for (const tool of tools) file.write(toolLine(tool));
    file.keep();
  } finally {
    file.drop();
  }
}

const figures = ({ lacking, inferred, calls }: InferReport) => ({ lacking, inferred, calls });

function say({ tools, lacking, inferred, failed, calls }: InferReport, out: string, terminal: Terminal): void {
  terminal.say(
    `${tools.length} tools in ${printableLine(out)}: ${lacking} lacked something, ${inferred} were completed with ${calls} calls`,
  );
  if (failed.length === 0) return;
  const rows = failed
    .slice(0, failuresShown)
    .map(({ name, lacks, reason }) => [name, lacks.join(', '), printableLine(reason).slice(0, 100)]);
  terminal.say(`${failed.length} still lack something:\n${table(['tool', 'lacks', 'reason'], rows)}`);
}
