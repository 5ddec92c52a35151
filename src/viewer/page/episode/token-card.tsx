/** All that is recorded of one token, under the grid. Knows one token and the turn it belongs to. */
import type { StripOutline } from '../../contract.ts';
import { figure, whole } from '../format.ts';
import type { Token } from './token-shade.ts';

interface TokenCardProps {
  readonly token: Token;
  readonly index: number;
  readonly knows: StripOutline['knows'];
  readonly advantage: number | null;
  /** It was sampled for, or read before. */
  readonly turn: number | null;
  readonly onTurn: (turn: number) => void;
}

export function TokenCard({ token, index, knows, advantage, turn, onTurn }: TokenCardProps) {
  const { logprob, sampled, entropy, trainer } = token;
  const facts: [string, string][] = [
    ['token', whole(index)],
    ['id', String(token.id)],
    ['text', JSON.stringify(token.text)],
    ['is', sampled ? 'sampled, in the loss' : 'read, masked'],
    ...(logprob === null
      ? []
      : ([
          ['log-prob', logprob.toFixed(4)],
          ['p', figure(Math.exp(logprob))],
        ] satisfies [string, string][])),
    ...(knows.includes('entropy') ? ([['entropy', figure(entropy)]] satisfies [string, string][]) : []),
    ...(trainer === null || logprob === null ? [] : ([['sampler − trainer', figure(logprob - trainer)]] satisfies [string, string][])),
    ...(sampled && advantage !== null ? ([['advantage', figure(advantage)]] satisfies [string, string][]) : []),
    ['version', String(token.version)],
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
