/** The tokens of one strip as far as they are looked at: asked for in windows that neighbours share. Knows no layout. */
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { TokenStrip } from '../../contract.ts';
import { stripPath, stripWindowSize } from '../../windowing.ts';
import { useAnswers } from '../api.ts';
import { type Token, tokenIn } from './token-shade.ts';

export interface StripAddress {
  /** Of the episode's API. */
  readonly path: string;
  /** Which of its strips. */
  readonly strip: number;
}

interface StripWindows {
  /** undefined until its window is there. */
  readonly tokenAt: (index: number) => Token | undefined;
  readonly trouble: string | null;
  /** Which tokens are looked at now. */
  readonly onSeen: (from: number, until: number) => void;
}

const windowOf = (token: number): number => Math.floor(token / stripWindowSize);

/** The token at the cursor is told wherever it is. */
export function useStripWindows({ path, strip }: StripAddress, tokens: number, cursor: number): StripWindows {
  const [seen, setSeen] = useState({ first: 0, last: 0 });
  const onSeen = useCallback((from: number, until: number) => {
    const [first, last] = [windowOf(from), windowOf(Math.max(from, until - 1))];
    setSeen((now) => (now.first === first && now.last === last ? now : { first, last }));
  }, []);
  const at = windowOf(cursor);
  const windows = useMemo(() => {
    const wanted = new Set(Array.from({ length: seen.last - seen.first + 1 }, (_, i) => seen.first + i));
    return [...wanted.add(at)].filter((window) => window * stripWindowSize < tokens);
  }, [seen, at, tokens]);
  const paths = useMemo(() => windows.map((window) => stripPath(path, strip, window)), [windows, path, strip]);
  const answers = useAnswers<TokenStrip>(paths);
  return {
    tokenAt: (index) => {
      const answer = answers[windows.indexOf(windowOf(index))];
      return answer?.value === undefined ? undefined : tokenIn(answer.value, index % stripWindowSize);
    },
    trouble: answers.find(({ trouble }) => trouble !== null)?.trouble?.message ?? null,
    onSeen,
  };
}
