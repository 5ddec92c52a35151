/** A bordered part of a page with a heading. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { glossary, type Term } from '../glossary.ts';

interface PanelProps {
  readonly title: ComponentChildren;
  /** What it is about, where its name may not be known. */
  readonly term?: Term;
  /** Beside the heading, at the right. */
  readonly side?: ComponentChildren;
  /** Leaves out the padding, for tables. */
  readonly flush?: boolean;
  readonly children: ComponentChildren;
}

export function Panel({ title, term, side, flush = false, children }: PanelProps) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id} title={term === undefined ? undefined : glossary[term]}>
          {title}
        </h2>
        <span class="grow" />
        {side}
      </header>
      {flush ? children : <div class="inside">{children}</div>}
    </section>
  );
}
