/** `resume <run>`: goes on with an interrupted run from its last commit. */
import { Command } from 'commander';
import { Config } from '../config.ts';
import { ConfigFault, RecordFault } from '../errors.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { parentIn } from '../record/parent.ts';
import { framesFrom } from '../record/reader.ts';
import { drive } from './drive.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { program } from './outcome.ts';
import { dryRun } from './plan.ts';
import { changeConfig } from './settings/read.ts';

/** What may change without making it another run: how long it goes on and is waited for, with how many threads, and where its servers and its Python are. */
const changeable = [
  'steps',
  'budget',
  'python',
  'engine.threads',
  ...['servers', 'servedModel', 'command', 'args', 'env', 'port', 'startMs', 'healthMs', 'answerMs'].map((key) => `engine.vllm.${key}`),
  ...['maxSequences', 'gpuMemory', 'connections', 'replyBytes', 'pollMs'].map((key) => `engine.vllm.${key}`),
  'trainer.threads',
  'trainer.torch.answerMs',
  'rollout.workers',
  'rollout.deadlines',
  'record.checkpoints',
];

export const resumeCommand = (): Command =>
  withSettings(new Command('resume').description('go on with an interrupted run').argument('<run>', 'its folder, its name, or latest'))
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--view', 'show it in the browser while it goes on', false)
    .action((run: string, flags: Flags & { dryRun: boolean; view: boolean; dir: string }) =>
      carryOut(flags, async (terminal) => {
        for (const text of flags.set) {
          const key = text.split('=')[0] ?? '';
          if (!changeable.some((allowed) => key === allowed || key.startsWith(`${allowed}.`)))
            throw new ConfigFault(`--set ${text}: a run that is resumed can change only ${changeable.join(', ')}`);
        }
        const folder = findFolder(flags.dir, run);
        const parent = parentIn(folder.journal);
        if (parent !== null)
          throw new ConfigFault(
            `${folder.name} is one episode of ${parent.run}, played anew: it is not gone on with. Once more: ${program} replay ${parent.episode} --from ${parent.turn} --run ${parent.run}`,
          );
        const config = changeConfig(configOfRun(folder), flags.set);
        if (flags.dryRun) return dryRun(config, flags, terminal);
        terminal.say(`run ${folder.name} in ${folder.dir}, resumed`);
        return drive(config, folder, { ...flags, resume: true }, terminal);
      }),
    );

/** As it was resolved when the run began. Throws RecordFault where there is none, ConfigFault where this program no longer reads it. */
export function configOfRun(folder: RunFolder): Config {
  const [first] = framesFrom(folder.journal);
  if (first?.frame.kind !== 'run.started') throw new RecordFault(`the run ${folder.dir} was interrupted before it began; start it anew`);
  const parsed = Config.safeParse(first.frame.config);
  if (!parsed.success)
    throw new ConfigFault(
      `the config of ${folder.name} is of another version: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`,
    );
  return parsed.data;
}
