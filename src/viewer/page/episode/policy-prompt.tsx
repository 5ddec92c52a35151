/** What the policy read before one of its turns, what of it was new, and what it sampled; as words and as ids. */
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { PromptPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { whole } from '../format.ts';
import { Copy } from '../kit/copy.tsx';
import { Awaited } from '../kit/empty.tsx';
import { TokenGrid } from './token-grid.tsx';
import { heldTokens } from './token-rows.ts';
import type { Key } from './token-shade.ts';
import { Legend } from './tokens.tsx';

const known: Key = { tone: 'read', sign: '', words: 'read before' };
const added: Key = { tone: 'up', sign: '+', words: 'new since the last turn' };
const sampled: Key = { tone: 'trained', sign: '', words: 'sampled then' };

/** `path`: address of the episode's API; `turn`: one of the agent's. */
export function PolicyPrompt({ path, turn }: { readonly path: string; readonly turn: number }) {
  const answer = useAnswer<PromptPage>(`${path}/prompts/${turn}`);
  return (
    <>
      <div class="tokens-bar">
        <Legend keys={[known, added, sampled]} />
      </div>
      <Awaited answer={answer}>{(prompt) => <Prompt key={prompt.turn} prompt={prompt} />}</Awaited>
    </>
  );
}

function Prompt({ prompt }: { readonly prompt: PromptPage }) {
  const [as, setAs] = useState<'words' | 'ids'>('words');
  const [isFolded, setFolded] = useState(prompt.known > 200);
  const begin = isFolded ? prompt.known : 0;
  const tokens = useMemo(() => {
    const words = as === 'words' ? [...prompt.text, ...prompt.sampled.text] : [...prompt.ids, ...prompt.sampled.ids].map(String);
    const held = heldTokens(words.slice(begin));
    // The sign of what is new takes a column of its own.
    const isAdded = (index: number): boolean => index + begin >= prompt.known && index + begin < prompt.ids.length;
    const measure = (index: number): ReturnType<typeof held.measure> => {
      const { width, endsLine } = held.measure(index);
      return { width: width + (isAdded(index) ? 1 : 0), endsLine };
    };
    return { ...held, measure };
  }, [prompt, as, begin]);
  const [cursor, setCursor] = useState(0);
  const ids = [...prompt.ids, ...prompt.sampled.ids];
  const faces = [...prompt.text, ...prompt.sampled.text];
  const begins = useCallback(
    (index: number) => index > 0 && (index + begin === prompt.known || index + begin === prompt.ids.length),
    [prompt, begin],
  );
  const keyAt = (index: number): Key => (index < prompt.known ? known : index < prompt.ids.length ? added : sampled);
  return (
    <>
      <div class="tokens-bar">
        <div class="choices" role="group" aria-label="shown as">
          {(['words', 'ids'] as const).map((way) => (
            <button key={way} type="button" class="button" aria-pressed={as === way} onClick={() => setAs(way)}>
              {way}
            </button>
          ))}
        </div>
        {prompt.known === 0 ? null : (
          <button type="button" class="button" aria-pressed={isFolded} onClick={() => setFolded(!isFolded)}>
            {isFolded ? `${whole(prompt.known)} tokens as before are folded` : 'Fold what was read before'}
          </button>
        )}
        <span class="muted number">
          {whole(prompt.ids.length)} tokens read, {whole(prompt.ids.length - prompt.known)} new, {whole(prompt.sampled.ids.length)} sampled
        </span>
        <span class="grow" />
        <Copy text={() => prompt.text.join('')} what="the prompt as words">
          Copy words
        </Copy>
        <Copy text={() => JSON.stringify(prompt.ids)} what="the prompt as ids">
          Copy ids
        </Copy>
      </div>
      <TokenGrid
        label={`prompt of turn ${prompt.turn}`}
        tokens={tokens}
        shade={(index) => keyAt(index + begin)}
        begins={begins}
        cursor={Math.min(cursor, Math.max(0, tokens.length - 1))}
        onCursor={setCursor}
        card={(index) => (
          <dl class="facts">
            <div>
              <dt>token</dt>
              <dd class="mono">{whole(index + begin)}</dd>
            </div>
            <div>
              <dt>id</dt>
              <dd class="mono">{ids[index + begin]}</dd>
            </div>
            <div>
              <dt>text</dt>
              <dd class="mono one-line">{JSON.stringify(faces[index + begin] ?? '')}</dd>
            </div>
            <div>
              <dt>is</dt>
              <dd>{keyAt(index + begin).words}</dd>
            </div>
          </dl>
        )}
      />
    </>
  );
}
