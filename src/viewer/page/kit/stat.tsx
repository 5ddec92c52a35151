/** Figures with their names. */
import type { ComponentChildren } from 'preact';
import { glossary, type Term } from '../glossary.ts';

/** Wrap `Stat`s in this. */
export function Stats({ children }: { readonly children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}

export function Stat({
  label,
  term,
  hint,
  children,
}: {
  readonly label: string;
  /** What it is, where its name may not be known. */
  readonly term?: Term;
  readonly hint?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="stat">
      <dt title={term === undefined ? undefined : glossary[term]}>{label}</dt>
      <dd>
        {children} {hint === undefined ? null : <span class="hint">{hint}</span>}
      </dd>
    </div>
  );
}
