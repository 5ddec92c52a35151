/** The tab of tokens: what the policy read and sampled, token by token, coloured by what learning saw. */
import { useCallback, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { EpisodePage, TokenStrip } from '../../contract.ts';
import { figure, whole } from '../format.ts';
import { Empty } from '../kit/empty.tsx';
import { stored, store } from '../stored.ts';
import type { Selection } from './selection.ts';
import { TokenGrid } from './token-grid.tsx';
import { isKnown, type Key, shaderOf, type Shading, shadings } from './token-shade.ts';
import { stretchesOf, stretchOfTurn, turnOfToken } from './token-turns.ts';

interface TokensProps {
  readonly page: EpisodePage;
  readonly selection: Selection;
}

export function Tokens({ page, selection }: TokensProps) {
  const stretches = useMemo(() => stretchesOf(page.strips, page.turns), [page]);
  const wanted = selection.isEnd ? null : stretchOfTurn(stretches, selection.turn);
  const [picked, setPicked] = useState(0);
  const [shading, setShading] = useState<Shading>(() => shadings.find(({ key }) => key === stored('tokens.shading'))?.key ?? 'logprob');
  const [cursor, setCursor] = useState(0);
  // The tokens follow the turn that is looked at.
  useLayoutEffect(() => {
    if (wanted === null) return;
    setPicked(wanted.strip);
    setCursor(wanted.from);
  }, [wanted?.turn]);
  const strip = page.strips[Math.min(picked, page.strips.length - 1)];
  const now = strip !== undefined && isKnown(shading, strip, page.advantage) ? shading : 'logprob';
  const shader = useMemo(() => (strip === undefined ? null : shaderOf(now, strip, page.advantage)), [strip, now, page.advantage]);
  const begins = useCallback(
    (index: number) => strip !== undefined && !strip.sampled[index] && (strip.sampled[index - 1] ?? false),
    [strip],
  );
  if (strip === undefined || shader === null)
    return (
      <Empty title="No tokens">
        <p>{page.outcome === null ? 'They are recorded when the group is sealed.' : 'The policy was never asked in this episode.'}</p>
      </Empty>
    );
  const unknown = shadings.filter(({ key }) => !isKnown(key, strip, page.advantage));
  const at = Math.min(cursor, strip.ids.length - 1);
  return (
    <div class="tokens-tab">
      <div class="tokens-bar">
        {page.strips.length < 2 ? null : (
          <select class="field" aria-label="trace" value={picked} onChange={(change) => setPicked(Number(change.currentTarget.value))}>
            {page.strips.map(({ ids }, i) => (
              <option key={i} value={i}>
                trace {i + 1} of {page.strips.length} ({whole(ids.length)})
              </option>
            ))}
          </select>
        )}
        <div class="choices" role="group" aria-label="coloured by">
          {shadings.map(({ key, title }) =>
            isKnown(key, strip, page.advantage) ? (
              <button
                key={key}
                type="button"
                class="button"
                aria-pressed={key === now}
                onClick={() => {
                  setShading(key);
                  store('tokens.shading', key);
                }}
              >
                {title}
              </button>
            ) : null,
          )}
        </div>
        <Legend keys={shader.legend} />
        <span class="grow" />
        <span class="muted number">
          {whole(strip.ids.length)} tokens, {whole(strip.sampled.filter(Boolean).length)} sampled
        </span>
      </div>
      {unknown.length === 0 ? null : <p class="muted small">Not in this record: {unknown.map(({ title }) => title).join(', ')}.</p>}
      <TokenGrid
        label="tokens"
        text={strip.text}
        shade={shader.shade}
        begins={begins}
        marked={wanted?.strip === picked ? wanted : null}
        cursor={at}
        onCursor={setCursor}
        card={(index) => (
          <Card
            strip={strip}
            index={index}
            advantage={page.advantage}
            turn={turnOfToken(stretches, picked, index)}
            onTurn={selection.pickTurn}
          />
        )}
      />
    </div>
  );
}

export function Legend({ keys }: { readonly keys: readonly Key[] }) {
  return (
    <ul class="legend" aria-label="legend">
      {keys.map(({ tone, sign, words }) => (
        <li key={words}>
          <span class="token" data-tone={tone} data-sign={sign} aria-hidden="true">
            ab
          </span>
          {words}
        </li>
      ))}
    </ul>
  );
}

interface CardProps {
  readonly strip: TokenStrip;
  readonly index: number;
  readonly advantage: number | null;
  /** It was sampled for, or read before. */
  readonly turn: number | null;
  readonly onTurn: (turn: number) => void;
}

function Card({ strip, index, advantage, turn, onTurn }: CardProps) {
  const logprob = strip.logprobs[index] ?? null;
  const sampled = strip.sampled[index] ?? false;
  const trainer = strip.trainer?.[index] ?? null;
  const facts: [string, string][] = [
    ['token', whole(index)],
    ['id', String(strip.ids[index] ?? '')],
    ['text', JSON.stringify(strip.text[index] ?? '')],
    ['is', sampled ? 'sampled, in the loss' : 'read, masked'],
    ...(logprob === null
      ? []
      : ([
          ['log-prob', logprob.toFixed(4)],
          ['p', figure(Math.exp(logprob))],
        ] satisfies [string, string][])),
    ...(strip.entropy === undefined ? [] : ([['entropy', figure(strip.entropy[index] ?? null)]] satisfies [string, string][])),
    ...(trainer === null || logprob === null ? [] : ([['sampler − trainer', figure(logprob - trainer)]] satisfies [string, string][])),
    ...(sampled && advantage !== null ? ([['advantage', figure(advantage)]] satisfies [string, string][]) : []),
    ['version', String(strip.version[index] ?? '')],
  ];
  return (
    <div class="facts">
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="mono one-line">{value}</dd>
          </div>
        ))}
      </dl>
      {turn === null ? null : (
        <button type="button" class="button small quiet" onClick={() => onTurn(turn)}>
          {sampled ? 'of' : 'before'} turn {turn}
        </button>
      )}
    </div>
  );
}
