/** Which renderer a policy needs, as plain data, so that every thread makes the same one. Knows no config. */
import { byteRenderer } from './bytes.ts';
import { chatRendererOf } from './chat.ts';
import type { FamilyName } from './chatml.ts';
import { readModelFiles } from './model-files.ts';
import type { Renderer } from './renderer.ts';
import { tinyRenderer } from './tiny.ts';
import { readTokenizer, vocabularyInOrder } from './vocabulary.ts';

export type RendererSpec =
  /** Of a model that is not here: bytes. */
  | { readonly kind: 'bytes' }
  /** Our own template and words, in id order. */
  | { readonly kind: 'tiny'; readonly words: readonly string[] }
  /** A model directory with a chat template; each thread reads it once. */
  | { readonly kind: 'chat'; readonly dir: string; readonly thinking: boolean; readonly family: FamilyName | 'generic' };

/** By directory, thinking and family. A tokenizer of 150,000 words takes half a second and 60 MB (bench/render.mjs), so a thread reads it once. */
const chats = new Map<string, Renderer>();

/** Reads the directory and asks its template what family it is of. Throws ConfigFault where it has no readable tokenizer or chat template. */
export function rendererSpecOf(dir: string, { thinking }: { readonly thinking: boolean }): RendererSpec {
  const files = readModelFiles(dir);
  if (files.tokenizer.model.type === 'WordLevel') return { kind: 'tiny', words: readTokenizer(files.tokenizerText).words };
  const { renderer, family } = chatRendererOf(files, { thinking });
  const spec: RendererSpec = { kind: 'chat', dir, thinking, family };
  chats.set(keyOf(spec), renderer);
  return spec;
}

export function rendererFor(spec: RendererSpec): Renderer {
  if (spec.kind === 'bytes') return byteRenderer();
  if (spec.kind === 'tiny') return tinyRenderer(vocabularyInOrder(spec.words));
  const known = chats.get(keyOf(spec));
  if (known !== undefined) return known;
  const { renderer } = chatRendererOf(readModelFiles(spec.dir), spec);
  chats.set(keyOf(spec), renderer);
  return renderer;
}

const keyOf = (spec: RendererSpec & { kind: 'chat' }): string => JSON.stringify([spec.dir, spec.thinking, spec.family]);
