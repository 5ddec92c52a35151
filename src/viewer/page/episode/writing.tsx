/** How a task was written: every prompt for its writer and for the tools of its rehearsal, in order, folded until it is asked for. */
import { useState } from 'preact/hooks';
import type { CallList, CallPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { plural, whole } from '../format.ts';
import { Awaited } from '../kit/empty.tsx';
import { Badge } from '../kit/badge.tsx';
import { to } from '../router.ts';
import { type Asked, askedIn, endings, sparedWords } from './asked.ts';
import { ChatCall } from './chat-call.tsx';
import { WhoMark, whoOf } from './who.tsx';

/** Drawn before one asks for more: a task that is drawn anew again and again may have hundreds. */
const batch = 30;

export function Writing({ run, group }: { readonly run: string; readonly group: string }) {
  const path = `/api${to.group(run, group)}/calls`;
  const answer = useAnswer<CallList>(path);
  const [limit, setLimit] = useState(batch);
  return (
    <Awaited answer={answer} lines={3}>
      {(list) => {
        const asked = askedIn(list, null, []);
        if (asked.length === 0)
          return (
            <p class="muted">
              {list.players.task === 'code'
                ? 'Code wrote this task: no model was asked.'
                : 'This record does not tell how its task was written.'}
            </p>
          );
        return (
          <ol class="writing">
            {asked.slice(0, limit).map((one) => (
              <li key={one.call}>
                <Step run={run} group={group} path={path} one={one} list={list} />
              </li>
            ))}
            {asked.length <= limit ? null : (
              <li>
                <button type="button" class="button small" onClick={() => setLimit(limit + 10 * batch)}>
                  {whole(asked.length - limit)} more
                </button>
              </li>
            )}
          </ol>
        );
      }}
    </Awaited>
  );
}

interface StepProps {
  readonly run: string;
  readonly group: string;
  readonly path: string;
  readonly one: Asked;
  readonly list: CallList;
}

function Step({ run, group, path, one, list }: StepProps) {
  const [isOpen, setOpen] = useState(false);
  const answer = useAnswer<CallPage>(isOpen ? `${path}/${one.call}` : null);
  const { tone, mark, words } = endings[one.end];
  const spared = sparedWords(one, list);
  return (
    <>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
        <WhoMark who={whoOf(one.actor)} word={one.actor === 'task' ? 'writer' : 'tool, rehearsed'} />
        {isOpen ? null : (
          <Badge tone={tone} mark={mark}>
            {words}
          </Badge>
        )}
        <span class="muted">{spared ?? (one.attempt === 0 ? '' : `asked again ${plural(one.attempt, 'time')}`)}</span>
      </button>
      {isOpen ? (
        <Awaited answer={answer}>
          {(call) => <ChatCall run={run} path={group} page={call} spared={spared} recorded={list.recorded} />}
        </Awaited>
      ) : null}
    </>
  );
}
