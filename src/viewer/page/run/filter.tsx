/** Narrows the episode table down: an expression, and its most frequent values to click. What it means the server says. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeList } from '../../contract.ts';
import { stepNumber, whole } from '../format.ts';
import { useKeys } from '../keys.ts';
import { query, setQuery } from '../navigation.ts';

const typedMs = 250;

interface FilterProps {
  readonly list: EpisodeList | undefined;
  /** What is wrong with the expression. */
  readonly trouble: string | null;
}

export function Filter({ list, trouble }: FilterProps) {
  const asked = query.value.get('filter') ?? '';
  const [typed, setTyped] = useState(asked);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== field.current) setTyped(asked);
  }, [asked]);
  useEffect(() => {
    if (typed === asked) return undefined;
    const timer = setTimeout(() => setQuery({ filter: typed }), typedMs);
    return () => clearTimeout(timer);
  }, [typed]);
  useKeys('Filter', [{ keys: '/', what: 'filter', act: () => field.current?.focus() }]);
  return (
    <div class="episode-filter">
      <input
        ref={field}
        class="field mono"
        type="search"
        aria-label="filter episodes"
        aria-invalid={trouble !== null}
        aria-describedby={trouble === null ? undefined : 'filter-trouble'}
        placeholder={'reward<0 && tool=="refund" && D>=40 && text~"invoice"'}
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {trouble === null ? null : (
        <p id="filter-trouble" class="trouble mono" role="alert">
          {trouble}
        </p>
      )}
      {list === undefined ? null : <Facets facets={list.facets} asked={asked} />}
    </div>
  );
}

const shownValues = 6;

function Facets({ facets, asked }: { readonly facets: EpisodeList['facets']; readonly asked: string }) {
  const add = (term: string): void => setQuery({ filter: asked === '' ? term : `${asked} && ${term}` }, { push: true });
  return (
    <dl class="facets">
      {(['reward', 'outcome', 'branch', 'tool', 'step'] as const)
        .filter((name) => facets[name].length > 1)
        .map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            {facets[name].slice(0, shownValues).map(({ value, count }) => (
              <dd key={value}>
                <button type="button" class="button quiet" onClick={() => add(termOf(name, value))}>
                  {name === 'step' ? stepNumber(value) : value} <span class="muted">{whole(count)}</span>
                </button>
              </dd>
            ))}
          </div>
        ))}
    </dl>
  );
}

const termOf = (name: string, value: string): string =>
  name === 'reward' ? (value === 'null' || value === 'none' ? 'reward==null' : `reward==${value}`) : `${name}==${JSON.stringify(value)}`;
