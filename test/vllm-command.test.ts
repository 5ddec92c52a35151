import { expect, test } from 'vitest';
import { vllmCommand, vllmEnvironment, type VllmCommand } from '../src/gpu/engines/vllm/command.ts';

const options: VllmCommand = {
  command: ['{python}', '-m', 'vllm.entrypoints.openai.api_server', '--model', '{model}'],
  python: '/env/bin/python',
  model: '/models/{python} x',
  servedModel: 'base',
  port: 8000,
  contextLength: 4096,
  maxSequences: 256,
  dtype: 'bfloat16',
};

test('the command holds every flag the engine relies on, and listens on loopback only', () => {
  expect(vllmCommand({ ...options, model: '/models/q', adapters: { versions: 2, rank: 32 } }).join(' ')).toBe(
    '/env/bin/python -m vllm.entrypoints.openai.api_server --model /models/q --served-model-name base --host 127.0.0.1 --port 8000 ' +
      '--max-model-len 4096 --max-num-seqs 256 --dtype bfloat16 --generation-config vllm --logprobs-mode processed_logprobs ' +
      '--scheduling-policy priority --enable-prompt-tokens-details --disable-uvicorn-access-log --enable-lora --max-loras 3 --max-lora-rank 32',
  );
});

test('a path is one word and is not filled in a second time', () => {
  expect(vllmCommand(options)[4]).toBe('/models/{python} x');
});

test('a rank without a kernel gets the next larger one', () => {
  expect(vllmCommand({ ...options, adapters: { versions: 1, rank: 12 } }).slice(-2)).toEqual(['--max-lora-rank', '16']);
});

test('a server that serves the base only gets no adapter flags', () => {
  expect(vllmCommand(options).join(' ')).not.toContain('lora');
});

test('sleep and memory are asked for where wanted, and the user has the last word', () => {
  const words = vllmCommand({ ...options, sleeps: true, gpuMemory: 0.55, args: ['--dtype', 'auto'] });
  expect(words.slice(-5)).toEqual(['--enable-sleep-mode', '--gpu-memory-utilization', '0.55', '--dtype', 'auto']);
});

test('a server on a CPU computes prompts whole', () => {
  expect(vllmCommand({ ...options, cpu: true }).at(-1)).toBe('--no-enable-chunked-prefill');
  expect(vllmCommand(options)).not.toContain('--no-enable-chunked-prefill');
});

test('the environment lets adapters be loaded, sends nothing home, and the user’s wins', () => {
  expect(vllmEnvironment({ cacheDir: '/cache', cpuCacheGiB: 2, env: { HF_HUB_OFFLINE: '0', X: 'y' } })).toEqual({
    VLLM_ALLOW_RUNTIME_LORA_UPDATING: '1',
    VLLM_SERVER_DEV_MODE: '1',
    HF_HUB_OFFLINE: '0',
    VLLM_NO_USAGE_STATS: '1',
    DO_NOT_TRACK: '1',
    TORCHINDUCTOR_CACHE_DIR: '/cache',
    VLLM_CPU_KVCACHE_SPACE: '2',
    X: 'y',
  });
});
