/** Small marks of a state: a colour, and always a shape and a word beside it. */
import type { ComponentChildren } from 'preact';
import type { RunCard } from '../../contract.ts';
import { glossary, type Term } from '../glossary.ts';
import { reward as rewardText } from '../format.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'odd' | 'plain';

interface BadgeProps {
  readonly tone?: Tone;
  /** One character that says the same as the colour. */
  readonly mark?: string;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

export function Badge({ tone = 'plain', mark, title, children }: BadgeProps) {
  return (
    <span class="badge" data-tone={tone} title={title}>
      {mark === undefined ? null : (
        <span class="mark" aria-hidden="true">
          {mark}
        </span>
      )}
      {children}
    </span>
  );
}

/** A reward of −1, 0, 1, a mean of some, or none. */
export function RewardBadge({ reward }: { readonly reward: number | null }) {
  const [tone, mark]: [Tone, string] =
    reward === null ? ['plain', '○'] : reward > 0 ? ['good', '▲'] : reward < 0 ? ['bad', '▼'] : ['warn', '■'];
  return (
    <Badge tone={tone} mark={mark} title={reward === null ? 'unscored: no reward' : `reward ${rewardText(reward)}`}>
      {reward === null ? 'none' : rewardText(reward)}
    </Badge>
  );
}

/** `scored`, `policyFault`, `simulatorFault.tool`, `missing.ThreadFault`, …: the words of the record. */
export function OutcomeBadge({ outcome }: { readonly outcome: string }) {
  const kind = outcome.split('.')[0] ?? '';
  const [tone, mark]: [Tone, string] =
    kind === 'scored'
      ? ['plain', '✓']
      : kind === 'policyFault'
        ? ['bad', '✕']
        : kind === 'truncated'
          ? ['warn', '…']
          : kind === 'missing'
            ? ['odd', '∅']
            : ['odd', '!'];
  return (
    <Badge tone={tone} mark={mark} title={Object.hasOwn(glossary, kind) ? glossary[kind as Term] : undefined}>
      {outcome}
    </Badge>
  );
}

const states: Readonly<Record<RunCard['state'], { readonly tone: Tone; readonly mark: string; readonly word: string }>> = {
  running: { tone: 'info', mark: '▶', word: 'running' },
  done: { tone: 'good', mark: '✓', word: 'done' },
  budget: { tone: 'good', mark: '◷', word: 'budget reached' },
  interrupted: { tone: 'warn', mark: '‖', word: 'interrupted' },
  paused: { tone: 'warn', mark: '‖', word: 'paused' },
  fault: { tone: 'bad', mark: '✕', word: 'fault' },
};

export function StateBadge({ state }: { readonly state: RunCard['state'] }) {
  const { tone, mark, word } = states[state];
  return (
    <Badge tone={tone} mark={mark}>
      {word}
    </Badge>
  );
}
