/** How each token of a strip is coloured, and what the colours mean: a class of few steps a token, a sign beside each, a legend. Knows no document. */
import type { StripOutline, TokenStrip } from '../../contract.ts';

export type Shading = 'logprob' | 'entropy' | 'mask' | 'advantage' | 'gap' | 'version';

/** A token's colour by name, and the sign that says the same. */
export interface Shade {
  readonly tone: string;
  readonly sign: string;
}

export interface Key extends Shade {
  readonly words: string;
}

export interface Shader {
  readonly legend: readonly Key[];
  shade(token: Token): Shade;
}

export const shadings: readonly { readonly key: Shading; readonly title: string }[] = [
  { key: 'logprob', title: 'log-prob' },
  { key: 'entropy', title: 'entropy' },
  { key: 'mask', title: 'loss mask' },
  { key: 'advantage', title: 'advantage' },
  { key: 'gap', title: 'sampler − trainer' },
  { key: 'version', title: 'policy version' },
];

/** One token, of all its columns; null where the record does not know. */
export interface Token {
  readonly id: number;
  readonly text: string;
  readonly sampled: boolean;
  readonly logprob: number | null;
  readonly version: number;
  readonly entropy: number | null;
  readonly trainer: number | null;
}

/** `index`: within the window. undefined where that has no such token. */
export function tokenIn(strip: TokenStrip, index: number): Token | undefined {
  const id = strip.ids[index];
  if (id === undefined) return undefined;
  return {
    id,
    text: strip.text[index] ?? '',
    sampled: strip.sampled[index] ?? false,
    logprob: strip.logprobs[index] ?? null,
    version: strip.version[index] ?? 0,
    entropy: strip.entropy?.[index] ?? null,
    trainer: strip.trainer?.[index] ?? null,
  };
}

/** Whether the record knows enough for it. */
export function isKnown(shading: Shading, { knows }: Pick<StripOutline, 'knows'>, advantage: number | null): boolean {
  if (shading === 'entropy') return knows.includes('entropy');
  if (shading === 'gap') return knows.includes('trainer');
  if (shading === 'advantage') return advantage !== null;
  return true;
}

const read: Key = { tone: 'read', sign: '', words: 'read, not sampled' };

/** Steps by upper bound: a value belongs to the first whose bound it does not exceed. */
interface Step extends Key {
  readonly to: number;
}

/** Tokens that were read are shaded as such, whatever is known of them. */
function bySteps(steps: readonly Step[], valueOf: (token: Token) => number | null): Shader {
  return {
    legend: [...steps, read],
    shade: (token) => {
      const value = token.sampled ? valueOf(token) : null;
      if (value === null) return read;
      return steps.find(({ to }) => value <= to) ?? steps.at(-1) ?? read;
    },
  };
}

/** −log p in nats. */
const surprise: readonly Step[] = [
  { to: -Math.log(0.9), tone: 'heat-0', sign: '', words: 'p ≥ 0.9' },
  { to: Math.LN2, tone: 'heat-1', sign: '·', words: '0.5 – 0.9' },
  { to: Math.LN10, tone: 'heat-2', sign: '∘', words: '0.1 – 0.5' },
  { to: 2 * Math.LN10, tone: 'heat-3', sign: '•', words: '0.01 – 0.1' },
  { to: Infinity, tone: 'heat-4', sign: '●', words: 'p < 0.01' },
];

const nats: readonly Step[] = [
  { to: 0.1, tone: 'heat-0', sign: '', words: '≤ 0.1 nats' },
  { to: 0.5, tone: 'heat-1', sign: '·', words: '≤ 0.5' },
  { to: 1, tone: 'heat-2', sign: '∘', words: '≤ 1' },
  { to: 2, tone: 'heat-3', sign: '•', words: '≤ 2' },
  { to: Infinity, tone: 'heat-4', sign: '●', words: '> 2' },
];

const gaps: readonly Step[] = [
  { to: -0.1, tone: 'cold-2', sign: '−−', words: '≤ −0.1' },
  { to: -0.01, tone: 'cold-1', sign: '−', words: '≤ −0.01' },
  { to: 0.01, tone: 'heat-0', sign: '', words: 'within 0.01' },
  { to: 0.1, tone: 'heat-2', sign: '+', words: '≤ 0.1' },
  { to: Infinity, tone: 'heat-4', sign: '++', words: '> 0.1 nats' },
];

export function shaderOf(shading: Shading, strip: Pick<StripOutline, 'versions'>, advantage: number | null): Shader {
  switch (shading) {
    case 'logprob':
      return bySteps(surprise, ({ logprob }) => (logprob === null ? null : -logprob));
    case 'entropy':
      return bySteps(nats, ({ entropy }) => entropy);
    case 'gap':
      return bySteps(gaps, ({ logprob, trainer }) => (logprob === null || trainer === null ? null : logprob - trainer));
    case 'mask': {
      const trained: Key = { tone: 'trained', sign: '', words: 'sampled: in the loss' };
      const masked: Key = { tone: 'read', sign: '', words: 'read: masked' };
      return { legend: [trained, masked], shade: ({ sampled }) => (sampled ? trained : masked) };
    }
    case 'advantage': {
      const pushed: Key =
        advantage === null || advantage === 0
          ? { tone: 'heat-0', sign: '0', words: 'no advantage: not pushed' }
          : advantage > 0
            ? { tone: 'up', sign: '↑', words: `made likelier (advantage ${advantage.toFixed(3)})` }
            : { tone: 'down', sign: '↓', words: `made unlikelier (advantage ${advantage.toFixed(3)})` };
      return { legend: [pushed, read], shade: ({ sampled }) => (sampled ? pushed : read) };
    }
    case 'version': {
      const { versions } = strip;
      const keys = versions.map((v, i): Key => ({
        tone: `line-${(i % 6) + 1}`,
        sign: versions.length < 2 ? '' : String(v),
        words: `version ${v}`,
      }));
      const byVersion = new Map(versions.map((v, i) => [v, keys[i] ?? read]));
      return {
        legend: [...keys.slice(0, 12), read],
        shade: ({ sampled, version }) => (sampled ? (byVersion.get(version) ?? read) : read),
      };
    }
    default:
      return shading satisfies never;
  }
}
