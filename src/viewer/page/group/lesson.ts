/** What a group teaches, in words, and which member the others are best compared with. Knows rewards; decides nothing that learning decides. */
import type { GroupPage } from '../../contract.ts';
import { plural, reward as rewardText } from '../format.ts';

interface Lesson {
  readonly tone: 'plain' | 'info' | 'warn' | 'bad';
  readonly words: string;
}

export function lessonOf(page: GroupPage): Lesson {
  const { members, missing, status, task } = page;
  if (status === 'running') return { tone: 'info', words: 'Being played: rewards come when all members have ended.' };
  const rewards = members.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const lost = members.length - rewards.length + missing.length;
  const lostWords = lost === 0 ? '' : ` ${plural(lost, 'member')} without a reward: a failure of the environment, left out of the mean.`;
  if (status === 'failed')
    return {
      tone: 'bad',
      words: `Too few members were scored (${rewards.length}): the group is on record and taught nothing.${lostWords}`,
    };
  if (task.split === 'heldOut') return { tone: 'plain', words: `Held out: measured, never learnt from.${lostWords}` };
  if (page.zeroVariance)
    return {
      tone: 'warn',
      words: `Zero variance: all ${rewards.length} scored members got ${rewardText(rewards[0] ?? null)}, so none is better than another and there is no gradient.${lostWords}`,
    };
  if (members.every(({ advantage }) => advantage === null))
    return {
      tone: 'warn',
      words: `Nothing was learnt from this group: its share of solved members is outside of what the run trains on.${lostWords}`,
    };
  const counts = [1, 0, -1].flatMap((value) => {
    const count = rewards.filter((reward) => reward === value).length;
    return count === 0 ? [] : [`${count} × ${rewardText(value)}`];
  });
  return { tone: lost > 0 ? 'warn' : 'plain', words: `Rewards: ${counts.join(', ')}.${lostWords}` };
}

/** The first member with the best reward; the first at all where none has one; null where there is none. */
export function referenceOf({ members }: Pick<GroupPage, 'members'>): number | null {
  let best = members[0];
  for (const member of members) if ((member.reward ?? -2) > (best?.reward ?? -2)) best = member;
  return best?.member ?? null;
}
