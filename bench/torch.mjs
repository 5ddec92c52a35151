// PyTorch's training rate on the same model and machine, one repetition whenever it is asked, so that it can be interleaved with ours. Knows no engine.
// Looked for in $TROUPE_PYTHON, else python3; absent is said aloud, never guessed.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../python/parity/reference_step.py', import.meta.url));

/** The interpreter and its torch's version, or why there is none. */
export function findTorch() {
  const python = process.env.TROUPE_PYTHON ?? 'python3';
  const asked = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  if (asked.status === 0) return { python, version: asked.stdout.trim() };
  return { reason: `${python} has no torch (set TROUPE_PYTHON to an interpreter that has one)` };
}

/** `repetition()` resolves with { tokensPerSecond, tokensPerCpuSecond }; rejects when the process ended. */
export async function torchSteps(python, threads) {
  const child = spawn(python, [script, String(threads), '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const repetition = async () => {
    child.stdin.write('\n');
    const { value, done } = await lines.next();
    if (done) throw new Error('the PyTorch process ended');
    return JSON.parse(value);
  };
  await repetition();
  return { repetition, close: () => child.stdin.end() };
}
