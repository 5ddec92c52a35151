/** The launcher and its warden, with a few lines of Node as the server: what is started, started again, and ended with us. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { type LaunchedServer, type LaunchOptions, launchVllm } from '../src/gpu/engines/vllm/launcher.ts';
import { openServerLog } from '../src/gpu/engines/vllm/log.ts';

/**
 * Answers completions on the port it is given, and leaves its process id and that of a child of its own in `<folder>/pids`.
 * Where `<folder>/deaf` lies it does not answer; where `<folder>/broken` lies it ends at once.
 */
const source = `
  const [folder, port] = process.argv.slice(1);
  const fs = require('node:fs'), { spawn } = require('node:child_process');
  console.log('loading ' + 'weights');
  if (fs.existsSync(folder + '/broken')) { console.error('CUDA out of memory'); process.exit(3); }
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  if (fs.existsSync(folder + '/stubborn')) process.on('SIGTERM', () => {});
  require('node:http').createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk)).on('end', () => {
      if (request.url === '/is_sleeping') return response.end('{"is_sleeping":false}');
      if (fs.existsSync(folder + '/deaf')) return;
      const { model } = JSON.parse(text);
      const choice = { index: 0, finish_reason: 'length', token_ids: [5], logprobs: { token_logprobs: [-1] } };
      response.end(JSON.stringify({ model, choices: [choice] }));
    });
  }).listen(Number(port), '127.0.0.1', () => fs.writeFileSync(folder + '/pids', process.pid + ' ' + child.pid));
`;

let folder: string;
let server: LaunchedServer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-launch-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const launch = async (change: Partial<LaunchOptions> = {}): Promise<LaunchedServer> =>
  (server = await launchVllm({
    command: (port) => [process.execPath, '-e', source, folder, String(port)],
    env: {},
    port: 0,
    servedModel: 'base',
    logFile: join(folder, 'logs', 'server.log'),
    clock: systemClock,
    startMs: 20_000,
    healthMs: 0,
    backoffMs: 10,
    graceMs: 300,
    ...change,
  }));
