/** A broker over several scripted engines that are watched, killed and revived by hand; time is simulated. */
import { simulatedClock } from '../../src/actors/clock.ts';
import { EngineFault, type EngineTrouble } from '../../src/errors.ts';
import type { Pressure } from '../../src/gpu/admission.ts';
import { createBroker, type BrokerOptions } from '../../src/gpu/broker.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { createScriptedEngine, type ScriptedOptions } from '../../src/gpu/engines/scripted.ts';
import type { ChatRequest, TokenReply, TokenRequest } from '../../src/protocol/inference.ts';
import type { PolicyVersion } from '../../src/protocol/ids.ts';
import type { Weights } from '../../src/protocol/policy.ts';
import { chatty, recording } from './calls.ts';

/** One engine under watch: what reached it, and what is to go wrong with it. */
export interface Server {
  readonly engine: Engine;
  /** Token requests in the order in which they came. */
  readonly asked: TokenRequest[];
  readonly chats: ChatRequest[];
  /** Versions it was given, and how often it slept and woke. */
  readonly published: number[];
  readonly rests: string[];
  /** Samples in flight, and the most there ever were. */
  held: number;
  most: number;
  /** Every call faults with this. */
  trouble: EngineTrouble | undefined;
  /** So many of the next calls fault with `trouble`; absent: all. */
  troubled: number;
  /** Nobody is there: calls and weights fault alike. */
  away: boolean;
  refusesWeights: boolean;
  refusesSleep: boolean;
  pressure: Pressure;
}

export interface LaneHouseOptions extends Partial<BrokerOptions> {
  readonly servers?: number;
  readonly engine?: Partial<ScriptedOptions>;
  /** The engines report their load. */
  readonly reports?: boolean;
}

export function laneHouse({ servers: many = 3, engine: how = {}, reports = false, ...options }: LaneHouseOptions = {}) {
  const clock = simulatedClock();
  const journal = recording();
  const modes: string[] = [];
  const servers = Array.from({ length: many }, () => server(createScriptedEngine({ policy: chatty, clock, ...how }), reports));
  const broker = createBroker({
    engines: servers.map(({ engine }) => engine),
    clock,
    record: (frame) => journal.record(frame),
    seed: 3,
    onMode: (mode, lane) => void modes.push(`${lane} ${mode}`),
    ...options,
  });
  return { clock, broker, servers, frames: journal.frames, modes };
}

function server(scripted: Engine, reports: boolean): Server {
  const fault = (): Promise<never> | undefined => {
    if (self.away) return Promise.reject(new EngineFault('scripted trouble: away', { trouble: 'absent' }));
    if (self.trouble === undefined || self.troubled === 0) return undefined;
    self.troubled--;
    return Promise.reject(new EngineFault(`scripted trouble: ${self.trouble}`, { trouble: self.trouble }));
  };
  const engine: Engine = {
    ...scripted,
    generate: (request, signal) => {
      self.asked.push(request);
      self.held += request.n;
      self.most = Math.max(self.most, self.held);
      return (fault() ?? scripted.generate(request, signal)).finally(() => (self.held -= request.n));
    },
    chat: (request) => {
      self.chats.push(request);
      return fault() ?? Promise.resolve({ id: request.id, text: 'yes', finish: 'stop', model: 'base' });
    },
    publish: async (weights) => {
      if (self.away) throw new EngineFault('scripted trouble: away', { trouble: 'absent' });
      if (self.refusesWeights) throw new EngineFault('scripted trouble: weights');
      await scripted.publish(weights);
      self.published.push(weights.version);
    },
    sleep: async () => {
      if (self.refusesSleep) throw new EngineFault('scripted trouble: sleep');
      if (self.held > 0) throw new EngineFault('put to sleep with calls in flight');
      self.rests.push('sleep');
    },
    wake: async () => void self.rests.push('wake'),
    ...(reports ? { pressure: () => Promise.resolve(self.pressure) } : {}),
  };
  const self: Server = {
    engine,
    asked: [],
    chats: [],
    published: [],
    rests: [],
    held: 0,
    most: 0,
    trouble: undefined,
    troubled: Infinity,
    away: false,
    refusesWeights: false,
    refusesSleep: false,
    pressure: { waiting: 0, cacheUse: 0, refused: false },
  };
  return self;
}

export const weights = (version: number): Weights => ({
  version: version as PolicyVersion,
  kind: 'lora',
  dir: `/nowhere/v${version}`,
  sha256: '00',
});

export const endOf = (promise: Promise<TokenReply>): Promise<TokenReply | Error> => promise.catch((error: Error) => error);
