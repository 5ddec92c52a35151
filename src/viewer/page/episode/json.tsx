/** A JSON value as a tree that opens where it is asked to; what fits on a line is on a line. */
import { useState } from 'preact/hooks';
import { Copy } from '../kit/copy.tsx';
import { plural, whole } from '../format.ts';
import { textLength } from './clip.ts';
import { LongText } from './long-text.tsx';

interface JsonProps {
  readonly value: unknown;
  /** Names it for the copy button. */
  readonly label: string;
  /** Levels that stand open at first. */
  readonly open?: number;
}

export function Json({ value, label, open = 1 }: JsonProps) {
  return (
    <div class="json mono">
      <Value value={value} open={open} />
      <span class="json-copy">
        <Copy text={() => JSON.stringify(value, null, 2)} what={label} />
      </span>
    </div>
  );
}

/** Characters of a value that stands on one line. */
const lineLength = 84;
/** Children drawn before one asks for more. */
const batch = 100;

function Value({ value, name, open }: { readonly value: unknown; readonly name?: string; readonly open: number }) {
  const [isOpen, setOpen] = useState(open > 0);
  const [limit, setLimit] = useState(batch);
  const head = name === undefined ? null : <span class="json-key">{name}: </span>;
  if (typeof value !== 'object' || value === null || textLength(value, lineLength) <= lineLength)
    return (
      <div class="json-line">
        {head}
        <Inline value={value} />
      </div>
    );
  const entries: readonly [string, unknown][] = Array.isArray(value)
    ? value.map((item, i) => [String(i), item as unknown])
    : Object.entries(value);
  const [left, right] = Array.isArray(value) ? '[]' : '{}';
  const size = plural(entries.length, Array.isArray(value) ? 'item' : 'key');
  return (
    <div class="json-branch">
      <button type="button" class="json-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {head}
        {left}
        <span class="muted">{isOpen ? size : ` ${size} `}</span>
        {isOpen ? null : right}
      </button>
      {isOpen ? (
        <div class="json-inside">
          {entries.slice(0, limit).map(([key, inner]) => (
            <Value key={key} name={key} value={inner} open={open - 1} />
          ))}
          {entries.length > limit ? (
            <button type="button" class="button small" onClick={() => setLimit(limit + batch * 10)}>
              {whole(entries.length - limit)} more
            </button>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

/** On one line, by kind: text in quotes, so that "3" is not 3. */
function Inline({ value }: { readonly value: unknown }) {
  if (typeof value === 'string')
    return (
      <span class="json-text">
        "<LongText text={value} mono />"
      </span>
    );
  if (typeof value !== 'object' || value === null) return <span class="json-word">{String(value)}</span>;
  const entries: readonly [string | null, unknown][] = Array.isArray(value)
    ? value.map((item) => [null, item as unknown])
    : Object.entries(value);
  const [left, right] = Array.isArray(value) ? '[]' : '{}';
  return (
    <span>
      {left}
      {entries.map(([key, inner], i) => (
        <span key={i}>
          {i === 0 ? '' : ', '}
          {key === null ? null : <span class="json-key">{key}: </span>}
          <Inline value={inner} />
        </span>
      ))}
      {right}
    </span>
  );
}
