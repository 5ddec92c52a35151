/** Makes the engines and the trainer a config asks for, on the same model. Knows their kinds and nothing of what they are used for. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { ConfigFault } from '../errors.ts';
import { adapterWeights } from '../gpu/adapter.ts';
import { type BaseModel, openBase } from '../gpu/base-model.ts';
import type { Engine } from '../gpu/engine.ts';
import { createEmbeddedEngine } from '../gpu/engines/embedded.ts';
import { teacher, type Teacher } from '../gpu/engines/scripted-teacher.ts';
import { createScriptedEngine } from '../gpu/engines/scripted.ts';
import { findPython } from '../gpu/python.ts';
import type { Renderer } from '../gpu/tokens/renderer.ts';
import type { Trainer } from '../gpu/trainer.ts';
import { absentTrainer } from '../gpu/trainers/absent.ts';
import { createEmbeddedTrainer } from '../gpu/trainers/embedded.ts';
import { createScriptedTrainer } from '../gpu/trainers/scripted.ts';
import { createTorchTrainer } from '../gpu/trainers/torch.ts';
import { readModel } from '../gpu/weights.ts';
import type { Weights } from '../protocol/policy.ts';
import { seedOf } from '../random.ts';
import { teacherEpisode } from '../simulation/procedural/teacher.ts';
import { systemClock } from './clock.ts';
import type { GroupJob } from './group.ts';
import { serversFor, type ServerPorts } from './servers.ts';
import { trains } from './settings.ts';
import { lacksModel, standInBase } from './stand-in.ts';
import { threadsOf } from './threads.ts';
import { isBusy, playsTools } from './tool-answers.ts';

export interface Accelerator {
  /** At least one, each with the same model. */
  readonly engines: readonly Engine[];
  readonly trainer: Trainer;
  /** Told of each group before its first call: an engine that plays from the answers must know the questions. */
  announce(jobs: readonly GroupJob[]): void;
  /** Resolves when all of them answer: a process that was started loads its model first. Rejects with what keeps one from it. */
  ready(): Promise<void>;
}

/** The model a run starts from. One that is loaded in this process is read whole at once, so that a damaged one is refused before anything starts. */
export function baseFor(config: Config): BaseModel {
  if (lacksModel(config)) return standInBase(config);
  const { engine, trainer, policy, rollout } = config;
  const isServed = engine.kind === 'vllm' || engine.kind === 'fake';
  if (!isServed || trainer.kind === 'embedded') readModel(policy.model);
  const base = openBase(policy.model);
  // A server would find out by itself, after a minute and on a page of its log.
  if (isServed && rollout.contextLength > base.contextLength)
    throw new ConfigFault(
      `rollout.contextLength is ${rollout.contextLength}, and the model in ${base.dir} holds ${base.contextLength} tokens (max_position_embeddings); lower it`,
    );
  return base;
}

/** What answers before anything is trained. */
export const firstWeights = ({ policy }: Config, base: BaseModel): Weights =>
  policy.adapter === undefined ? base.weights : adapterWeights(policy.adapter);

/** `weights` answer at first; `base` stays the KL's reference. What is started is closed with `ports.opened`. */
export async function acceleratorFor(
  config: Config,
  base: BaseModel,
  weights: Weights,
  renderer: Renderer,
  ports: ServerPorts,
): Promise<Accelerator> {
  const { kind } = config.engine;
  const played = kind === 'scripted' || kind === 'fake' ? teacherOf(config, renderer) : undefined;
  const announce = (jobs: readonly GroupJob[]): void => {
    for (const job of jobs)
      played?.learn(
        job.group,
        job.task,
        // Where a language model plays the tools, code decides who is busy, and a right agent asks again.
        playsTools(job) ? (task) => teacherEpisode(task, (view) => isBusy(job, view)) : undefined,
      );
  };
  const { trainer, started } = trainerFor(config, base, ports);
  ports.opened.add(trainer, () => trainer.close());
  if (kind === 'embedded' || kind === 'scripted') {
    const engine = engineFor(config, kind, base, weights, played);
    ports.opened.add(engine, () => engine.close());
    return { engines: [engine], trainer, announce, ready: started };
  }
  const script =
    played === undefined
      ? undefined
      : (request: Parameters<Teacher['policy']>[0]) =>
          Array.from({ length: request.n }, (_, k) =>
            Array.from(played.policy(request, request.seed + k, request.version ?? weights.version)),
          );
  const servers = await serversFor(config, base, weights, script, ports);
  return {
    engines: servers.map(({ engine }) => engine),
    trainer,
    announce,
    ready: async () => {
      await Promise.all([started(), ...servers.map((server) => server.ready())]);
    },
  };
}

