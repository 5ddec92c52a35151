/** What somebody answered, to the letter, where it could not be read: that it was nothing is said in words. Knows text, not who sent it. */
import { plural } from '../format.ts';
import { LongText } from './long-text.tsx';

export function RawText({ text, label }: { readonly text: string; readonly label: string }) {
  if (text.trim() === '')
    return (
      <p class="muted">
        {text === '' ? '(nothing: the answer was empty)' : `(nothing but white space: ${plural(text.length, 'character')})`}
      </p>
    );
  return (
    <pre class="said mono" tabIndex={0} aria-label={label}>
      <LongText text={text} mono />
    </pre>
  );
}
