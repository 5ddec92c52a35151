/** The dialect of the tiny model: words of its own vocabulary, one file a role. */
import type { Dialect } from '../dialect.ts';
import { judgeScript } from './judge.ts';
import { taskScript } from './task.ts';
import { toolScript } from './tool.ts';
import { userScript } from './user.ts';

export const words: Dialect = { name: 'words', task: taskScript, user: userScript, tool: toolScript, judge: judgeScript };
