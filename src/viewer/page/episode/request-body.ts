/** A recorded chat call as the body of a request to any server that speaks OpenAI's interface. Leaves out what only one make of server takes. */
import type { ChatPage } from '../../contract.ts';

/** `model`: the one that replied; without it whoever sends it says which. */
export function requestBody({ messages, schema, seed, maxTokens, temperature }: NonNullable<ChatPage['asked']>, model?: string): object {
  return {
    ...(model === undefined ? {} : { model }),
    messages,
    n: 1,
    seed,
    max_tokens: maxTokens,
    temperature,
    top_p: 1,
    ...(schema === null ? {} : { response_format: { type: 'json_schema', json_schema: { name: 'reply', schema, strict: true } } }),
  };
}
