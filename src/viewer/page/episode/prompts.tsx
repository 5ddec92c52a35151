/** The tab of prompts: all that was asked in the episode, in order, of the policy and of whoever plays its user, its tools and its judge; and the one that is looked at, in full. */
import { useMemo, useState } from 'preact/hooks';
import type { CallList, CallPage, EpisodePage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { whole } from '../format.ts';
import { useKeys } from '../keys.ts';
import { Awaited, Empty, Notice } from '../kit/empty.tsx';
import { Split } from '../kit/split.tsx';
import { type Asked, askedAt, askedIn, sparedWords } from './asked.ts';
import { AskedList } from './asked-list.tsx';
import { ChatCall } from './chat-call.tsx';
import { PolicyPrompt } from './policy-prompt.tsx';
import type { Selection } from './selection.ts';
import type { Timeline } from './timeline.ts';
import { WhoMark, whoOf } from './who.tsx';

interface PromptsProps {
  readonly page: EpisodePage;
  readonly timeline: Timeline | null;
  readonly selection: Selection;
  /** Address of the episode's API. */
  readonly path: string;
}

export function Prompts({ page, timeline, selection, path }: PromptsProps) {
  const { value: list = null, trouble } = useAnswer<CallList>(`${path}/calls`);
  const asked = useMemo(() => askedIn(list, timeline, page.turns), [list, timeline, page.turns]);
  // Of those that no event ended only this list knows which is looked at.
  const [own, setOwn] = useState<{ readonly at: number; readonly event: number; readonly turn: number } | null>(null);
  const isOwn = own !== null && own.event === selection.event && own.turn === selection.turn;
  const at = isOwn ? own.at : askedAt(asked, selection, (one) => list !== null && sparedWords(one, list) !== null);
  const pick = (next: number): void => {
    const one = asked[next];
    if (one === undefined) return;
    setOwn(one.event < 0 && one.call >= 0 ? { at: next, event: selection.event, turn: selection.turn } : null);
    if (one.event >= 0) selection.pickEvent(one.event);
    else if (one.turn >= 0) selection.pickTurn(one.turn);
  };
  useKeys('Prompts', [
    { keys: 'n', what: 'next prompt', act: () => pick(at + 1) },
    { keys: 'N', what: 'previous prompt', act: () => pick(at - 1) },
  ]);
  const one = asked[at];
  if (one === undefined)
    return (
      <Empty title="No prompts yet">
        <p>{page.outcome === null ? 'Nobody has been asked so far.' : 'Nobody was ever asked in this episode.'}</p>
      </Empty>
    );
  return (
    <div class="tokens-tab">
      <div class="tokens-bar">
        <button type="button" class="button" disabled={at === 0} onClick={() => pick(at - 1)}>
          ‹ <span class="unseen">previous prompt</span>
        </button>
        <b class="number">
          prompt {whole(at + 1)} of {whole(asked.length)}
        </b>
        <button type="button" class="button" disabled={at === asked.length - 1} onClick={() => pick(at + 1)}>
          › <span class="unseen">next prompt</span>
        </button>
        <WhoMark who={whoOf(one.actor)} word={one.actor === 'agent' ? 'policy' : one.actor} />
        <span class="muted">{one.turn < 0 ? '' : one.turn >= page.turns.length ? 'after the last turn' : `for turn ${one.turn}`}</span>
        {trouble === null ? null : <span class="muted">The prompts of simulators cannot be had: {trouble.message}</span>}
      </div>
      <Split
        name="prompts"
        panes={[
          { key: 'list', label: 'prompts', share: 27, content: <AskedList asked={asked} list={list} at={at} onPick={pick} /> },
          { key: 'prompt', label: 'the prompt', share: 73, content: <One page={page} one={one} list={list} path={path} /> },
        ]}
      />
    </div>
  );
}

interface OneProps {
  readonly page: EpisodePage;
  readonly one: Asked;
  readonly list: CallList | null;
  readonly path: string;
}

function One({ page, one, list, path }: OneProps) {
  const isPolicy = one.actor === 'agent';
  const answer = useAnswer<CallPage>(one.call < 0 || (isPolicy && one.end === 'accepted') ? null : `${path}/calls/${one.call}`);
  if (isPolicy && one.end === 'accepted') {
    if (page.outcome === null) return <Notice tone="info">The policy’s tokens are shown when the group is sealed.</Notice>;
    if (one.turn < 0) return <Notice tone="info">This attempt at the episode was given up: its tokens were not kept.</Notice>;
    return (
      <div class="tokens-tab" key={one.turn}>
        <PolicyPrompt path={path} turn={one.turn} />
      </div>
    );
  }
  return (
    <Awaited answer={answer}>
      {(call) => (
        <ChatCall
          key={call.index}
          run={page.run}
          path={page.id}
          page={call}
          spared={list === null ? null : sparedWords(one, list)}
          recorded={list?.recorded ?? false}
        />
      )}
    </Awaited>
  );
}
