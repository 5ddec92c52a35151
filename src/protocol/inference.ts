/** What the broker is asked and answers: tokens in, tokens out for the policy; chat for simulators played by a language model. */
import { z } from 'zod';
import { Fault } from './fault.ts';
import { CallId, EpisodeId, GroupId, PolicyVersion } from './ids.ts';
import { JsonObject } from './json.ts';

export const Role = z.enum(['policy', 'task', 'user', 'tool', 'judge']);
export type Role = z.infer<typeof Role>;

export const TokenRequest = z.strictObject({
  /** The call key: hash(episode, actor, turn, sample, prompt, version). Asking twice with one key is answered from the journal. */
  id: CallId,
  role: Role,
  /** The version that must answer; null = the newest published. */
  version: PolicyVersion.nullable(),
  ids: z.instanceof(Int32Array),
  n: z.int().positive(),
  /** Seed of the first sample; sample k uses seed + k. */
  seed: z.int().min(0),
  stop: z.array(z.int().min(0)),
  maxTokens: z.int().positive(),
  temperature: z.number().min(0),
  priority: z.int(),
  group: GroupId,
  /** Remaining milliseconds, never a wall-clock time. */
  deadlineMs: z.number().positive(),
});
export type TokenRequest = z.infer<typeof TokenRequest>;

export const TokenSample = z.strictObject({
  ids: z.instanceof(Int32Array),
  /** Natural log, one per id, of the distribution sampled from; of temperature 1 where the temperature was 0. */
  logprobs: z.instanceof(Float32Array),
  /** `stop`: the last id is a sampled stop token. */
  finish: z.enum(['stop', 'length']),
});
export type TokenSample = z.infer<typeof TokenSample>;

export const TokenReply = z.strictObject({ id: CallId, version: PolicyVersion, samples: z.array(TokenSample).min(1) });
export type TokenReply = z.infer<typeof TokenReply>;

export const ChatMessage = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });
export type ChatMessage = z.infer<typeof ChatMessage>;

/** Whose question a chat call is. It is told to the record alone: no engine hears of it. */
export const Asker = z.strictObject({
  /** Path of the actor that asks, as in recorded events; `<group>/panel` where several members are judged at once. */
  actor: z.string(),
  /** As in the answers (AskMessage): the number of the question, and of the prompt for it. */
  ask: z.int().min(0),
  attempt: z.int().min(0),
  /** Which of several votes on one question; absent: it is the only one. */
  vote: z.int().min(0).optional(),
  /** Of a panel: the episodes it was shown, in that order. */
  episodes: z.array(EpisodeId).optional(),
});
export type Asker = z.infer<typeof Asker>;

export const ChatRequest = z.strictObject({
  id: CallId,
  role: Role,
  messages: z.array(ChatMessage).min(1),
  /** JSON Schema the reply must satisfy, where the simulator asks for structured output. */
  schema: JsonObject.optional(),
  seed: z.int().min(0),
  maxTokens: z.int().positive(),
  temperature: z.number().min(0),
  priority: z.int(),
  group: GroupId,
  deadlineMs: z.number().positive(),
  /** Where several ask the same and share the answer: who asked first. Absent outside of play. */
  asker: Asker.optional(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

export const ChatReply = z.strictObject({
  id: CallId,
  text: z.string(),
  finish: z.enum(['stop', 'length']),
  model: z.string(),
  /** Tokens, as the engine counted them; absent where it does not. */
  usage: z.strictObject({ prompt: z.int().min(0), reply: z.int().min(0) }).optional(),
});
export type ChatReply = z.infer<typeof ChatReply>;

/** A chat call as the record keeps it: what was sent, word for word, but for texts that come again and again. Those stand in frames of their own (`call.part`). */
export const AskedChat = z.strictObject({
  role: Role,
  /** `part`: the text is that of the part with this hash. */
  messages: z.array(z.union([ChatMessage, z.strictObject({ role: ChatMessage.shape.role, part: z.string() })])).min(1),
  /** Hash of the part that holds the JSON Schema, as JSON. */
  schema: z.string().optional(),
  seed: z.int().min(0),
  maxTokens: z.int().positive(),
  temperature: z.number().min(0),
  asker: Asker.optional(),
});
export type AskedChat = z.infer<typeof AskedChat>;

export const InferenceFault = z.strictObject({ id: CallId, fault: Fault });
export type InferenceFault = z.infer<typeof InferenceFault>;
