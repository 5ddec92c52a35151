/** How each token of a strip is coloured, and what the colours mean: a class of few steps a token, a sign beside each, a legend. Knows no document. */
import type { TokenStrip } from '../../contract.ts';

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
  shade(index: number): Shade;
}

export const shadings: readonly { readonly key: Shading; readonly title: string }[] = [
  { key: 'logprob', title: 'log-prob' },
  { key: 'entropy', title: 'entropy' },
  { key: 'mask', title: 'loss mask' },
  { key: 'advantage', title: 'advantage' },
  { key: 'gap', title: 'sampler − trainer' },
  { key: 'version', title: 'policy version' },
];

/** Whether the record knows enough for it. */
export function isKnown(shading: Shading, { entropy, trainer }: TokenStrip, advantage: number | null): boolean {
  if (shading === 'entropy') return entropy !== undefined;
  if (shading === 'gap') return trainer !== undefined;
  if (shading === 'advantage') return advantage !== null;
  return true;
}

const read: Key = { tone: 'read', sign: '', words: 'read, not sampled' };

/** Steps by upper bound: a value belongs to the first whose bound it does not exceed. */
interface Step extends Key {
  readonly to: number;
}

function bySteps(steps: readonly Step[], valueOf: (index: number) => number | null | undefined): Shader {
  return {
    legend: [...steps, read],
    shade: (index) => {
      const value = valueOf(index);
      if (value === null || value === undefined) return read;
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
  { to: -0.1, tone: 'cold-2', sign: '−−', words: 'trainer above by > 0.1' },
  { to: -0.01, tone: 'cold-1', sign: '−', words: 'trainer above' },
  { to: 0.01, tone: 'heat-0', sign: '', words: 'within 0.01' },
  { to: 0.1, tone: 'heat-2', sign: '+', words: 'sampler above' },
  { to: Infinity, tone: 'heat-4', sign: '++', words: 'sampler above by > 0.1' },
];

export function shaderOf(shading: Shading, strip: TokenStrip, advantage: number | null): Shader {
  const { logprobs, sampled, entropy, trainer, version } = strip;
  const ifSampled = (index: number, value: number | null | undefined): number | null => (sampled[index] ? (value ?? null) : null);
  switch (shading) {
    case 'logprob':
      return bySteps(surprise, (i) => {
        const logprob = ifSampled(i, logprobs[i]);
        return logprob === null ? null : -logprob;
      });
    case 'entropy':
      return bySteps(nats, (i) => ifSampled(i, entropy?.[i]));
    case 'gap':
      return bySteps(gaps, (i) => {
        const [mine, other] = [ifSampled(i, logprobs[i]), trainer?.[i] ?? null];
        return mine === null || other === null ? null : mine - other;
      });
    case 'mask': {
      const trained: Key = { tone: 'trained', sign: '', words: 'sampled: in the loss' };
      const masked: Key = { tone: 'read', sign: '', words: 'read: masked' };
      return { legend: [trained, masked], shade: (i) => (sampled[i] ? trained : masked) };
    }
    case 'advantage': {
      const pushed: Key =
        advantage === null || advantage === 0
          ? { tone: 'heat-0', sign: '0', words: 'no advantage: not pushed' }
          : advantage > 0
            ? { tone: 'up', sign: '↑', words: `made likelier (advantage ${advantage.toFixed(3)})` }
            : { tone: 'down', sign: '↓', words: `made unlikelier (advantage ${advantage.toFixed(3)})` };
      return { legend: [pushed, read], shade: (i) => (sampled[i] ? pushed : read) };
    }
    case 'version': {
      const versions = [...new Set(version.filter((_, i) => sampled[i]))].sort((a, b) => a - b);
      const keys = versions.map((v, i): Key => ({
        tone: `line-${(i % 6) + 1}`,
        sign: versions.length < 2 ? '' : String(v),
        words: `version ${v}`,
      }));
      const byVersion = new Map(versions.map((v, i) => [v, keys[i] ?? read]));
      return {
        legend: [...keys.slice(0, 12), read],
        shade: (i) => (sampled[i] ? (byVersion.get(version[i] ?? 0) ?? read) : read),
      };
    }
    default:
      return shading satisfies never;
  }
}
