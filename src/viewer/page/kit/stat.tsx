/** Figures with their names. */
import type { ComponentChildren } from 'preact';

/** Wrap `Stat`s in this. */
export function Stats({ children }: { readonly children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}

export function Stat({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd>
        {children} {hint === undefined ? null : <span class="hint">{hint}</span>}
      </dd>
    </div>
  );
}
