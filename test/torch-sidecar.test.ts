import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { simulatedClock, systemClock } from '../src/actors/clock.ts';
import { ConfigFault, RecordFault, TrainerFault } from '../src/errors.ts';
import type { Clock } from '../src/gpu/clock.ts';
import { createTorchTrainer } from '../src/gpu/trainers/torch.ts';
import { frameOf, frameReader } from '../src/gpu/trainers/torch/frames.ts';
import { processLog } from '../src/gpu/trainers/torch/log.ts';
import { foreignBatch } from '../src/gpu/trainers/torch/pack.ts';
import { type Sidecar, startSidecar } from '../src/gpu/trainers/torch/sidecar.ts';
import { findPython, pythonHome } from '../src/gpu/python.ts';
import { packForeign, unpackForeign, WireError } from '../src/protocol/codec.ts';
import { batchOf, sample } from './support/trainer-conformance.ts';

const open: Sidecar[] = [];
afterEach(() => Promise.all(open.splice(0).map((sidecar) => sidecar.close())));

function host(clock: Clock = systemClock, logFile?: string, onDeath?: (fault: Error) => void): Sidecar {
  const sidecar = startSidecar({
    name: 'the host',
    command: [process.execPath, 'test/support/hosts/sidecar.mjs'],
    cwd: process.cwd(),
    env: process.env,
    clock,
    logFile,
    remedy: 'give it one',
    ...(onDeath === undefined ? {} : { onDeath }),
  });
  open.push(sidecar);
  return sidecar;
}

