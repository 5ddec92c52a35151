/** What doctor says of a machine that is to run vLLM and PyTorch: each thing that is missing, with what provides it, and never a wait without end. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '../src/cli/check.ts';
import { acceleratorChecks } from '../src/cli/doctor-accelerator.ts';
import { pythonChecks } from '../src/cli/doctor-python.ts';
import { readConfig } from '../src/cli/settings/read.ts';
import { troupe } from './support/command-line.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-doctor-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A program that answers every question with `says`. */
function interpreter(name: string, says: string): string {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\n${says}\n`);
  chmodSync(path, 0o755);
  return path;
}
const whole = {
  python: '3.12.1',
  torch: '2.13.0',
  transformers: '5.19.0',
  peft: '0.21.2',
  msgpack: '1.2.4',
  vllm: '0.32.0',
  gpu: null,
  broken: null,
};
const answering = (name: string, change: Partial<Record<keyof typeof whole, string | null>> = {}): string =>
  interpreter(name, `echo 'a warning of some library'; echo '${JSON.stringify({ ...whole, ...change })}'`);

const config = (...more: string[]) =>
  readConfig({ set: ['engine.kind=vllm', 'trainer.kind=torch', 'trainer.adapter=lora', 'trainer.torch.device=cpu', ...more] });
const nowhere = { PATH: root, TROUPE_PYTHON_HOME: join(root, 'none') };

describe('of Python, doctor', () => {
  test('says nothing where none is needed', async () => {
    expect(await pythonChecks(readConfig({}), nowhere)).toEqual([]);
    const attached = readConfig({ set: ['engine.kind=vllm', 'trainer.kind=scripted', 'engine.vllm.servers=["http://127.0.0.1:1"]'] });
    expect(await pythonChecks(attached, nowhere)).toEqual([]);
  });

  test('names the command that makes one where there is none', async () => {
    expect(await pythonChecks(config(), nowhere)).toMatchObject([{ what: 'Python', ok: false, fix: 'npm run python' }]);
  });

  test('tells the versions of what the trainer and the server need', async () => {
    const rows = await pythonChecks(config(), { ...nowhere, TROUPE_PYTHON: answering('python-whole') });
    expect(rows.filter(({ what }) => what !== 'C++ compiler')).toMatchObject([
      { what: 'Python', ok: true },
      { what: 'trainer', ok: true, found: 'torch 2.13.0, transformers 5.19.0, peft 0.21.2, msgpack 1.2.4' },
      { what: 'vLLM', ok: true, found: 'vllm 0.32.0' },
    ]);
  });

  test('names each package that is missing, a library that does not load, and a GPU that PyTorch does not see', async () => {
    const python = answering('python-half', { peft: null, vllm: null, broken: 'ImportError: libcuda.so.1' });
    const rows = await pythonChecks(config(`python=${python}`, 'trainer.torch.device=cuda'), nowhere);
    expect(rows.filter(({ ok }) => !ok)).toMatchObject([
      { what: 'trainer', found: 'without peft' },
      { what: 'vLLM', found: 'without vllm' },
      { what: 'C++ compiler' },
      { what: 'PyTorch', found: 'ImportError: libcuda.so.1' },
      { what: 'GPU in PyTorch' },
    ]);
  });

  test.each([
    ['that fails', 'echo "no module named json" >&2; exit 1', 'does not answer'],
    ['that says something else', 'echo hello', 'answers unreadably'],
    ['that says nothing', 'exec sleep 60', 'does not answer'],
  ])('reports one %s, in time', async (name, says, found) => {
    const python = interpreter(`python ${name}`, says);
    const [row] = await pythonChecks(config(), { PATH: process.env['PATH'], TROUPE_PYTHON: python }, 500);
    expect(row).toMatchObject({ ok: false, found: expect.stringContaining(found) as string });
  });
});

describe('of servers, doctor', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    // An OpenAI-compatible server that is no vLLM and serves another model.
    server = createServer((request, response) => {
      response.writeHead(request.url === '/v1/models' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(request.url === '/v1/models' ? '{"object":"list","data":[{"id":"other"}]}' : '{"detail":"Not Found"}');
    });
    await new Promise<void>((started) => void server.listen(0, '127.0.0.1', started));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const rowsOf = async (...set: string[]) => acceleratorChecks(config('policy.model=models/tiny-base', ...set), {});

  test('says which does not answer, and which serves another model', async () => {
    const rows = await rowsOf(`engine.vllm.servers=["${url}", "http://127.0.0.1:1"]`);
    expect(rows.filter(({ ok }) => !ok)).toMatchObject([
      { what: expect.stringContaining('serves the base model') as string, found: 'it serves other, not base' },
      { what: '127.0.0.1:1 serves the base model', found: expect.stringContaining('ECONNREFUSED') as string },
    ]);
    expect(rows[0]).toMatchObject({ what: 'model', ok: true });
  });

  test('prints each capability that one lacks, with what provides it, and which of them nobody needs', async () => {
    const rows = await rowsOf(`engine.vllm.servers=["${url}"]`, 'engine.vllm.servedModel=other');
    const lacking = rows.filter(({ ok, optional }) => !ok && optional !== true).map(({ what }) => what.replace(/^\S+ /, ''));
    expect(lacking).toEqual(
      expect.arrayContaining([
        'tokens in, tokens out',
        'priorities',
        'adapters while it runs',
        'log-probs of the distribution sampled from',
      ]),
    );
    expect(rows.find(({ what }) => what.endsWith('priorities'))?.fix).toContain('--scheduling-policy priority');
    // Roles are played by code here.
    expect(rows.find(({ what }) => what.endsWith('replies by schema'))).toMatchObject({ ok: false, optional: true });
  });

  test('counts the sockets that calls may hold against what the system allows', async () => {
    const rows = await rowsOf('engine.vllm.connections=16384', `engine.vllm.servers=["${url}"]`);
    expect(rows.find(({ what }) => what === 'open files')?.found).toMatch(/up to 16640 used|unknown/);
  });
});

describe('on this machine, doctor', () => {
  const env = { PATH: '/nowhere', HF_HOME: join(root, 'hub'), TROUPE_PYTHON: '', TROUPE_PYTHON_HOME: join(root, 'none') };

  test('ends with 3 for an 8B model without card, files and Python, each with its fix', () => {
    const { code, out } = troupe(['doctor', resolve('configs/qwen3-8b-1gpu.yaml')], { cwd: root, env });
    expect(code).toBe(3);
    for (const words of ['npm run python', 'hf download Qwen/Qwen3-8B', 'nvidia-smi names none']) expect(out).toContain(words);
    expect(out).not.toContain('kernels');
  });

  test('says it as data too, and takes changes of the config', () => {
    const args = ['doctor', resolve('configs/vllm-tiny.yaml'), '--json', '--set', `python=${answering('python-of-all')}`];
    const rows = JSON.parse(troupe(args, { cwd: root, env }).out) as { what: string; ok: boolean }[];
    expect(rows.filter(({ ok }) => !ok).map(({ what }) => what)).toEqual(['C++ compiler']);
  });

  test('plans for the card that is here, and says what memory it has left', () => {
    const bin = mkdtempSync(join(root, 'bin-'));
    writeFileSync(join(bin, 'nvidia-smi'), "#!/bin/sh\necho 'NVIDIA A100-SXM4-40GB, 40960, 1000'\n");
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
    const config = resolve('configs/qwen3-8b-1gpu.yaml');
    const rows = JSON.parse(troupe(['doctor', config, '--json'], { cwd: root, env: { ...env, PATH: bin } }).out) as Check[];
    const row = (what: string) => rows.find((each) => each.what === what);
    // Full of something else now, which may have gone by the time of the run; too small it stays.
    expect(row('card')).toMatchObject({ ok: false, optional: true, found: expect.stringContaining('1.0 GiB of 40.0 GiB free') as string });
    expect(row('card memory')).toMatchObject({ ok: false, fix: expect.stringContaining('a card of 80 GiB') as string });
    const planned = troupe([config, '--dry-run'], { cwd: root, env: { ...env, PATH: bin } }).out;
    expect(planned).toContain('40.0 GiB (NVIDIA A100-SXM4-40GB)');
  });
});
