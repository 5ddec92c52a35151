/** Puts text into the clipboard and says so. */
import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';
import { say } from '../toast.tsx';

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {
    say('This browser does not let the page copy');
  }
}

interface CopyProps {
  readonly text: string | (() => string);
  /** What is copied, for the button's name: `the link`. */
  readonly what: string;
  readonly children?: ComponentChildren;
}

export function Copy({ text, what, children }: CopyProps) {
  return (
    <button
      type="button"
      class="button quiet"
      title={`Copy ${what}`}
      aria-label={children === undefined ? `Copy ${what}` : undefined}
      onClick={() => void copy(typeof text === 'string' ? text : text(), what)}
    >
      {children ?? <Icon name="copy" />}
    </button>
  );
}
