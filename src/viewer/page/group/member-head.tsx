/** How a member did, in the head of its column and at its end: reward, advantage, verdict, or the fault that kept it from either. */
import type { Fault } from '../../../protocol/fault.ts';
import type { Outcome, Verdict } from '../../../protocol/outcome.ts';
import { LongText } from '../episode/long-text.tsx';
import { RawText } from '../episode/raw-text.tsx';
import { plural, reward as rewardText } from '../format.ts';
import { Badge, OutcomeBadge, RewardBadge } from '../kit/badge.tsx';

interface MemberHeadProps {
  readonly name: string;
  /** null where it left no episode. */
  readonly href: string | null;
  /** null while it is being played. */
  readonly outcome: Outcome | null;
  readonly reward: number | null;
  readonly advantage: number | null;
  readonly turns: number;
  /** Whether the others are compared with it. */
  readonly isReference: boolean;
  readonly onReference: (() => void) | null;
}

export function MemberHead({ name, href, outcome, reward, advantage, turns, isReference, onReference }: MemberHeadProps) {
  return (
    <div class="member-head">
      <span class="line">
        {href === null ? <strong>{name}</strong> : <a href={href}>{name}</a>}
        {outcome === null ? (
          <Badge tone="info" mark="▶">
            playing
          </Badge>
        ) : (
          <RewardBadge reward={reward} />
        )}
        <span class="grow" />
        {onReference === null ? null : (
          <button
            type="button"
            class="button quiet small"
            aria-pressed={isReference}
            title="compare the others with it (c)"
            onClick={(event) => {
              event.stopPropagation();
              onReference();
            }}
          >
            {isReference ? 'compared with' : 'compare with'}
          </button>
        )}
      </span>
      <span class="line">
        <Advantage value={advantage} />
        <span class="muted">{plural(turns, 'turn')}</span>
      </span>
    </div>
  );
}

/** A bar from the middle: how much better or worse than its group, in standard deviations. */
function Advantage({ value }: { readonly value: number | null }) {
  if (value === null)
    return (
      <span class="muted" title="nothing is learnt from it">
        no advantage
      </span>
    );
  const share = Math.min(1, Math.abs(value) / 2.5) * 50;
  return (
    <span class="advantage" title="advantage: how much better than its group, in its standard deviations">
      <span class="muted">A</span> <span class="number">{rewardText(Number(value.toFixed(2)))}</span>
      <span class="advantage-bar" aria-hidden="true">
        <i data-sign={value < 0 ? 'bad' : 'good'} style={{ width: `${share}%`, left: value < 0 ? `${50 - share}%` : '50%' }} />
      </span>
    </span>
  );
}

/** Under its turns. */
export function MemberEnd({ outcome }: { readonly outcome: Outcome | null }) {
  if (outcome === null) return <span class="muted">goes on …</span>;
  switch (outcome.kind) {
    case 'scored':
      return <VerdictEnd verdict={outcome.verdict} />;
    case 'policyFault':
      return <Ended name="policyFault" text={outcome.reason} />;
    case 'truncated':
      return <Ended name={`truncated.${outcome.by}`} text={outcome.reason} />;
    case 'simulatorFault':
      return <FaultEnd name={`simulatorFault.${outcome.role}`} fault={outcome.fault} />;
    case 'judgeFault':
    case 'infraFault':
      return <FaultEnd name={outcome.kind} fault={outcome.fault} />;
    default:
      return outcome satisfies never;
  }
}

/** What was required, one by one; the rest in a line. */
function VerdictEnd({ verdict: { gates, criteria } }: { readonly verdict: Verdict }) {
  const optional = criteria.filter(({ required }) => !required);
  const names = (isMet: boolean): string => optional.flatMap(({ name, met }) => (met === isMet ? [name] : [])).join(', ');
  const [met, missed] = [names(true), names(false)];
  return (
    <ul class="checks">
      {gates
        .filter(({ passed }) => !passed)
        .map(({ name, detail }) => (
          <Check key={`gate ${name}`} passed={false} name={`gate ${name}`} detail={detail} />
        ))}
      {criteria
        .filter(({ required }) => required)
        .map(({ name, met: isMet, evidence }) => (
          <Check key={name} passed={isMet} name={name} detail={isMet ? undefined : evidence} />
        ))}
      {optional.length === 0 ? null : (
        <li class="muted">
          not required: {met === '' ? '' : `✓ ${met}`}
          {met !== '' && missed !== '' ? ' · ' : ''}
          {missed === '' ? '' : `✕ ${missed}`}
        </li>
      )}
    </ul>
  );
}

function Check({ passed, name, detail = '' }: { readonly passed: boolean; readonly name: string; readonly detail?: string | undefined }) {
  return (
    <li>
      <span class={passed ? 'met' : 'missed'}>
        <span aria-hidden="true">{passed ? '✓' : '✕'}</span> {name}
        <span class="unseen">{passed ? ': met' : ': missed'}</span>
      </span>
      {detail === '' ? null : (
        <>
          {' '}
          <span class="muted">
            <LongText text={detail} />
          </span>
        </>
      )}
    </li>
  );
}

function Ended({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <>
      <OutcomeBadge outcome={name} />
      <p>
        <LongText text={text} />
      </p>
    </>
  );
}

/** A failure of ours: no reward, and nothing is learnt from it. */
export function FaultEnd({ name, fault }: { readonly name: string; readonly fault: Fault }) {
  return (
    <>
      <OutcomeBadge outcome={name} />
      <p>
        <span class="muted">{fault.kind}: </span>
        <LongText text={fault.message} />
      </p>
      {fault.raw === undefined ? null : (
        <details>
          <summary>what it answered</summary>
          <RawText text={fault.raw} label="raw text of the fault" />
        </details>
      )}
    </>
  );
}
