/** Composition root of the supervised stage: a model, the teacher's world and the trainer, wired for gpu/imitation.ts. Trains nothing itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createEmbeddedTrainer } from '../gpu/trainers/embedded.ts';
import { initialise } from '../gpu/engines/embedded/initialise.ts';
import type { ModelShape } from '../gpu/engines/embedded/shape.ts';
import { type Imitated, type ImitationProgress, imitate } from '../gpu/imitation.ts';
import { drillOf, lessonOf, replyLessonOf } from '../gpu/lesson.ts';
import type { Renderer } from '../gpu/tokens/renderer.ts';
import { tinyRenderer } from '../gpu/tokens/tiny.ts';
import { vocabularyOf } from '../gpu/tokens/vocabulary.ts';
import { readModel, writeModel } from '../gpu/weights.ts';
import type { TokenSample } from '../learning/batch.ts';
import { aspectsAt } from '../learning/curriculum.ts';
import type { LessonPlan } from '../learning/imitation.ts';
import type { PolicyVersion, TaskId } from '../protocol/ids.ts';
import type { SimulatorRole } from '../protocol/outcome.ts';
import type { Task } from '../protocol/task.ts';
import { type Seed, seedOf, stream } from '../random.ts';
import type { TaskView } from '../simulation/contract.ts';
import { type Drill, idsOf, lookupDrill, requestsDrill } from '../simulation/procedural/drills.ts';
import { lexicon } from '../simulation/procedural/lexicon.ts';
import { defaultMix, type WorldMix } from '../simulation/procedural/plan.ts';
import { builtinRepository } from '../simulation/procedural/repository.ts';
import { writeTask } from '../simulation/procedural/task.ts';
import { chainTask, recoveryDrill, teacherEpisode, withCalls } from '../simulation/procedural/teacher.ts';
import { subset } from '../tools/repository.ts';
import { systemClock } from './clock.ts';
import { roleLesson } from './lessons/role.ts';
import { threadsOf } from './threads.ts';

/** Share of teacher episodes that show how to get over a slip. */
const recoveries = 0.1;
/** Share of chains that must begin with a question: with calls to come after it, what is missing is the hardest thing to see. */
const askingChains = 0.3;

export interface ImitationJob {
  /** Folder of checkpoints and of the first weights: an interrupted run goes on from here. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImitationProgress) => void;
}

/** Trains by imitation as `config.imitation` says. Rejects with CancelledFault after a checkpoint when interrupted. */
export async function runImitation(config: Config, { folder, signal, onProgress }: ImitationJob): Promise<Imitated> {
  const { imitation, engine, seed } = config;
  const start = firstModel(config, folder);
  const trainer = createEmbeddedTrainer({
    model: start,
    threads: threadsOf(config.trainer.threads),
    deterministic: engine.deterministic,
    clock: systemClock,
    deadlineMs: config.rollout.deadlines.stepMs,
  });
  const { vocabulary } = readModel(start);
  const renderer = tinyRenderer(vocabulary);
  const mix: WorldMix = { ...defaultMix, ...config.world, words: 'whole' };
  const played = (difficulty: number, of: Seed, role?: SimulatorRole): TokenSample => {
    const { messages, reply } = roleLesson((one) => viewOf(`role.${one}`, 'train', difficulty, one, 0.5), mix, of, role);
    return replyLessonOf(messages, reply, vocabulary);
  };
  try {
    return await imitate(
      {
        ...imitation,
        seed,
        examineEvery: imitation.evaluateEvery,
        examination: { levels: config.eval.levels, lessons: config.eval.tasks },
        checkpoints: join(folder, 'checkpoints'),
      },
      {
        trainer,
        lesson: (plan) => (plan.kind === 'role' ? played(plan.difficulty, plan.seed) : lesson({ ...plan, kind: plan.kind }, renderer, mix)),
        examinationLesson: (difficulty, n) => episodeLesson(heldOutTask(config.eval.seed, difficulty, n, mix), renderer),
        roleLesson: (role, difficulty, n) => played(difficulty, seedOf(config.eval.seed, 'role', n), role),
        clock: systemClock,
        signal,
      },
      onProgress,
    );
  } finally {
    await trainer.close();
  }
}

/** The directory training starts from; made once, so that a resumed run starts from the same bytes. */
function firstModel({ imitation, policy, seed, rollout }: Config, folder: string): string {
  if (imitation.start === 'model') return policy.model;
  const dir = join(folder, 'start');
  if (existsSync(dir)) return dir;
  const vocabulary = vocabularyOf(lexicon);
  const shape: ModelShape = {
    ...imitation.shape,
    vocab: Math.ceil(vocabulary.words.length / 64) * 64,
    eps: 1e-6,
    maxPositions: rollout.contextLength,
  };
  writeModel(dir, 0 as PolicyVersion, { shape, vocabulary, ...initialise(shape, seedOf(seed, 'weights')) });
  return dir;
}

function lesson(plan: LessonPlan & { readonly kind: Exclude<LessonPlan['kind'], 'role'> }, renderer: Renderer, mix: WorldMix): TokenSample {
  switch (plan.kind) {
    case 'lookup':
      return drillLesson(lookupDrill(plan.seed, plan.difficulty));
    case 'requests':
      return drillLesson(requestsDrill(plan.seed, plan.difficulty));
    case 'episode': {
      const draws = stream(plan.seed);
      const view = viewOf(`lesson.${plan.seed}`, 'train', plan.difficulty, plan.seed, 0.5);
      if (plan.chain)
        return episodeLesson(
          chainTask(withChain(view, draws.chance(1 / 3) ? 3 : 2, draws), mix, draws.chance(askingChains) ? 'ask' : 'call'),
          renderer,
        );
      if (draws.chance(recoveries)) return drillLesson(recoveryDrill(view, plan.seed, mix));
      return episodeLesson(writeTask(view, mix), renderer);
    }
    default:
      return plan.kind satisfies never;
  }
}

const drillLesson = (drill: Drill): TokenSample => drillOf(idsOf(drill), drill.trained);
const episodeLesson = (task: Task, renderer: Renderer): TokenSample => lessonOf(task, teacherEpisode(task).slice(1), renderer);

/** The same view with that many calls, and tools enough for them. */
function withChain(view: TaskView, calls: 2 | 3, draws: ReturnType<typeof stream>): TaskView {
  const aspects = withCalls(view.aspects, calls);
  const tools = view.tools.length >= calls ? view.tools : subset(builtinRepository, aspects.tools.value, draws, view.split);
  return { ...view, aspects, tools };
}

/** The n-th held-out task at a difficulty: every aspect at its bound. */
const heldOutTask = (seed: Seed, difficulty: number, n: number, mix: WorldMix): Task =>
  writeTask(viewOf(`heldOut.d${difficulty}.${n}`, 'heldOut', difficulty, seedOf(seed, 'heldOut', difficulty, n), 0), mix);

function viewOf(id: string, split: Task['split'], difficulty: number, seed: Seed, soft: number): TaskView {
  const draws = stream(seedOf(seed, 'view'));
  const aspects = aspectsAt(difficulty, draws, soft);
  return { id: id as TaskId, split, difficulty, aspects, tools: subset(builtinRepository, aspects.tools.value, draws, split), seed };
}
