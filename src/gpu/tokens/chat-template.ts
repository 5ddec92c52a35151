/** The tiny template in Jinja, for transformers and vLLM: the same ids as tiny.ts from OpenAI-form messages and tools. Knows nothing that tiny.ts does not say. */
import { marker, roleWord, sign } from './markers.ts';

const signs = Object.values(sign)
  .map((word) => `'${word}'`)
  .join(', ');
const opening = (role: string): string => `${marker.start} ${role} `;

/**
 * Jinja source. `said` is `Vocabulary.foreignId`: a word somebody else wrote never becomes a marker, whatever the tokenizer would make of it.
 * Arguments must be objects (transformers' form), since Jinja cannot read JSON text. An agent's thought travels as `reasoning_content`, as in Qwen3's own template.
 */
export const chatTemplate = `
{%- macro said(text) -%}
{%- for word in (text | string).split() -%}{{ ('${marker.unknown}' if '<' in word or word in [${signs}] else word) + ' ' }}{%- endfor -%}
{%- endmacro -%}
{%- macro spelt(name) -%}{{ said(name | replace('_', ' ')) }}{%- endmacro -%}
{%- macro value(it) -%}
{%- if it is none -%}
{%- elif it is boolean -%}{{ 'true ' if it else 'false ' }}
{%- elif it is mapping -%}{%- for part in it.values() -%}{{ value(part) }}{%- endfor -%}
{%- elif it is iterable and it is not string -%}{%- for part in it -%}{{ value(part) }}{%- endfor -%}
{%- else -%}{{ said(it) }}{%- endif -%}
{%- endmacro -%}
{%- macro described(function) -%}
{{- '${marker.tool} ' + said(function.description or '') + '${marker.name} ' + spelt(function.name) + '${sign.open} ' -}}
{%- set parameters = function.parameters or {} -%}
{%- for name in parameters.properties or {} -%}
{{- ('' if loop.first else '${sign.comma} ') + spelt(name) + ('' if name in (parameters.required or []) else '${sign.optional} ') -}}
{%- endfor -%}
{{- '${sign.close} ' -}}
{%- endmacro -%}
{%- macro called(function) -%}
{{- '${marker.call} ' + spelt(function.name) + '${sign.open} ' -}}
{%- for name, it in function.arguments.items() -%}
{{- ('' if loop.first else '${sign.comma} ') + spelt(name) + '${sign.equals} ' + value(it) -}}
{%- endfor -%}
{{- '${sign.close} ' -}}
{%- endmacro -%}
{{- '${opening(roleWord.system)}' -}}
{%- if messages and messages[0].role == 'system' -%}{{ said(messages[0].content) }}{%- endif -%}
{%- for tool in tools or [] -%}{{ described(tool.function or tool) }}{%- endfor -%}
{{- '${marker.end} ' -}}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{{ '${opening(roleWord.user)}' + said(message.content) + '${marker.end} ' }}
{%- elif message.role == 'tool' -%}{{ '${opening(roleWord.tool)}' + said(message.content) + '${marker.end} ' }}
{%- elif message.role == 'assistant' -%}
{{- '${opening(roleWord.agent)}' -}}
{%- if message.tool_calls -%}
{{- said(message.reasoning_content or '') -}}
{%- for call in message.tool_calls -%}{{ called(call.function or call) }}{%- endfor -%}
{%- else -%}{{ said(message.content or '') }}{%- endif -%}
{{- '${marker.end} ' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '${opening(roleWord.agent)}' }}{%- endif -%}
`.trim();