function engineFor(config: Config, kind: 'embedded' | 'scripted', base: BaseModel, weights: Weights, played: Teacher | undefined): Engine {
  const { engine, rollout, seed } = config;
  switch (kind) {
    case 'embedded':
      return createEmbeddedEngine({
        model: weights.dir,
        version: weights.version,
        threads: threadsOf(engine.threads),
        deterministic: engine.deterministic,
        batch: engine.batch,
        clock: systemClock,
        deadlineMs: rollout.deadlines.turnMs,
      });
    case 'scripted': {
      const { latencyMs, slowMs, error, malformed, hang, slow } = engine.scripted;
      return createScriptedEngine({
        policy: (played as Teacher).policy,
        clock: systemClock,
        seed: seedOf(seed, 'mishaps'),
        version: weights.version,
        versions: rollout.staleness + 1,
        contextLength: base.contextLength,
        latencyMs,
        slowMs,
        faults: { error, malformed, hang, slow },
      });
    }
    default:
      return kind satisfies never;
  }
}

/** Tokens whose pairs fit into some hundred megabytes. */
const scriptedVocabulary = 4096;

/** `started` resolves when it can train. */
function trainerFor(config: Config, base: BaseModel, { logs, fail }: ServerPorts): { readonly trainer: Trainer; started(): Promise<void> } {
  const { trainer, engine, rollout, policy, python, seed } = config;
  const { stepMs } = rollout.deadlines;
  const now = (): Promise<void> => Promise.resolve();
  if (!trains(config)) return { trainer: absentTrainer(), started: now };
  switch (trainer.kind) {
    case 'embedded':
      return {
        trainer: createEmbeddedTrainer({
          model: base.dir,
          threads: threadsOf(trainer.threads),
          deterministic: engine.deterministic,
          maxRows: trainer.microBatchTokens,
          clock: systemClock,
          deadlineMs: stepMs,
        }),
        started: now,
      };
    case 'scripted':
      if (base.vocabularySize > scriptedVocabulary)
        throw new ConfigFault(
          `trainer.kind scripted keeps a table of every pair of tokens, and ${base.dir} has ${base.vocabularySize} tokens; use torch, or a model of at most ${scriptedVocabulary}`,
        );
      return { trainer: createScriptedTrainer(base.vocabularySize), started: now };
    case 'torch': {
      const made = createTorchTrainer({
        python: findPython(python, process.env),
        model: base.dir,
        base: policy.model,
        adapter: trainer.adapter === 'none' ? 'none' : trainer.lora,
        ...trainer.torch,
        microBatchTokens: trainer.microBatchTokens,
        ...(trainer.threads === 0 ? {} : { threads: trainer.threads }),
        seed: seedOf(seed, 'adapter') % 2 ** 32,
        clock: systemClock,
        deadlineMs: Math.min(stepMs, trainer.torch.answerMs),
        logFile: join(logs, 'trainer.log'),
        onDeath: fail,
      });
      return { trainer: made, started: async () => void (await made.hello()) };
    }
    case 'tinker':
      throw new ConfigFault('trainer.kind tinker is not part of this version');
    default:
      return trainer.kind satisfies never;
  }
}

const teacherOf = ({ engine }: Config, renderer: Renderer): Teacher =>
  teacher({ renderer, turnsOf: teacherEpisode, skill: () => engine.scripted.skill });