describe('a sidecar', () => {
  it('answers each call with its own answer, many at once and large ones', async () => {
    const sidecar = host();
    const large = new Uint8Array(3_000_000).fill(7);
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, (_, i) => sidecar.call('echo', { i }, 20_000)),
      sidecar.call('echo', { large }, 20_000),
    ]);
    expect(answers.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => ({ i })));
    expect(Buffer.compare((answers[50] as { large: Uint8Array }).large, large)).toBe(0);
  });

  it.each([
    ['trainer', TrainerFault],
    ['record', RecordFault],
    ['config', ConfigFault],
  ])('turns a %s fault of the other side into one of ours, and goes on', async (kind, Kind) => {
    const sidecar = host();
    const fault: unknown = await sidecar.call('fail', kind, 20_000).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Kind);
    expect(fault).toMatchObject({ message: 'the host: no such thing', raw: undefined });
    await expect(sidecar.call('echo', 1, 20_000)).resolves.toBe(1);
  });

  it('rejects everything pending when the process dies, with what it last said', async () => {
    const sidecar = host();
    const pending = [sidecar.call('hang', null, 20_000), sidecar.call('die', null, 20_000)];
    for (const call of await Promise.allSettled(pending))
      expect(String((call as PromiseRejectedResult).reason)).toMatch(/ended with code 3; it last said:\na last word/);
    await expect(sidecar.call('echo', 1, 20_000)).rejects.toBeInstanceOf(TrainerFault);
  });

  it('says what a process lacks, and what to do, where it ends with code 78', async () => {
    const fault: unknown = await host()
      .call('lack', null, 20_000)
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ConfigFault);
    expect(fault).toMatchObject({ message: 'the host cannot run: this host lacks a limb; give it one' });
  });

  it('kills a process that misses a deadline, even one that never looks up', async () => {
    const clock = simulatedClock();
    const sidecar = host(clock);
    await sidecar.call('echo', null, 1000);
    const call = expect(sidecar.call('spin', null, 1000)).rejects.toThrow(/did not answer spin within 1000 ms/);
    clock.advance(1000);
    await call;
    await expect(sidecar.call('echo', 1, 1000)).rejects.toThrow(/did not answer spin/);
    expect(clock.armed).toBe(0);
    // Resolves only when the process is gone.
    await sidecar.close();
  });

  it.each(['print', 'stranger', 'shapeless'])('stops believing a process that answers what is none: %s', async (verb) => {
    const sidecar = host();
    await expect(sidecar.call(verb, null, 20_000)).rejects.toThrow(/answered what is no frame/);
    await expect(sidecar.call('echo', 1, 20_000)).rejects.toBeInstanceOf(TrainerFault);
  });

  it('says so when there is nothing to start', async () => {
    const sidecar = startSidecar({
      name: 'the host',
      command: ['/nowhere/python'],
      remedy: '',
      cwd: process.cwd(),
      env: {},
      clock: systemClock,
    });
    await expect(sidecar.call('echo', 1, 20_000)).rejects.toThrow(/cannot be started: .*ENOENT/);
    await sidecar.close();
  });

  it('tells of its death as soon as it has died, asked or not; of an end of our making nobody is told', async () => {
    const deaths: string[] = [];
    const dying = host(systemClock, undefined, (fault) => deaths.push(fault.message));
    await dying.call('echo', 1, 20_000);
    await dying.call('die', null, 20_000).catch(() => undefined);
    const closed = host(systemClock, undefined, (fault) => deaths.push(fault.message));
    await closed.call('echo', 1, 20_000);
    await closed.close();
    const hung = host(systemClock, undefined, (fault) => deaths.push(fault.message));
    await hung.call('hang', null, 200).catch(() => undefined);
    await hung.close();
    expect(deaths).toEqual([expect.stringMatching(/^the host ended with code 3/)]);
  });

  it('is waited for when it is closed, even by a process that has nothing else to wait for', () => {
    const script = `
      const { startSidecar } = await import(${JSON.stringify(resolve('dist/gpu/trainers/torch/sidecar.js'))});
      const clock = { now: () => performance.now(), after: (ms, wake) => { const timer = setTimeout(wake, ms); return () => clearTimeout(timer); } };
      const command = [process.execPath, 'test/support/hosts/sidecar.mjs'];
      const sidecar = startSidecar({ name: 'the host', command, cwd: process.cwd(), env: process.env, clock, remedy: '' });
      await sidecar.call('echo', 1, 20000);
      await sidecar.close();
      console.log('closed');
    `;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('closed\n');
  });

  it('rejects what is pending when it is closed', async () => {
    const sidecar = host();
    const call = expect(sidecar.call('hang', null, 20_000)).rejects.toThrow(/is closed/);
    await sidecar.close();
    await call;
  });
});

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (bodies, cuts) => {
          const stream = Buffer.concat(bodies.flatMap((body) => frameOf(body)));
          const taken: Uint8Array[] = [];
          const feed = frameReader((body) => taken.push(Uint8Array.from(body)));
          for (let at = 0, i = 0; at < stream.length; i++) {
            const next = at + (cuts[i % cuts.length] as number);
            feed(stream.subarray(at, next));
            at = next;
          }
          expect(taken).toEqual(bodies);
        },
      ),
    );
  });

  it('are refused unread above their bound', () => {
    const feed = frameReader(() => undefined);
    expect(() => feed(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toThrow(WireError);
  });

  it('carry what JSON can say, bytes and non-finite numbers to other languages, and no extension types', () => {
    const value = { a: [1, -1.5, null, true, 'ü'], b: Uint8Array.of(1, 2), c: Infinity, big: 2 ** 40 };
    const back = unpackForeign(packForeign(value)) as typeof value;
    expect({ ...back, b: Uint8Array.from(back.b) }).toEqual(value);
    expect(unpackForeign(packForeign({ gone: undefined }))).toEqual({ gone: null });
    expect(() => unpackForeign(Uint8Array.of(0x92, 1))).toThrow(WireError);
  });
});

