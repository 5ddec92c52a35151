/** What is shown where there is nothing, not yet, or not at all: always with what to do about it. */
import type { ComponentChildren } from 'preact';
import type { Answer, Trouble } from '../api.ts';

export function Empty({
  sign = '∅',
  title,
  children,
}: {
  readonly sign?: string;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ lines = 6 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="loading">
      {Array.from({ length: lines }, (_, i) => (
        <i key={i} style={{ width: `${92 - ((i * 37) % 50)}%` }} />
      ))}
    </div>
  );
}

/** A strip above what is still readable. */
export function Notice({ tone = 'warn', children }: { readonly tone?: 'warn' | 'bad' | 'info'; readonly children: ComponentChildren }) {
  return (
    <div class="notice" data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/** In place of what could not be had. */
export function Failure({ trouble, again }: { readonly trouble: Trouble; readonly again: () => void }) {
  const title = trouble.status === 404 ? 'Not found' : trouble.status === 0 ? 'No answer' : `The server answered ${trouble.status}`;
  return (
    <Empty sign="!" title={title}>
      <p role="alert">{trouble.message}</p>
      <p>
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      </p>
    </Empty>
  );
}

/** An answer in each of its states: skeleton, failure, or what `children` makes of it; a stale value stays on the page under a notice. */
export function Awaited<T>({
  answer,
  lines = 6,
  children,
}: {
  readonly answer: Answer<T> & { readonly again: () => void };
  readonly lines?: number;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { value, trouble, again } = answer;
  if (value === undefined) return trouble === null ? <Skeleton lines={lines} /> : <Failure trouble={trouble} again={again} />;
  return (
    <>
      {trouble === null ? null : (
        <Notice>
          What you see may be old: {trouble.message}
          <button type="button" class="button" onClick={again}>
            Try again
          </button>
        </Notice>
      )}
      {children(value)}
    </>
  );
}
