/** The cast of the procedural environment: one line a role. */
import type { Simulators } from '../contract.ts';
import { proceduralJudge } from './judge.ts';
import { type WorldMix, defaultMix } from './plan.ts';
import { proceduralTaskWriter } from './task.ts';
import { proceduralTool } from './tool.ts';
import { proceduralUser } from './user.ts';

/** Task writer, user, tool and judge played by code. `mix` is plain data, so that a worker can build its own cast from a config. */
export const proceduralSimulators = (mix: Partial<WorldMix> = {}): Simulators => ({
  task: proceduralTaskWriter({ ...defaultMix, ...mix }),
  user: proceduralUser,
  tool: proceduralTool,
  judge: proceduralJudge,
});
