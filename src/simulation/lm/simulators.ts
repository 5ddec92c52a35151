/** The cast that a language model plays: one line a role. */
import type { Simulators } from '../contract.ts';
import { lmJudge } from './judge.ts';
import { lmPanel } from './panel.ts';
import { prose } from './prose/prose.ts';
import type { Dialect } from './dialect.ts';
import type { LmSettings } from './settings.ts';
import { lmTaskWriter } from './task.ts';
import { lmTool } from './tool.ts';
import { lmUser } from './user.ts';
import { words } from './words/words.ts';

export const dialects = { prose, words };

/** Task writer, user, tool and judge played by a language model, in the dialect it understands. */
export function lmSimulators(settings: LmSettings): Simulators {
  const dialect: Dialect = dialects[settings.dialect];
  return {
    task: lmTaskWriter(dialect.task, settings),
    user: lmUser(dialect.user, settings),
    tool: lmTool(dialect.tool, settings),
    judge: lmJudge(dialect.judge, settings),
    ...(dialect.panel === undefined ? {} : { panel: lmPanel(dialect.panel, settings) }),
  };
}
