/** The tab of prompts: before each of the agent's turns exactly what the policy read, what of it was new, and what it sampled; as words and as ids. */
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { EpisodePage, PromptPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { whole } from '../format.ts';
import { Copy } from '../kit/copy.tsx';
import { Awaited, Empty } from '../kit/empty.tsx';
import type { Selection } from './selection.ts';
import { TokenGrid } from './token-grid.tsx';
import { heldTokens } from './token-rows.ts';
import type { Key } from './token-shade.ts';
import { Legend } from './tokens.tsx';

interface PromptsProps {
  readonly page: EpisodePage;
  readonly selection: Selection;
  /** Address of the episode's API. */
  readonly path: string;
}

const known: Key = { tone: 'read', sign: '', words: 'read before' };
const added: Key = { tone: 'up', sign: '+', words: 'new since the last turn' };
const sampled: Key = { tone: 'trained', sign: '', words: 'sampled then' };

export function Prompts({ page, selection, path }: PromptsProps) {
  const agents = useMemo(() => page.turns.flatMap(({ role }, turn) => (role === 'agent' ? [turn] : [])), [page.turns]);
  // The agent's turn that is looked at, or the one before it.
  const at = Math.max(
    0,
    agents.findLastIndex((turn) => turn <= selection.turn),
  );
  const turn = agents[at];
  const answer = useAnswer<PromptPage>(turn === undefined || page.outcome === null ? null : `${path}/prompts/${turn}`);
  if (turn === undefined || page.outcome === null)
    return (
      <Empty title="No prompts yet">
        <p>{page.outcome === null ? 'They are shown when the group is sealed.' : 'The policy was never asked in this episode.'}</p>
      </Empty>
    );
  const move = (by: number): void => {
    const next = agents[at + by];
    if (next !== undefined) selection.pickTurn(next);
  };
  return (
    <div class="tokens-tab">
      <div class="tokens-bar">
        <button type="button" class="button" disabled={at === 0} onClick={() => move(-1)}>
          ‹ <span class="unseen">previous prompt</span>
        </button>
        <b class="number">
          prompt {at + 1} of {agents.length}
        </b>
        <button type="button" class="button" disabled={at === agents.length - 1} onClick={() => move(1)}>
          › <span class="unseen">next prompt</span>
        </button>
        <Legend keys={[known, added, sampled]} />
      </div>
      <Awaited answer={answer}>{(prompt) => <Prompt key={prompt.turn} prompt={prompt} />}</Awaited>
    </div>
  );
}

function Prompt({ prompt }: { readonly prompt: PromptPage }) {
  const [as, setAs] = useState<'words' | 'ids'>('words');
  const [isFolded, setFolded] = useState(prompt.known > 200);
  const begin = isFolded ? prompt.known : 0;
  const tokens = useMemo(() => {
    const words = as === 'words' ? [...prompt.text, ...prompt.sampled.text] : [...prompt.ids, ...prompt.sampled.ids].map(String);
    return heldTokens(words.slice(begin));
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
