/** The dialect of models that follow instructions: English around JSON, one readable file a role. */
import type { Dialect } from '../dialect.ts';
import { judgeScript } from './judge.ts';
import { panelScript } from './panel.ts';
import { taskScript } from './task.ts';
import { toolScript } from './tool.ts';
import { userScript } from './user.ts';

export const prose: Dialect = {
  name: 'prose',
  task: taskScript,
  user: userScript,
  tool: toolScript,
  judge: judgeScript,
  panel: panelScript,
};
