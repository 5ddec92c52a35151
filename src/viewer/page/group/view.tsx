/** One task and everybody who was given it: members side by side, what each was worth, and what the group teaches. */
import { useCallback, useMemo } from 'preact/hooks';
import type { GroupPage } from '../../contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { figure, plural, reward as rewardText, stepNumber } from '../format.ts';
import { Many } from '../chart/many.tsx';
import { Badge } from '../kit/badge.tsx';
import { Awaited, Empty, Notice } from '../kit/empty.tsx';
import { Stat, Stats } from '../kit/stat.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { useKeys } from '../keys.ts';
import { throttled, useLive } from '../live.ts';
import { query, setQuery } from '../navigation.ts';
import { to } from '../router.ts';
import type { StreamEvent } from '../stream.ts';
import { type Column, Columns } from './columns.tsx';
import { FaultEnd, MemberEnd, MemberHead } from './member-head.tsx';
import { lessonOf, referenceOf } from './lesson.ts';

export function GroupView({ run, group }: { readonly run: string; readonly group: string }) {
  const path = `/api${to.group(run, group)}`;
  const answer = useAnswer<GroupPage>(path);
  const isPlaying = answer.value?.status === 'running';
  const changed = useMemo(() => throttled(1000, () => refresh(path)), [path]);
  const hear = useCallback(
    ({ kind, data }: StreamEvent) => {
      if (kind === 'reset' || (isPlaying && data.includes(JSON.stringify(group)))) changed();
    },
    [isPlaying, group, changed],
  );
  useLive(run, hear);
  return (
    <div class="page group-page">
      <Awaited answer={answer} lines={14}>
        {(page) => <Group page={page} />}
      </Awaited>
    </div>
  );
}

/** One column's member, with or without an episode. */
type Member =
  | (GroupPage['members'][number] & { readonly fault: null })
  | (GroupPage['missing'][number] & { readonly id: null; readonly fault: object });

function membersOf(page: GroupPage, byReward: boolean): Member[] {
  const members: Member[] = [
    ...page.members.map((member) => ({ ...member, fault: null })),
    ...page.missing.map((member) => ({ ...member, id: null })),
  ];
  const worth = (member: Member): number => (member.fault === null ? (member.reward ?? -2) : -3);
  return members.sort((a, b) => (byReward ? worth(b) - worth(a) : 0) || a.member - b.member);
}

/** By its own doing or by ours; one that still plays has not. */
const hasFailed = (member: Member): boolean => member.fault !== null || (member.outcome !== null && (member.reward ?? -1) < 0);

const tabs = [
  { key: 'members', title: 'Members' },
  { key: 'chart', title: 'Chart' },
] as const;

const nameOf = (member: number): string => `e${String(member).padStart(2, '0')}`;

function Group({ page }: { readonly page: GroupPage }) {
  const byReward = query.value.get('order') === 'reward';
  const marks = query.value.get('diff') !== 'off';
  const members = useMemo(() => membersOf(page, byReward), [page, byReward]);
  const at = (key: string): number => members.findIndex(({ member }) => String(member) === query.value.get(key));
  const picked = Math.max(0, at('member'));
  const asked = at('against');
  const against = asked === -1 ? members.findIndex(({ member }) => member === referenceOf(page)) : asked;
  const pick = (index: number): void => {
    const member = members[Math.max(0, Math.min(members.length - 1, index))];
    if (member !== undefined) setQuery({ member: member.member });
  };
  const refer = (index: number): void => setQuery({ against: members[index]?.member ?? null });
  const pickFailed = (by: 1 | -1): void => {
    const failed = members.flatMap((member, index) => (hasFailed(member) ? [index] : []));
    const next = by > 0 ? failed.find((index) => index > picked) : failed.findLast((index) => index < picked);
    if (next !== undefined) pick(next);
  };
  const tab = tabs.find(({ key }) => key === query.value.get('tab'))?.key ?? 'members';
  useKeys('Group', [
    { keys: '[', what: 'previous failed member', act: () => pickFailed(-1) },
    { keys: ']', what: 'next failed member', act: () => pickFailed(1) },
    { keys: 'c', what: 'compare the others with it', act: () => refer(picked) },
    { keys: 'd', what: 'differences word by word, or not', act: () => setQuery({ diff: marks ? 'off' : null }) },
    { keys: 'r', what: 'order by reward, or by member', act: () => setQuery({ order: byReward ? null : 'reward' }) },
    { keys: '1', what: 'members', act: () => setQuery({ tab: null }) },
    { keys: '2', what: 'chart of all members', act: () => setQuery({ tab: 'chart' }) },
  ]);
  const columns = useMemo(
    () => members.map((member, index) => columnOf(member, page.run, index === against, members.length > 1 ? () => refer(index) : null)),
    [members, page.run, against],
  );
  return (
    <>
      <GroupHead page={page} />
      <Lesson page={page} />
      <Tabs label="views of the group" tabs={tabs} active={tab} onPick={(key) => setQuery({ tab: key === 'members' ? null : key })}>
        {tab === 'chart' ? (
          <div class="group-part">
            <Many path={`/api${to.group(page.run, page.id)}/heat`} />
          </div>
        ) : (
          <div class="group-part">
            {members.length < 2 ? null : (
              <div class="group-tools" role="toolbar" aria-label="how members are shown">
                <button type="button" class="button" aria-pressed={marks} onClick={() => setQuery({ diff: marks ? 'off' : null })}>
                  Differences word by word
                </button>
                <button
                  type="button"
                  class="button"
                  aria-pressed={byReward}
                  onClick={() => setQuery({ order: byReward ? null : 'reward' })}
                >
                  Best first
                </button>
                {marks && members[against] !== undefined ? (
                  <span class="muted">
                    Compared with {nameOf(members[against].member)}: <ins>only here</ins> <del>only there</del>. Letters tell what differs
                    in a row.
                  </span>
                ) : null}
              </div>
            )}
            {members.length === 0 ? (
              <Empty sign="…" title="No member has begun">
                <p>They appear here as soon as they play.</p>
              </Empty>
            ) : (
              <Columns
                label={`members of ${page.id}, one a column`}
                columns={columns}
                picked={picked}
                onPick={pick}
                against={marks && against !== -1 ? against : null}
              />
            )}
          </div>
        )}
      </Tabs>
    </>
  );
}

