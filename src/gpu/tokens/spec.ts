/** Which renderer a policy needs, as plain data, so that every thread makes the same one. Knows no config. */
import { chatRenderer, familyOf } from './chat.ts';
import type { FamilyName } from './chatml.ts';
import { readModelFiles } from './model-files.ts';
import type { Renderer } from './renderer.ts';
import { tinyRenderer } from './tiny.ts';
import { readTokenizer, vocabularyInOrder } from './vocabulary.ts';

export type RendererSpec =
  /** Our own template and words, in id order. */
  | { readonly kind: 'tiny'; readonly words: readonly string[] }
  /** A model directory with a chat template; each thread reads it once. */
  | { readonly kind: 'chat'; readonly dir: string; readonly thinking: boolean; readonly family: FamilyName | 'generic' };

/** Throws ConfigFault where the directory has no readable tokenizer or chat template. */
export function rendererSpecOf(dir: string, { thinking }: { readonly thinking: boolean }): RendererSpec {
  const files = readModelFiles(dir);
  return files.tokenizer.model.type === 'WordLevel'
    ? { kind: 'tiny', words: readTokenizer(files.tokenizerText).words }
    : { kind: 'chat', dir, thinking, family: familyOf(files) };
}

/** By directory, thinking and family. A tokenizer of 150,000 words takes a second and 100 MB to read, so a thread reads it once. */
const chats = new Map<string, Renderer>();

export function rendererFor(spec: RendererSpec): Renderer {
  if (spec.kind === 'tiny') return tinyRenderer(vocabularyInOrder(spec.words));
  const key = JSON.stringify([spec.dir, spec.thinking, spec.family]);
  const known = chats.get(key);
  if (known !== undefined) return known;
  const made = chatRenderer(spec);
  chats.set(key, made);
  return made;
}
