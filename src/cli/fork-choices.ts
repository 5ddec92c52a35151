/** What a page may change in a fork: who plays user, tools and judge, and how a model is asked. Nothing that names a file, a server or a command: those are for whoever sits at the terminal. */
import { trainedIn, versionsKept } from '../actors/original.ts';
import type { Config } from '../config.ts';
import { ConfigFault } from '../errors.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import type { RunFolder } from '../record/folder.ts';
import type { ForkChoices } from '../viewer/contract.ts';
import { configOfFork } from './fork.ts';
import { entryOf } from './settings/manual.ts';

const roles = ['user', 'tool', 'judge'] as const;

/** Of the policy's turns, whoever plays the others. */
const ofThePolicy = ['rollout.maxTokens', 'rollout.contextLength'];
/** Of simulators that are language models. */
const ofModels = [
  'simulation.dialect',
  ...roles.flatMap((role) => [`simulation.temperature.${role}`, `simulation.maxTokens.${role}`]),
  ...['structured', 'worldCharacters', 'cache', 'toolSeesIntent', 'fidelity', 'judge.gates', 'judge.votes'].map(
    (key) => `simulation.${key}`,
  ),
  'rollout.askAttempts',
  'world.transient',
];
const ofScripts = ['engine.scripted.skill'];
const ofTheBrain = ['malformed', 'inconsistent', 'leaking', 'hanging', 'hostile', 'misjudging', 'variance'].map(
  (key) => `engine.fake.brain.${key}`,
);

const changeable = new Set([...roles.map((role) => `roles.${role}`), ...ofThePolicy, ...ofModels, ...ofScripts, ...ofTheBrain]);

/** As they came. Throws ConfigFault for one that a page may not change. */
export function checkedChanges(set: readonly string[]): readonly string[] {
  for (const text of set) {
    const key = text.split('=')[0]?.trim() ?? '';
    if (!changeable.has(key))
      throw new ConfigFault(`${key === '' ? text : key} cannot be changed from the page; in the terminal: replay … --set ${text}`);
  }
  return set;
}

export function forkChoices(parent: RunFolder, episode: EpisodeId): ForkChoices {
  const config = configOfFork(parent, episode, []);
  const { kind } = config.engine;
  const models = kind === 'vllm' || kind === 'fake';
  const keys = [
    ...ofThePolicy,
    ...(models ? ofModels : []),
    ...(kind === 'scripted' || kind === 'fake' ? ofScripts : []),
    ...(kind === 'fake' ? ofTheBrain : []),
  ];
  return {
    seed: config.seed,
    versions: versionsKept(trainedIn(parent)),
    isDeterministic: kind !== 'vllm',
    roles: roles.map((role) => {
      const now = config.roles[role];
      return { role, now, refusal: refusalOf(parent, episode, `roles.${role}=${now === 'lm' ? 'procedural' : 'lm'}`) };
    }),
    settings: keys.map((key) => {
      const { meaning = '', allowed = '' } = entryOf(key) ?? {};
      return { key, meaning, allowed, value: `${valueAt(config, key) as string | number | boolean}` };
    }),
  };
}

/** Why a change cannot be made; null where it can. */
function refusalOf(parent: RunFolder, episode: EpisodeId, change: string): string | null {
  try {
    configOfFork(parent, episode, [change]);
    return null;
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    // Which change and which key it is of is plain where it is shown.
    return error.message.replace(/^(?:--set \S+: )?(?:[\w.]+: )?/, '');
  }
}

function valueAt(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const step of key.split('.')) value = (value as Readonly<Record<string, unknown>> | undefined)?.[step];
  return value;
}
