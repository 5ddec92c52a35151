/** All that is recorded of one token, under the grid. Knows one token and the turn it belongs to. */
import { figure, whole } from '../format.ts';
import type { Token } from './token-shade.ts';

interface TokenCardProps {
  readonly token: Token;
  readonly index: number;
  /** Of the weights that the trainer saw it with; undefined where it did not, or nobody knows. */
  readonly trainerVersion: number | undefined;
  readonly advantage: number | null;
  /** It was sampled for, or read before. */
  readonly turn: number | null;
  readonly onTurn: (turn: number) => void;
}

/** Tokens may be trained by a later version than sampled them. */
const versionsOf = ({ version, trainer }: Token, trainerVersion: number | undefined): string =>
  trainer === null || trainerVersion === undefined || trainerVersion === version
    ? String(version)
    : `${version}, trained by ${trainerVersion}`;

export function TokenCard({ token, index, trainerVersion, advantage, turn, onTurn }: TokenCardProps) {
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
    ...(trainer === null || logprob === null
      ? []
      : ([
          ['trainer’s', trainer.toFixed(4)],
          ['sampler − trainer', figure(logprob - trainer)],
        ] satisfies [string, string][])),
    ...(entropy === null ? [] : ([['entropy', `${figure(entropy)} nats`]] satisfies [string, string][])),
    ...(sampled && advantage !== null ? ([['advantage', figure(advantage)]] satisfies [string, string][]) : []),
    ['version', versionsOf(token, trainerVersion)],
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