const pids = (): number[] => readFileSync(join(folder, 'pids'), 'utf8').split(' ').map(Number);
/** A process that has ended and whose parent has not yet asked is a zombie: gone, too. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    if (existsSync('/proc/self/status')) return false;
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const until = async (what: () => boolean): Promise<void> => {
  for (const began = performance.now(); !what();) {
    if (performance.now() - began > 10_000) throw new Error('it did not happen within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test('a server is ready when it has answered one token, and is gone with its children when closed', async () => {
  const lines: string[] = [];
  const of = await launch({ onLine: (line) => lines.push(line) });
  await of.ready();
  const all = pids();
  expect(all.map(isAlive)).toEqual([true, true]);
  expect(lines).toContain('loading weights');
  await of.close();
  await until(() => !all.some(isAlive));
  expect(readFileSync(join(folder, 'logs', 'server.log'), 'utf8')).toContain('loading weights\n');
});

test('a server that ignores SIGTERM is killed', async () => {
  writeFileSync(join(folder, 'stubborn'), '');
  const of = await launch();
  await of.ready();
  const all = pids();
  await of.close();
  await until(() => !all.some(isAlive));
});

test('a server that has answered nobody yet is ended at once, whatever it makes of SIGTERM', async () => {
  for (const name of ['stubborn', 'deaf']) writeFileSync(join(folder, name), '');
  const of = await launch({ graceMs: 60_000 });
  await until(() => existsSync(join(folder, 'pids')));
  const all = pids();
  const began = performance.now();
  await of.close();
  expect(performance.now() - began).toBeLessThan(30_000);
  await until(() => !all.some(isAlive));
});

test('a server that dies is started again on the same port', async () => {
  const reasons: string[] = [];
  const of = await launch({ onRestart: (reason) => reasons.push(reason) });
  await of.ready();
  const [first = 0, child = 0] = pids();
  process.kill(first, 'SIGKILL');
  await until(() => reasons.length === 1);
  await of.ready();
  expect(of.restarts).toBe(1);
  expect(pids()[0]).not.toBe(first);
  expect(isAlive(child)).toBe(false);
});

test('a server that falls silent is ended at once and started again, and is said to be back', async () => {
  const reasons: string[] = [];
  let returns = 0;
  // It heeds no SIGTERM, as one that hangs does not: nobody waits for it to. The next one does.
  const stubborn = join(folder, 'stubborn');
  writeFileSync(stubborn, '');
  const of = await launch({
    healthMs: 20,
    answerMs: 100,
    graceMs: 60_000,
    onRestart: (reason) => {
      reasons.push(reason);
      rmSync(stubborn);
    },
    onReturn: () => returns++,
  });
  await of.ready();
  const [first = 0] = pids();
  writeFileSync(join(folder, 'deaf'), '');
  await until(() => reasons.length === 1);
  rmSync(join(folder, 'deaf'));
  await of.ready();
  expect(reasons[0]).toMatch(/did not answer two questions/);
  expect(isAlive(first)).toBe(false);
  expect(returns).toBe(1);
});

test('a server whose warden is killed is ended and started again, with nothing left of the first', async () => {
  const reasons: string[] = [];
  const of = await launch({ onRestart: (reason) => reasons.push(reason) });
  await of.ready();
  const first = pids();
  process.kill(of.pid as number, 'SIGKILL');
  await until(() => reasons.length === 1);
  await of.ready();
  expect(first.map(isAlive)).toEqual([false, false]);
  expect(pids()).not.toEqual(first);
});

test('a server that never starts is not tried again, and its last words are told', async () => {
  writeFileSync(join(folder, 'broken'), '');
  const of = await launch();
  await expect(of.ready()).rejects.toThrow(
    /did not start: it ended with code 3; its output is in .*server\.log, and ends\n.*CUDA out of memory/s,
  );
  expect(of.restarts).toBe(0);
});

test('a command that does not exist is told', async () => {
  const of = await launch({ command: () => [join(folder, 'no-python')] });
  await expect(of.ready()).rejects.toThrow(/did not start: .*no-python: spawn .* ENOENT/s);
});

test('a port that is taken is refused, so that no other server is taken for ours', async () => {
  const other = await launch();
  await other.ready();
  const port = Number(new URL(other.url).port);
  await expect(
    launchVllm({
      command: () => [],
      env: {},
      port,
      servedModel: 'base',
      logFile: join(folder, 'x.log'),
      clock: systemClock,
      startMs: 1000,
    }),
  ).rejects.toThrow(/engine\.vllm\.port \d+ on 127\.0\.0\.1 cannot be had/);
});

test('after so many failures in a row it is given up, and said so', async () => {
  let fault: Error | undefined;
  const of = await launch({ attempts: 3, onFault: (end) => (fault = end) });
  await of.ready();
  writeFileSync(join(folder, 'broken'), '');
  process.kill(pids()[0] as number, 'SIGKILL');
  await until(() => fault !== undefined);
  expect(fault?.message).toMatch(/did not start/);
  expect(of.restarts).toBe(2);
  await expect(of.ready()).rejects.toBe(fault);
});

test('a server does not outlive a Troupe that was killed', async () => {
  // What holds the launcher is killed as nothing can forbid: its warden reads the end of its own stdin.
  const warden = new URL('../dist/gpu/engines/vllm/warden.js', import.meta.url).pathname;
  const holder = `
    const { spawn } = require('node:child_process');
    spawn(process.execPath, [${JSON.stringify(warden)}, '300', process.execPath, '-e', ${JSON.stringify(source)}, ${JSON.stringify(folder)}, '0'],
      { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  `;
  const troupe = spawn(process.execPath, ['-e', holder], { stdio: 'ignore' });
  await until(() => existsSync(join(folder, 'pids')) && pids().length === 2);
  const all = pids();
  troupe.kill('SIGKILL');
  await until(() => !all.some(isAlive));
});

test('the log keeps its bound, with the last lines at hand', () => {
  const file = join(folder, 'server.log');
  const lines: string[] = [];
  const log = openServerLog(file, 1000, (line) => lines.push(line));
  for (let i = 0; i < 100; i++) log.write(Buffer.from(`line ${i} ${'.'.repeat(40)}\nhalf`));
  log.close();
  expect(statSync(file).size).toBeLessThanOrEqual(1000);
  expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(1000);
  expect(log.tail).toHaveLength(20);
  expect(lines[99]).toMatch(/^halfline 99/);
  expect(lines[100]).toBe('half');
});
