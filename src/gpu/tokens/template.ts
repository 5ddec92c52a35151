/** A chat template, compiled: messages and tools in OpenAI's form to text. Knows no ids and no turns. */
import { Template } from '@huggingface/jinja';
import { boundarySync, ConfigFault } from '../../errors.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { ModelFiles } from './model-files.ts';

/** Messages and tools are guarded already. `reply`: ends with the header of the agent's next turn. Throws ConfigFault with the template's own words where it refuses the conversation. */
export type Render = (messages: readonly JsonValue[], tools: readonly JsonValue[], options: { readonly reply: boolean }) => string;

/** Templates that ask for today's date are told this one: a prompt must be the same when it is asked again. */
const TODAY = '{%- macro strftime_now(format) -%}01 Jan 2026{%- endmacro -%}';

export function renderOf({ dir, template, bos, eos }: ModelFiles, thinking: boolean): Render {
  const compiled = boundarySync(
    ConfigFault,
    `chat template of ${dir}`,
    () => new Template(template.includes('strftime_now') ? TODAY + template : template),
  );
  return (messages, tools, { reply }) =>
    boundarySync(ConfigFault, `chat template of ${dir}`, () =>
      compiled.render({
        messages,
        tools,
        add_generation_prompt: reply,
        enable_thinking: thinking,
        bos_token: bos,
        eos_token: eos,
      }),
    );
}
