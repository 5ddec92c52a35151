/** Panes side by side whose borders can be dragged, or moved with the arrow keys; the browser remembers the shares. */
import { Fragment, type ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { stored, store } from '../stored.ts';
import { least, movedShares } from './shares.ts';

interface SplitProps {
  /** The shares are remembered under this name. */
  readonly name: string;
  readonly panes: readonly { readonly key: string; readonly label: string; readonly share: number; readonly content: ComponentChildren }[];
}

export function Split({ name, panes }: SplitProps) {
  const box = useRef<HTMLDivElement>(null);
  const [shares, setShares] = useState(() =>
    startOf(
      name,
      panes.map(({ share }) => share),
    ),
  );
  const drag = useRef<{ readonly at: number; readonly x: number; readonly from: readonly number[] } | null>(null);
  const set = (next: number[]): void => {
    setShares(next);
    store(`split.${name}`, next);
  };
  return (
    <div class="split" ref={box}>
      {panes.map(({ key, label, content }, i) => (
        <Fragment key={key}>
          {i === 0 ? null : (
            <div
              role="separator"
              aria-orientation="vertical"
              aria-label={`width of ${panes[i - 1]?.label ?? ''}`}
              aria-valuenow={Math.round((shares[i - 1] ?? 0) * 100)}
              aria-valuemin={8}
              aria-valuemax={92}
              tabIndex={0}
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                drag.current = { at: i - 1, x: event.clientX, from: shares };
              }}
              onPointerMove={(event) => {
                const width = box.current?.clientWidth ?? 0;
                if (drag.current === null || width === 0) return;
                set(movedShares(drag.current.from, drag.current.at, (event.clientX - drag.current.x) / width));
              }}
              onPointerUp={() => (drag.current = null)}
              onPointerCancel={() => (drag.current = null)}
              onKeyDown={(event) => {
                const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
                if (by === undefined) return;
                event.preventDefault();
                set(movedShares(shares, i - 1, by));
              }}
            />
          )}
          <section class="pane" aria-label={label} style={{ flex: `${shares[i] ?? 1} 1 0` }}>
            {content}
          </section>
        </Fragment>
      ))}
    </div>
  );
}

function startOf(name: string, given: readonly number[]): number[] {
  const kept = stored(`split.${name}`);
  if (Array.isArray(kept) && kept.length === given.length && kept.every((share) => typeof share === 'number' && share >= least))
    return kept as number[];
  const sum = given.reduce((total, share) => total + share, 0);
  return given.map((share) => share / sum);
}
