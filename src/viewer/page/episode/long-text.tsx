/** Words of models, tools and files as text: what is very long is cut, shown piece by piece, or saved as a file. */
import { useState } from 'preact/hooks';
import { whole } from '../format.ts';
import { cutAt } from './clip.ts';

interface LongTextProps {
  readonly text: string;
  /** Of the file it is saved as. */
  readonly name?: string;
  readonly mono?: boolean;
}

const first = 4000;
const piece = 100_000;
/** Text of one length in the document at most; more is for a file. */
const most = 600_000;

export function LongText({ text, name = 'text.txt', mono = false }: LongTextProps) {
  const [limit, setLimit] = useState(first);
  const shown = cutAt(text, limit);
  const rest = text.length - shown.length;
  const className = mono ? 'said mono' : 'said';
  if (rest === 0) return <span class={className}>{text}</span>;
  return (
    <>
      <span class={className}>{shown}</span>
      <span class="cut">
        <span class="muted">… {whole(rest)} characters more </span>
        {limit < most ? (
          <button
            type="button"
            class="button small"
            onClick={() => setLimit(Math.min(most, limit + (text.length <= piece ? text.length : piece)))}
          >
            {text.length <= piece ? 'Show all' : `Show ${whole(Math.min(piece, rest))} more`}
          </button>
        ) : null}
        <button type="button" class="button small" onClick={() => saveText(text, name)}>
          Download
        </button>
      </span>
    </>
  );
}

/** Hands a text to the browser as a file. */
export function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download holds on to it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
