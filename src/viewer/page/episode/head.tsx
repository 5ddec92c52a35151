/** How the episode went, above everything: reward, advantage, how it ended, what each gate and criterion found, and where it belongs. */
import { useMemo } from 'preact/hooks';
import type { Turn } from '../../../protocol/turn.ts';
import type { Fault } from '../../../protocol/fault.ts';
import type { Outcome } from '../../../protocol/outcome.ts';
import type { EpisodePage } from '../../contract.ts';
import { enclosed } from '../enclosed.ts';
import { figure, plural, reward as rewardText, stepNumber, stepOf, whole } from '../format.ts';
import { glossary, type Term } from '../glossary.ts';
import { Badge, OutcomeBadge, RewardBadge } from '../kit/badge.tsx';
import { to } from '../router.ts';
import { Forks, Origin } from './forks.tsx';
import { quotedTurn } from './evidence.ts';
import { LongText } from './long-text.tsx';
import { RawText } from './raw-text.tsx';

interface HeadProps {
  readonly page: EpisodePage;
  readonly onTurn: (turn: number) => void;
  readonly onFork: () => void;
}

export function Head({ page, onTurn, onFork }: HeadProps) {
  const { task, outcome, turns, strips } = page;
  const sampled = strips.reduce((sum, strip) => sum + strip.sampled, 0);
  return (
    <header class="episode-head">
      <div class="episode-figures">
        <h1 class="mono">{page.id}</h1>
        {outcome === null ? (
          <Badge tone="info" mark="▶">
            being played
          </Badge>
        ) : (
          <>
            <RewardBadge reward={page.reward} />
            <OutcomeBadge outcome={outcomeWord(outcome)} />
          </>
        )}
        <dl class="facts">
          <Fact name="advantage" term="advantage" value={page.advantage === null ? 'none' : rewardText(page.advantage)} />
          <Fact name="D" term="difficulty D" value={figure(task.difficulty)} />
          <Fact name="branch" term="branch" value={task.branch} />
          <Fact name="policy" term="policy" value={page.version === null ? 'none' : `v${page.version}`} />
          <Fact name="step" term="step" value={stepNumber(stepOf(page.group))} />
          <Fact name="turns" value={whole(turns.length)} />
          {sampled === 0 ? null : <Fact name="sampled" value={plural(sampled, 'token')} />}
        </dl>
        <span class="grow" />
        <Siblings page={page} />
        {outcome === null || turns.length === 0 || enclosed !== null ? null : (
          <button type="button" class="button" onClick={onFork} title="Play it anew from one of its turns">
            Fork…
          </button>
        )}
      </div>
      <Origin page={page} />
      <Forks page={page} />
      {outcome === null ? null : <Ending outcome={outcome} turns={turns} onTurn={onTurn} />}
    </header>
  );
}

function Fact({ name, term, value }: { readonly name: string; readonly term?: Term; readonly value: string }) {
  return (
    <div>
      <dt title={term === undefined ? undefined : glossary[term]}>{name}</dt>
      <dd class="number">{value}</dd>
    </div>
  );
}

export const outcomeWord = (outcome: Outcome): string =>
  outcome.kind === 'simulatorFault'
    ? `${outcome.kind}.${outcome.role}`
    : outcome.kind === 'truncated'
      ? `${outcome.kind}.${outcome.by}`
      : outcome.kind;

/** The other members of the group, each told by its reward's sign too. */
function Siblings({ page: { run, id, siblings, group } }: { readonly page: EpisodePage }) {
  return (
    <nav class="siblings" aria-label="members of the group">
      <a href={to.group(run, group)}>group</a>
      {siblings.map(({ id: other, member, reward }) => (
        <a
          key={other}
          class="sibling"
          href={to.episode(run, other)}
          aria-current={other === id ? 'page' : undefined}
          data-sign={reward === null ? 'none' : String(Math.sign(reward))}
          title={`member ${member}, reward ${reward === null ? 'none' : rewardText(reward)}`}
        >
          <span class="unseen">member </span>
          {member}
          <span aria-hidden="true">{reward === null ? '○' : reward > 0 ? '▲' : reward < 0 ? '▼' : '■'}</span>
        </a>
      ))}
    </nav>
  );
}

interface EndingProps {
  readonly outcome: Outcome;
  readonly turns: readonly Turn[];
  readonly onTurn: (turn: number) => void;
}

/** Verdict or fault, in full. */
export function Ending({ outcome, turns, onTurn }: EndingProps) {
  switch (outcome.kind) {
    case 'scored': {
      const { gates, criteria } = outcome.verdict;
      const failed = gates.filter(({ passed }) => !passed);
      return (
        <ul class="findings" aria-label="what the judge found">
          {failed.map(({ name, detail = '' }) => (
            <Finding key={`gate ${name}`} kind="gate" name={name} state="failed" words={detail} turns={turns} onTurn={onTurn} />
          ))}
          {gates.length > failed.length ? (
            <li class="finding" title={gates.map(({ name }) => name).join(', ')}>
              <Badge tone="good" mark="✓">
                {plural(gates.length - failed.length, 'gate')} passed
              </Badge>
            </li>
          ) : null}
          {criteria.map(({ name, required, met, evidence = '' }) => (
            <Finding
              key={name}
              kind={required ? 'criterion' : 'not required'}
              name={name}
              state={met ? 'met' : required ? 'missed' : 'open'}
              words={evidence}
              turns={turns}
              onTurn={onTurn}
            />
          ))}
        </ul>
      );
    }
    case 'policyFault':
    case 'truncated':
      return <p class="said">{outcome.reason}</p>;
    case 'simulatorFault':
    case 'judgeFault':
    case 'infraFault':
      return <FaultBox fault={outcome.fault} />;
    default:
      return outcome satisfies never;
  }
}

interface FindingProps {
  readonly kind: string;
  readonly name: string;
  readonly state: 'met' | 'missed' | 'failed' | 'open';
  readonly words: string;
  readonly turns: readonly Turn[];
  readonly onTurn: (turn: number) => void;
}

const marks = { met: ['good', '✓'], missed: ['bad', '✕'], failed: ['bad', '✕'], open: ['plain', '○'] } as const;

function Finding({ kind, name, state, words, turns, onTurn }: FindingProps) {
  const [tone, mark] = marks[state];
  const turn = useMemo(() => (words === '' ? null : quotedTurn(turns, words)), [turns, words]);
  return (
    <li class="finding">
      <Badge tone={tone} mark={mark} title={`${kind} ${name}: ${kind === 'gate' ? glossary.gate : glossary.criterion}`}>
        {name} {state === 'open' ? 'not met, not required' : state}
      </Badge>
      {words === '' ? null : (
        <q class="evidence">
          <LongText text={words} />
        </q>
      )}
      {turn === null ? null : (
        <button type="button" class="button small quiet" onClick={() => onTurn(turn)} title="The turn that holds these words">
          turn {turn}
        </button>
      )}
    </li>
  );
}

export function FaultBox({ fault }: { readonly fault: Fault }) {
  return (
    <div class="fault" role="group" aria-label="fault">
      <Badge tone="odd" mark="!">
        {fault.kind}
        {fault.trouble === undefined ? '' : `: ${fault.trouble}`}
      </Badge>
      <p class="said">
        <LongText text={fault.message} />
      </p>
      {(fault.causes ?? []).map((cause, i) => (
        <p key={i} class="said muted">
          because: {cause}
        </p>
      ))}
      {fault.raw === undefined ? null : (
        <div class="raw">
          <span class="muted">what could not be read</span>
          <RawText text={fault.raw} label="raw text" />
        </div>
      )}
    </div>
  );
}
