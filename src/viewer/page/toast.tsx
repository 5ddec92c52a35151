/** One short line at the bottom that goes away by itself, read aloud. */
import { signal } from '@preact/signals';

const said = signal('');
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  said.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (said.value = ''), 2500);
}

export function Toast() {
  return (
    <div class="toast" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
