/** Data and raw text as it is, in a box with a copy button. Long text is clipped until it is asked for, so that megabytes never reach the document at once. */
import { useState } from 'preact/hooks';
import { Copy } from './copy.tsx';

const clippedAt = 20_000;
const moreBy = 200_000;

/** `value`: text as it is, anything else as indented JSON. */
export function Code({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value));
  const [limit, setLimit] = useState(clippedAt);
  const clipped = text.length > limit;
  return (
    <div class="code">
      <pre tabIndex={0} aria-label={label}>
        {clipped ? text.slice(0, limit) : text}
      </pre>
      <div class="code-side">
        {clipped ? (
          <button type="button" class="button" onClick={() => setLimit(limit + moreBy)}>
            {(text.length - limit).toLocaleString('en-US')} characters more
          </button>
        ) : null}
        <Copy text={text} what={label}>
          Copy
        </Copy>
      </div>
    </div>
  );
}