describe('a batch for the sidecar', () => {
  const one = sample('g', [1, 2], [3], 0.5);

  it('lays samples behind each other', () => {
    const batch = foreignBatch(batchOf(one, sample('g', [4], [5, 6], -1)));
    expect(new Int32Array(Uint8Array.from(batch.ids.data).buffer)).toEqual(Int32Array.of(1, 2, 3, 4, 5, 6));
    expect(batch.sampled.data).toEqual(Uint8Array.of(0, 0, 1, 0, 1, 1));
    expect(new Int32Array(Uint8Array.from(batch.lengths.data).buffer)).toEqual(Int32Array.of(3, 3));
    expect(batch).toMatchObject({ proximal: null, denominator: 3 });
  });

  it('refuses proximal log-probs of some samples only', () => {
    expect(() => foreignBatch(batchOf({ ...one, proximal: new Float32Array(3) }, one))).toThrow(RangeError);
  });
});

describe('the log of a process', () => {
  it('keeps a bounded file and the last lines', () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-log-'));
    const file = join(folder, 'deep', 'trainer.log');
    const log = processLog(file, 100);
    for (let i = 0; i < 100; i++) log.add(`line ${i}\n`);
    expect(log.tail().split('\n')).toEqual(Array.from({ length: 12 }, (_, i) => `line ${88 + i}`));
    expect(readFileSync(file, 'utf8')).toMatch(/^line 0\n[^]*this log ends after 100 characters\n$/);
    expect(readFileSync(file).length).toBeLessThan(200);
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('the torch trainer without its Python', () => {
  const without = () =>
    createTorchTrainer({
      python: '/nowhere/python',
      model: 'models/tiny-base',
      adapter: 'none',
      device: 'cpu',
      dtype: 'float32',
      gradientCheckpointing: false,
      microBatchTokens: 512,
      seed: 1,
      clock: systemClock,
      deadlineMs: 20_000,
    });

  it('rejects each verb with what is missing', async () => {
    const trainer = without();
    await expect(trainer.logprobs(batchOf(sample('g', [1], [2], 1)))).rejects.toThrow(/the torch trainer cannot be started/);
    await expect(trainer.hello()).rejects.toBeInstanceOf(ConfigFault);
    await expect(trainer.saveState('test')).rejects.toBeInstanceOf(RecordFault);
    await trainer.close();
  });

  it('has no Muon', async () => {
    const trainer = without();
    await expect(trainer.optimStep({ kind: 'muon', learningRate: 1, matrixLearningRate: 1, weightDecay: 0, clip: 0 })).rejects.toThrow(
      /no muon/,
    );
    await trainer.close();
  });
});

describe('the search for a Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-python-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the configured path before TROUPE_PYTHON, and a bare name from PATH', () => {
    expect(findPython(process.execPath, { TROUPE_PYTHON: '/elsewhere' })).toBe(process.execPath);
    expect(findPython('auto', { TROUPE_PYTHON: process.execPath })).toBe(process.execPath);
    expect(findPython('node', { PATH: join(process.execPath, '..') })).toBe(process.execPath);
  });

  it('names what is missing and the command that makes it', () => {
    expect(() => findPython('/nowhere/python', {})).toThrow(/there is no \/nowhere\/python; `npm run python`/);
    expect(() => findPython('auto', { TROUPE_PYTHON_HOME: folder })).toThrow(ConfigFault);
    expect(() => findPython('auto', { TROUPE_PYTHON_HOME: folder })).toThrow(/`npm run python` makes one in/);
  });

  it('names the environment after what is installed in it, where the script puts it', () => {
    const home = pythonHome({ XDG_CACHE_HOME: '/cache' });
    const key = execFileSync('bash', ['-c', "sed -n 's/^key=//p' ../scripts/python.sh | sed 's/^/echo /' | bash"], {
      cwd: 'python',
      encoding: 'utf8',
    });
    expect(home).toBe(`/cache/troupe/python-${key.trim()}`);
    expect(pythonHome({ TROUPE_PYTHON_HOME: '/mine' })).toBe('/mine');
  });
});