function columnOf(member: Member, run: string, isReference: boolean, onReference: (() => void) | null): Column {
  const name = nameOf(member.member);
  if (member.fault !== null)
    return {
      key: name,
      name,
      turns: [],
      hrefOf: null,
      head: (
        <div class="member-head">
          <span class="line">
            <strong>{name}</strong>
            <Badge tone="odd" mark="∅">
              no episode
            </Badge>
          </span>
          <span class="line muted">lost: never a reward</span>
        </div>
      ),
      end: <FaultEnd name={`missing.${member.fault.kind}`} fault={member.fault} />,
    };
  const { id, turns, outcome, reward, advantage } = member;
  return {
    key: name,
    name,
    turns,
    hrefOf: (turn) => to.episode(run, id, { turn }),
    head: (
      <MemberHead {...{ name, outcome, reward, advantage, isReference, onReference }} href={to.episode(run, id)} turns={turns.length} />
    ),
    end: <MemberEnd outcome={outcome} />,
  };
}

function GroupHead({ page }: { readonly page: GroupPage }) {
  const { task } = page;
  const rewards = page.members.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const mean = rewards.length === 0 ? null : rewards.reduce<number>((sum, value) => sum + value, 0) / rewards.length;
  return (
    <>
      <header class="page-head">
        <h1>{page.id}</h1>
        {task.split === 'heldOut' ? <Badge tone="info">held out</Badge> : null}
        <span class="grow" />
        <Stats>
          <Stat label="step" term="step">
            {stepNumber(page.step)}
          </Stat>
          <Stat label="difficulty D" term="difficulty D" hint="of 100">
            {figure(task.difficulty)}
          </Stat>
          <Stat label="branch" term="branch">
            {task.branch}
          </Stat>
          <Stat label="members" term="member" hint={page.missing.length === 0 ? undefined : `${page.missing.length} lost`}>
            {page.members.length + page.missing.length}
          </Stat>
          <Stat label="scored" term="scored">
            {rewards.length}
          </Stat>
          <Stat label="mean reward" term="reward">
            {rewardText(mean)}
          </Stat>
        </Stats>
      </header>
      <dl class="pairs group-task">
        <dt>asks</dt>
        <dd class="said">{cut(task.query)}</dd>
        <dt>wants</dt>
        <dd class="said">{cut(task.intent.summary)}</dd>
        <dt>needs</dt>
        <dd class="said">
          {task.expectedCalls.length === 0 ? (
            <span class="muted">no call</span>
          ) : (
            <>
              {plural(task.expectedCalls.length, 'call')}: <code>{task.expectedCalls.map(({ name }) => name).join(', ')}</code>
            </>
          )}
          <span class="muted"> · criteria: {task.criteria.join(', ')}</span>
        </dd>
      </dl>
    </>
  );
}

const cut = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}…` : text);

function Lesson({ page }: { readonly page: GroupPage }) {
  const { tone, words } = lessonOf(page);
  return tone === 'plain' ? <p class="muted">{words}</p> : <Notice tone={tone}>{words}</Notice>;
}
