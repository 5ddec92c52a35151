/** The tab of tokens: what the policy read and sampled, token by token, coloured by what learning saw. */
import { useCallback, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { EpisodePage, StripOutline } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { figure, whole } from '../format.ts';
import { Awaited, Empty, Notice } from '../kit/empty.tsx';
import { stored, store } from '../stored.ts';
import type { Selection } from './selection.ts';
import { type StripAddress, useStripWindows } from './strip-windows.ts';
import { TokenCard } from './token-card.tsx';
import { absent, TokenGrid } from './token-grid.tsx';
import { laidOutTokens } from './token-rows.ts';
import { isKnown, type Key, type Shader, shaderOf, type Shading, shadings } from './token-shade.ts';
import { stretchesOf, stretchOfToken, stretchOfTurn, type Stretch } from './token-turns.ts';

interface TokensProps {
  readonly page: EpisodePage;
  readonly selection: Selection;
  /** Address of the episode's API. */
  readonly path: string;
}

export function Tokens({ page, selection, path }: TokensProps) {
  const answer = useAnswer<readonly StripOutline[]>(page.strips.length === 0 ? null : `${path}/strips`);
  if (page.strips.length === 0)
    return (
      <Empty title="No tokens">
        <p>{page.outcome === null ? 'They are recorded when the group is sealed.' : 'The policy was never asked in this episode.'}</p>
      </Empty>
    );
  return <Awaited answer={answer}>{(strips) => <Strips {...{ page, selection, path, strips }} />}</Awaited>;
}

interface StripsProps extends TokensProps {
  readonly strips: readonly StripOutline[];
}

function Strips({ page, selection, path, strips }: StripsProps) {
  const stretches = useMemo(() => stretchesOf(strips, page.turns), [strips, page.turns]);
  const wanted = selection.isEnd ? null : stretchOfTurn(stretches, selection.turn);
  const [picked, setPicked] = useState(0);
  const [asked, setAsked] = useState<Shading>(() => shadings.find(({ key }) => key === stored('tokens.shading'))?.key ?? 'logprob');
  const [cursor, setCursor] = useState(0);
  // The tokens follow the turn that is looked at.
  useLayoutEffect(() => {
    if (wanted === null) return;
    setPicked(wanted.strip);
    setCursor(wanted.from);
  }, [wanted?.turn]);
  const at = Math.min(picked, strips.length - 1);
  const strip = strips[at];
  const shading = strip !== undefined && isKnown(asked, strip, page.advantage) ? asked : 'logprob';
  const shader = useMemo(() => (strip === undefined ? null : shaderOf(shading, strip, page.advantage)), [strip, shading, page.advantage]);
  if (strip === undefined || shader === null) return null;
  const pick = (key: Shading): void => {
    setAsked(key);
    store('tokens.shading', key);
  };
  return (
    <div class="tokens-tab">
      <div class="tokens-bar">
        {strips.length < 2 ? null : (
          <select class="field" aria-label="trace" value={at} onChange={(change) => setPicked(Number(change.currentTarget.value))}>
            {strips.map(({ tokens }, i) => (
              <option key={i} value={i}>
                trace {i + 1} of {strips.length} ({whole(tokens)})
              </option>
            ))}
          </select>
        )}
        <Shadings strip={strip} advantage={page.advantage} now={shading} onPick={pick} />
        <Legend keys={shader.legend} />
        <span class="grow" />
        <span class="muted number">
          {whole(strip.tokens)} tokens, {whole(page.strips[at]?.sampled ?? 0)} sampled
        </span>
      </div>
      <TrainersView strip={strip} advantage={page.advantage} />
      <Strip
        key={at}
        address={{ path, strip: at }}
        outline={strip}
        stretches={stretches}
        shader={shader}
        marked={wanted?.strip === at ? wanted : null}
        cursor={Math.min(cursor, strip.tokens - 1)}
        onCursor={setCursor}
        advantage={page.advantage}
        onTurn={selection.pickTurn}
      />
    </div>
  );
}

interface ShadingsProps {
  readonly strip: StripOutline;
  readonly advantage: number | null;
  readonly now: Shading;
  readonly onPick: (shading: Shading) => void;
}

function Shadings({ strip, advantage, now, onPick }: ShadingsProps) {
  return (
    <div class="choices" role="group" aria-label="coloured by">
      {shadings
        .filter(({ key }) => isKnown(key, strip, advantage))
        .map(({ key, title }) => (
          <button key={key} type="button" class="button" aria-pressed={key === now} onClick={() => onPick(key)}>
            {title}
          </button>
        ))}
    </div>
  );
}

/** What the trainer saw, all in all, or why two of the colourings are not there. */
function TrainersView({ strip: { trainer }, advantage }: Pick<ShadingsProps, 'strip' | 'advantage'>) {
  return <p class="muted small">{trainer === undefined ? unseen(advantage) : seenWords(trainer)}</p>;
}

const unseen = (advantage: number | null): string =>
  advantage === null
    ? 'Nothing was learnt from these tokens: no advantage, and no trainer’s view of them (entropy, sampler − trainer).'
    : 'No trainer’s view of these tokens (entropy, sampler − trainer): their step was not trained yet, or their record is from before it was kept.';

const seenWords = ({ version, entropy, gap, most }: NonNullable<StripOutline['trainer']>): string =>
  `Seen by the trainer at version ${version}: entropy ${figure(entropy)} nats on average; log-probs ${figure(gap)} from the sampler’s on average, ${figure(most)} at most.`;

interface StripProps {
  readonly address: StripAddress;
  readonly outline: StripOutline;
  readonly stretches: readonly Stretch[];
  readonly shader: Shader;
  readonly marked: Stretch | null;
  readonly cursor: number;
  readonly onCursor: (token: number) => void;
  readonly advantage: number | null;
  readonly onTurn: (turn: number) => void;
}

function Strip({ address, outline, stretches, shader, marked, cursor, onCursor, advantage, onTurn }: StripProps) {
  const { tokenAt, trouble, onSeen } = useStripWindows(address, outline.tokens, cursor);
  const laid = useMemo(() => laidOutTokens(outline.widths), [outline]);
  // What was read after a sampled stretch begins a row.
  const ends = useMemo(() => new Set(outline.stretches.map(([, until]) => until)), [outline]);
  const begins = useCallback((index: number) => ends.has(index), [ends]);
  return (
    <>
      {trouble === null ? null : <Notice>Some of the tokens cannot be had: {trouble}</Notice>}
      <TokenGrid
        label="tokens"
        tokens={{ ...laid, text: (index) => tokenAt(index)?.text }}
        shade={(index) => {
          const token = tokenAt(index);
          return token === undefined ? absent : shader.shade(token);
        }}
        begins={begins}
        marked={marked}
        cursor={cursor}
        onCursor={onCursor}
        onSeen={onSeen}
        card={(index) => {
          const token = tokenAt(index);
          const turn = stretchOfToken(stretches, address.strip, index)?.turn ?? null;
          return token === undefined ? null : (
            <TokenCard {...{ token, index, advantage, turn, onTurn }} trainerVersion={outline.trainer?.version} />
          );
        }}
      />
    </>
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
