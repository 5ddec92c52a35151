/** The most frequent values of the episodes that are listed, to click: a chip adds its term to the filter, or takes it away. */
import { useState } from 'preact/hooks';
import type { EpisodeList } from '../../contract.ts';
import { reward, stepNumber, whole } from '../format.ts';
import { hasTerm, termOf, toggled } from './terms.ts';

const shown = 6;
const names = ['reward', 'outcome', 'branch', 'tool', 'step'] as const;

const faceOf = (name: string, value: string): string =>
  name === 'step' ? stepNumber(value) : name === 'reward' ? (value === 'null' ? 'none' : reward(Number(value))) : value;

interface FacetsProps {
  readonly facets: EpisodeList['facets'];
  readonly asked: string;
  readonly onWrite: (filter: string) => void;
}

export function Facets({ facets, asked, onWrite }: FacetsProps) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <dl class="facets">
      {names
        .map((name) => ({
          name,
          values: facets[name].flatMap((one) => {
            const term = termOf(name, one.value);
            return term === null ? [] : [{ ...one, term, pressed: hasTerm(asked, term) }];
          }),
        }))
        // One value that is no choice tells nothing.
        .filter(({ values }) => values.length > 1 || values.some(({ pressed }) => pressed))
        .map(({ name, values }) => (
          <div key={name}>
            <dt>{name}</dt>
            {(open === name ? values : values.slice(0, shown)).map(({ value, count, term, pressed }) => (
              <dd key={value}>
                <button type="button" class="chip" aria-pressed={pressed} onClick={() => onWrite(toggled(asked, term))}>
                  {pressed ? <span aria-hidden="true">✓ </span> : null}
                  {faceOf(name, value)} <span class="muted">{whole(count)}</span>
                </button>
              </dd>
            ))}
            {values.length > shown ? (
              <dd>
                <button type="button" class="chip" aria-expanded={open === name} onClick={() => setOpen(open === name ? null : name)}>
                  {open === name ? 'fewer' : `${whole(values.length - shown)} more`}
                </button>
              </dd>
            ) : null}
          </div>
        ))}
    </dl>
  );
}
