/** What it takes to draw tasks that a language model writes, without a server: a config, the cast in prose, and the fake server's brain as the model. */
import { castSpecOf } from '../../src/actors/settings.ts';
import { playersOf } from '../../src/actors/cast.ts';
import { simulatedClock } from '../../src/actors/clock.ts';
import type { DrawingPorts } from '../../src/actors/drawing.ts';
import { HealthCount } from '../../src/actors/health.ts';
import { type Config, type ConfigInput, configOf } from '../../src/config.ts';
import { EngineFault } from '../../src/errors.ts';
import { type BrainDials, createBrain, rightBrain } from '../../src/gpu/engines/fake/brain.ts';
import type { RecordedEvent } from '../../src/protocol/frame.ts';
import type { ChatReply, ChatRequest } from '../../src/protocol/inference.ts';
import { lexicon } from '../../src/simulation/procedural/lexicon.ts';
import { builtinRepository } from '../../src/simulation/procedural/repository.ts';

type Chat = (request: ChatRequest, signal: AbortSignal) => Promise<ChatReply>;

export const writtenConfig = (changes: ConfigInput = {}): Config =>
  configOf({
    engine: { kind: 'fake' },
    trainer: { kind: 'scripted' },
    roles: { task: 'lm', user: 'lm', tool: 'lm', judge: 'lm' },
    ...changes,
  });

/** Answers at once; a reply that never comes is an engine that stalled. */
export function brainChat(dials: Partial<BrainDials> = {}): Chat {
  const brain = createBrain({ ...rightBrain, ...dials });
  return (request) => {
    const text = brain.think(request.messages, request.seed);
    if (text === undefined) return Promise.reject(new EngineFault('no prompt of ours', { trouble: 'refused' }));
    if (text === null) return Promise.reject(new EngineFault('nothing came', { trouble: 'stalled' }));
    return Promise.resolve({ id: request.id, text, finish: 'stop', model: 'brain', usage: { prompt: 10, reply: 2 } });
  };
}

export function drawingWith(config: Config, chat: Chat, changes: Partial<DrawingPorts> = {}) {
  const events: RecordedEvent[] = [];
  const health = new HealthCount(['task', 'tool']);
  const cast = castSpecOf({ ...config, simulation: { ...config.simulation, dialect: 'prose' } }, { kind: 'tiny', words: [...lexicon] });
  const ports: DrawingPorts = {
    simulators: playersOf(cast).simulators,
    repository: builtinRepository,
    disguised: true,
    chat,
    health,
    clock: simulatedClock(),
    record: (more) => events.push(...more),
    ...changes,
  };
  return { ports, events, health };
}
