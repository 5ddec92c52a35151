/** Eleven lives of runs over the fake server with the scripted trainer: quick enough for many, and each ends as the undisturbed run did. */
import { resolve } from 'node:path';
import { describeLives } from '../../support/serving-suite.ts';

describeLives('a run over the fake server with the scripted trainer', {
  // D is fixed, so that tasks are the same whenever they are drawn. Some two seconds a step, so that there is a middle to strike in.
  config: (staleness) => ({
    name: `lag-${staleness}`,
    seed: 1,
    steps: 4,
    policy: { model: resolve('models/tiny-base') },
    engine: { kind: 'fake', scripted: { skill: 0.6 }, fake: { timeScale: 3 }, vllm: { healthMs: 500, answerMs: 1500 } },
    trainer: { kind: 'scripted', learningRate: 0.01, importance: staleness > 0 ? 'token' : 'none' },
    curriculum: { mode: 'fixed', start: 40 },
    rollout: { tasks: 4, group: 4, workers: 1, staleness },
    eval: { at: [] },
  }),
  lives: [
    { blows: ['kill server'], phase: 'rolling' },
    { blows: ['kill server'], phase: 'publishing' },
    { blows: ['kill warden'], phase: 'rolling' },
    { blows: ['hang server'], phase: 'rolling' },
    { blows: ['hang server'], phase: 'publishing' },
    { blows: ['kill run'], phase: 'updating' },
    { blows: ['hang server', 'kill run'], phase: 'rolling' },
    { blows: ['interrupt run'], phase: 'rolling' },
    { blows: ['kill server'], phase: 'updating', staleness: 1 },
    { blows: ['hang server'], phase: 'rolling', staleness: 1 },
    { blows: ['kill server', 'kill run'], phase: 'rolling', staleness: 1 },
  ],
  seed: 7000,
  longest: { rolling: 1500, updating: 60, publishing: 40 },
  patience: { runMs: 150_000, goneMs: 15_000 },
  repeats: true,
});
