/** The vLLM servers of a run, each as an engine: those that run already, or one that is started here, real or fake. Knows processes, and not what they are asked. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { ConfigFault, EngineFault } from '../errors.ts';
import { type BaseModel } from '../gpu/base-model.ts';
import { readCards } from '../gpu/cards.ts';
import { fakeCommand, type FakeOptions } from '../gpu/engines/fake.ts';
import { createVllmEngine, type VllmEngine, type VllmOptions } from '../gpu/engines/vllm.ts';
import { type LaunchOptions, launchVllm } from '../gpu/engines/vllm/launcher.ts';
import { findPython } from '../gpu/python.ts';
import type { Weights } from '../protocol/policy.ts';
import { systemClock } from './clock.ts';
import { memoryPlanFor } from './memory.ts';
import type { Openings } from './openings.ts';
import { isTimesliced } from './settings.ts';
import { runsPython, serverCommand, serverEnvironment } from './serving.ts';

export interface ServerPorts {
  /** Opens every adapter's name on the servers. */
  readonly run: string;
  /** Where a started server's output goes. */
  readonly logs: string;
  readonly opened: Openings;
  note(text: string): void;
  /** Told when a server that was started here answers again after a death or a silence. */
  returned(server: number): void;
  /** A server or a trainer that was started here is lost for good. */
  fail(fault: unknown): void;
}

/** An engine, and when the process behind it answers. */
export interface Served {
  readonly engine: VllmEngine;
  ready(): Promise<void>;
}

/** `weights` answer at first. `script`: what a fake server is to say. Rejects with ConfigFault where a server cannot be started. */
export async function serversFor(
  config: Config,
  base: BaseModel,
  weights: Weights,
  script: VllmOptions['script'],
  ports: ServerPorts,
): Promise<readonly Served[]> {
  const { vllm, kind } = config.engine;
  const places =
    vllm.servers.length > 0
      ? vllm.servers.map((url) => ({ url, up: () => Promise.resolve() }))
      : [kind === 'fake' ? await startFake(config, base, ports) : await startServer(config, base, ports)];
  return places.map(({ url, up }) => {
    const engine = createVllmEngine({ ...engineOptions(config, weights, ports.run), url, ...(script === undefined ? {} : { script }) });
    ports.opened.add(engine, () => engine.close());
    return {
      engine,
      ready: async () => {
        await up();
        await engine.ready().catch((fault: unknown) => {
          throw vllm.servers.includes(url) && isAway(fault) ? absent(url, fault) : fault;
        });
      },
    };
  });
}

const isAway = (fault: unknown): fault is EngineFault =>
  fault instanceof EngineFault && (fault.trouble === 'absent' || fault.trouble === 'unreachable');

const absent = (url: string, cause: EngineFault): EngineFault =>
  new EngineFault(
    `engine.vllm.servers: nothing answers at ${url} (${cause.message}); start a server there (--dry-run prints the command), or leave engine.vllm.servers out and one is started`,
    { cause, trouble: 'unreachable' },
  );

function engineOptions(config: Config, weights: Weights, run: string): Omit<VllmOptions, 'url'> {
  const { engine, trainer, rollout } = config;
  const { vllm, kind } = engine;
  return {
    clock: systemClock,
    weights,
    adapterPrefix: run,
    contextLength: rollout.contextLength,
    // A few wait at the server itself, so that no slot stands empty for the time of a way there and back.
    concurrency: Math.ceil(vllm.maxSequences * (1 + reserveShare)),
    servedModel: vllm.servedModel,
    versions: rollout.staleness + 1,
    connections: vllm.connections,
    replyBytes: vllm.replyBytes,
    sleeps: isTimesliced(config),
    probed: kind !== 'fake',
    // Only where nothing is an adapter: a fake server has no model, and a scripted trainer changes none.
    unchanging: trainer.adapter === 'none',
  };
}

/**
 * Of a server's sequences: so many more calls are sent than it runs. Some are on their way; and a group's merged first turn holds all its slots here until its longest sample
 * ends, while the server has given the others away. Measured by bench/broker.mjs; below the share of waiting calls that counts as pressure (gpu/admission.ts).
 */
const reserveShare = 5 / 16;

interface Place {
  readonly url: string;
  up(): Promise<void>;
}

async function startServer(config: Config, base: BaseModel, ports: ServerPorts): Promise<Place> {
  const [card] = await readCards();
  const memory = card === undefined ? null : memoryPlanFor(config, base.facts, card.bytes);
  if (memory !== null && memory.problem !== null) throw new ConfigFault(`${memory.problem}; --dry-run prints the plan`);
  const python = runsPython(config) ? findPython(config.python, process.env) : '';
  const place = { python, share: memory?.serverShare, cpu: card === undefined, env: process.env };
  const logFile = join(ports.logs, 'vllm.log');
  const server = await launch(config, ports, {
    name: 'the vLLM server',
    command: (port) => serverCommand(config, place, port),
    env: serverEnvironment(config, place),
    logFile,
  });
  ports.note(`starting a vLLM server at ${server.url}; its output goes to ${logFile}`);
  return server;
}

async function startFake(config: Config, base: BaseModel, ports: ServerPorts): Promise<Place> {
  const { engine, trainer, rollout } = config;
  const options: FakeOptions = {
    model: engine.vllm.servedModel,
    vocabulary: Math.max(16, base.vocabularySize),
    ...(base.facts.end[0] === undefined ? {} : { eos: base.facts.end[0] }),
    contextLength: rollout.contextLength,
    maxSequences: engine.vllm.maxSequences,
    maxAdapters: rollout.staleness + 2,
    maxRank: trainer.lora.rank,
    timeScale: engine.fake.timeScale,
    brain: engine.fake.brain,
  };
  const server = await launch(config, ports, {
    name: 'the fake vLLM server',
    command: (port) => fakeCommand(options, port),
    env: {},
    logFile: join(ports.logs, 'fake.log'),
    // It starts in no time and has nothing to lose.
    backoffMs: 200,
    graceMs: 500,
  });
  ports.note(`the server at ${server.url} is a fake: it has no model, and says what the scripted teacher would`);
  return server;
}

type Launch = Pick<LaunchOptions, 'name' | 'command' | 'env' | 'logFile' | 'backoffMs' | 'graceMs'>;

/** Real or fake, it is watched, started again and ended alike. */
async function launch({ engine: { vllm } }: Config, { opened, note, returned, fail }: ServerPorts, how: Launch): Promise<Place> {
  const server = await launchVllm({
    ...how,
    port: vllm.port,
    servedModel: vllm.servedModel,
    clock: systemClock,
    startMs: vllm.startMs,
    healthMs: vllm.healthMs,
    answerMs: vllm.answerMs,
    onRestart: (reason) => note(`${how.name} is started again: ${reason}`),
    onReturn: () => {
      note(`${how.name} answers again`);
      returned(0);
    },
    onFault: fail,
  });
  opened.add(server, () => server.close());
  return { url: server.url, up: () => server.ready() };
}
