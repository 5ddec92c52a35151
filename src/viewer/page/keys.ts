/** The keyboard: views register their bindings while they are shown, one listener serves them, the help lists them. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Binding, type KeyGroup, KeyMatcher } from './bindings.ts';

/** Innermost view last. */
export const keyGroups = signal<readonly KeyGroup[]>([]);

/** Registers keys while the component is shown. A key does what the last drawing says, however soon after it comes: waiting for an effect would lose quick presses. */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const now = useRef(bindings);
  now.current = bindings;
  useEffect(() => {
    const group: KeyGroup = {
      title,
      get bindings() {
        return now.current;
      },
    };
    keyGroups.value = [...keyGroups.peek(), group];
    return () => {
      keyGroups.value = keyGroups.peek().filter((other) => other !== group);
    };
  }, [title]);
}

const typedInto = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select'));

/** Listens; call once. */
export function listenToKeys(): void {
  const matcher = new KeyMatcher();
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const press = { key: event.key, ctrl: event.ctrlKey || event.metaKey, alt: event.altKey, typing: typedInto(event.target) };
    const found = matcher.match(press, keyGroups.peek(), performance.now());
    if (found === null) return;
    event.preventDefault();
    if (found !== 'pending') found.act();
  });
}
