/** What one episode said or did at one place, as it is or as it differs from another's at the same place. */
import { useMemo } from 'preact/hooks';
import { cutAt } from '../episode/clip.ts';
import { LongText } from '../episode/long-text.tsx';
import { whole } from '../format.ts';
import { Badge } from '../kit/badge.tsx';
import type { Piece } from './align.ts';
import { likeness, likenessAtMost, type Part, wordDiff } from './words.ts';

/** Characters of a piece that are compared word by word; the rest is shown as it is. */
const compared = 4000;
/** Texts that share less are shown without marks. */
const like = 0.35;

interface CellBodyProps {
  readonly pieces: readonly Piece[];
  /** Of the column that this one is compared with; null shows it as it is. */
  readonly against: readonly Piece[] | null;
}

export function CellBody({ pieces, against }: CellBodyProps) {
  // The n-th call is compared with the n-th call, words with words.
  const partners = new Map<Piece['kind'], Piece[]>();
  for (const piece of against ?? []) partners.set(piece.kind, [...(partners.get(piece.kind) ?? []), piece]);
  return (
    <>
      {pieces.map((piece, i) => (
        <PieceView key={i} piece={piece} partner={partners.get(piece.kind)?.shift() ?? null} />
      ))}
    </>
  );
}

/** What each kind is called beside its text; plain words need no name. */
const names: Readonly<Record<Piece['kind'], string | null>> = {
  words: null,
  nothing: null,
  thought: 'thinks',
  call: 'calls',
  malformed: 'cannot be read',
  result: null,
};

function PieceView({ piece, partner }: { readonly piece: Piece; readonly partner: Piece | null }) {
  const name = names[piece.kind];
  return (
    <div class={`piece piece-${piece.kind}`}>
      {name === null ? null : <span class="piece-name">{name}</span>}
      {piece.status === undefined ? null : (
        <Badge tone={piece.status === 'ok' ? 'good' : 'bad'} mark={piece.status === 'ok' ? '✓' : '✕'}>
          {piece.status}
        </Badge>
      )}
      <PieceText piece={piece} partner={partner} />
    </div>
  );
}

function PieceText({ piece, partner }: { readonly piece: Piece; readonly partner: Piece | null }) {
  const mono = piece.kind === 'call' || piece.kind === 'result' || piece.kind === 'malformed';
  const [before, after] = [cutAt(partner?.text ?? '', compared), cutAt(piece.text, compared)];
  const parts = useMemo(() => (partner === null || partner.text === piece.text ? null : marksOf(before, after)), [before, after]);
  if (parts === null) return <LongText text={piece.text} mono={mono} name="turn.txt" />;
  const rest = piece.text.length - after.length;
  return (
    <span class={mono ? 'said mono' : 'said'}>
      {parts.map(({ kind, text }, i) => (kind === 'same' ? text : kind === 'gone' ? <del key={i}>{text}</del> : <ins key={i}>{text}</ins>))}
      {rest === 0 ? null : <span class="muted"> … {whole(rest)} characters more</span>}
    </span>
  );
}

/** null where marks would be confetti. */
function marksOf(before: string, after: string): readonly Part[] | null {
  if (likenessAtMost(before, after) < like) return null;
  const parts = wordDiff(before, after);
  return likeness(parts) < like ? null : parts;
}
