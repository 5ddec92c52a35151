/** What a model directory says of its tokenizer and chat template, checked once here. Reads files; tokenizes and renders nothing. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { boundarySync, ConfigFault } from '../../errors.ts';

const id = z.int().min(0).max(10_000_000);
const AddedToken = z.looseObject({ id, content: z.string().min(1), special: z.boolean().optional() });
/** The keys we rely on; the rest is the tokenizer library's business. */
const TokenizerFile = z.looseObject({
  added_tokens: z.array(AddedToken).max(100_000).default([]),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  model: z.looseObject({ type: z.string().optional() }),
});
export type TokenizerFile = z.infer<typeof TokenizerFile>;

const named = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]);
const TokenizerConfig = z.looseObject({
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).optional(),
  bos_token: named.nullish(),
  eos_token: named.nullish(),
});
const Ending = z.looseObject({ eos_token_id: z.union([id, z.array(id).min(1)]).nullish() });

export interface ModelFiles {
  readonly dir: string;
  /** `tokenizer.json`, unchanged. */
  readonly tokenizer: TokenizerFile;
  readonly tokenizerText: string;
  /** `tokenizer_config.json`, unchanged. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Jinja source. */
  readonly template: string;
  /** Texts of the tokens that begin and end a text, as templates call them; '' where there is none. */
  readonly bos: string;
  readonly eos: string;
  /** Ids that end a turn: generation_config.json, else config.json, else the tokenizer's own. */
  readonly stop: readonly number[];
}

const MAX_BYTES = 200_000_000;

/** Throws ConfigFault for a file that is missing, too large or not of its form. */
export function readModelFiles(dir: string): ModelFiles {
  return boundarySync(ConfigFault, `tokenizer of ${dir}`, () => {
    const tokenizerText = textOf(dir, 'tokenizer.json') ?? refuse(`${dir} has no tokenizer.json`);
    const tokenizer = checked(TokenizerFile, join(dir, 'tokenizer.json'), tokenizerText);
    const config = checked(TokenizerConfig, join(dir, 'tokenizer_config.json'), textOf(dir, 'tokenizer_config.json') ?? '{}');
    const eos = config.eos_token ?? '';
    const stop =
      endOf(dir, 'generation_config.json') ??
      endOf(dir, 'config.json') ??
      tokenizer.added_tokens.filter(({ content }) => content === eos).map((token) => token.id);
    if (stop.length === 0) refuse(`${dir} names no token that ends a turn (eos_token_id in generation_config.json)`);
    return { dir, tokenizer, tokenizerText, config, template: templateOf(dir, config), bos: config.bos_token ?? '', eos, stop };
  });
}

/** chat_template.jinja wins, as in transformers; of several named templates the one for tools. */
function templateOf(dir: string, { chat_template: kept }: z.infer<typeof TokenizerConfig>): string {
  const file = textOf(dir, 'chat_template.jinja');
  if (file !== undefined) return file;
  if (typeof kept === 'string') return kept;
  const one = kept?.find(({ name }) => name === 'tool_use') ?? kept?.find(({ name }) => name === 'default');
  return one?.template ?? refuse(`${dir} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json)`);
}

function endOf(dir: string, name: string): number[] | undefined {
  const text = textOf(dir, name);
  const end = text === undefined ? undefined : checked(Ending, join(dir, name), text).eos_token_id;
  return end == null ? undefined : [end].flat();
}

function textOf(dir: string, name: string): string | undefined {
  const file = join(dir, name);
  if (!existsSync(file)) return undefined;
  if (statSync(file).size > MAX_BYTES) refuse(`${file} is larger than ${MAX_BYTES} bytes`);
  return readFileSync(file, 'utf8');
}

function checked<T>(schema: z.ZodType<T>, file: string, text: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ConfigFault(`${file} is no JSON`, { cause: error, raw: text });
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ConfigFault(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, { cause: result.error });
}

const refuse = (why: string): never => {
  throw new ConfigFault(why);
};
