/** Which accelerator cards this machine has, as nvidia-smi tells. Uses none of them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Card {
  readonly name: string;
  readonly bytes: number;
  readonly freeBytes: number;
}

const run = promisify(execFile);
const answerMs = 10_000;
const mebibyte = 2 ** 20;

/** Empty where there is no card, no driver, or no answer within ten seconds. `program` is another's path in tests. */
export async function readCards(program = 'nvidia-smi'): Promise<readonly Card[]> {
  try {
    const { stdout } = await run(program, ['--query-gpu=name,memory.total,memory.free', '--format=csv,noheader,nounits'], {
      timeout: answerMs,
      maxBuffer: 1_000_000,
    });
    return stdout.split('\n').flatMap(cardIn);
  } catch {
    return [];
  }
}

/** `NVIDIA H100 80GB HBM3, 81559, 81079`, in MiB; other lines are no card. */
function cardIn(line: string): Card[] {
  const [, name, total, free] = /^\s*(.{1,200}?),\s*(\d{1,9}),\s*(\d{1,9})\s*$/.exec(line) ?? [];
  return name === undefined ? [] : [{ name, bytes: Number(total) * mebibyte, freeBytes: Number(free) * mebibyte }];
}
