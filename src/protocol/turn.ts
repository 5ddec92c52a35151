/** What was said and done in an episode, parsed: the public transcript plus the agent's private thought. */
import { z } from 'zod';
import { JsonValue } from './json.ts';
import { ToolCall } from './tool.ts';
import { Patch } from './world.ts';

export const UserTurn = z.strictObject({ role: z.literal('user'), text: z.string() });
export type UserTurn = z.infer<typeof UserTurn>;

export const AgentTurn = z.strictObject({
  role: z.literal('agent'),
  /** Private reasoning: trained and kept in the policy's context, never shown to user, tool or judge. */
  thought: z.string(),
  /** Said to the user; empty when the turn is calls only. */
  text: z.string(),
  calls: z.array(ToolCall),
  /** The raw text of a call that could not be read. It is the policy's own doing, hence data and not an error. */
  malformed: z.strictObject({ raw: z.string(), reason: z.string() }).optional(),
});
export type AgentTurn = z.infer<typeof AgentTurn>;

/** `ok`, or why not: decided by code, never by a language model. */
export const ToolStatus = z.enum(['ok', 'unknownTool', 'invalidArgument', 'notFound', 'transient']);
export type ToolStatus = z.infer<typeof ToolStatus>;

export const ToolTurn = z.strictObject({ role: z.literal('tool'), call: ToolCall, status: ToolStatus, result: JsonValue, patch: Patch });
export type ToolTurn = z.infer<typeof ToolTurn>;

export const Turn = z.discriminatedUnion('role', [UserTurn, AgentTurn, ToolTurn]);
export type Turn = z.infer<typeof Turn>;
