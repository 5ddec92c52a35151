/** A dialog over the page: takes the focus, keeps it, gives it back; Escape or a click beside it closes. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface DialogProps {
  readonly label: string;
  readonly kind: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ label, kind, onClose, children }: DialogProps) {
  const box = useRef<HTMLDivElement>(null);
  // Before the next key is pressed: nothing that is typed goes astray.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shell = document.querySelector<HTMLElement>('#shell');
    if (shell !== null) shell.inert = true;
    (box.current?.querySelector<HTMLElement>('input, button') ?? box.current)?.focus();
    return () => {
      if (shell !== null) shell.inert = false;
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <div
      class="veil"
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
      onKeyDown={(event) => {
        // The page below hears nothing.
        event.stopPropagation();
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onClose();
      }}
    >
      <div class={`dialog ${kind}`} role="dialog" aria-modal="true" aria-label={label} tabIndex={-1} ref={box}>
        {children}
      </div>
    </div>
  );
}
