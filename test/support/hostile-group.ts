/** A recorded run of one group in which everything that anybody can have written is an attack on a page. */
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { Turn } from '../../src/protocol/turn.ts';
import type { RunFolder } from '../../src/record/folder.ts';
import { openSample, sampleGroup, sealed } from './sample-run.ts';

/** Ends every element that data may stand in, then adds its own. `id` is what the added ones are called. */
export const attack = `</script></style></title></noscript>--><script id="planted">window.planted=1</script><img id="planted" src="https://planted.invalid/x" onerror="window.planted=1"><!--<script>`;

const call = { name: 'find_book', arguments: { [attack]: attack } };

const turns: Turn[] = [
  { role: 'user', text: attack },
  { role: 'agent', thought: attack, text: attack, calls: [call] },
  { role: 'tool', call, status: 'ok', result: { [attack]: [attack] }, patch: [] },
  { role: 'agent', thought: '', text: attack, calls: [], malformed: { raw: attack, reason: attack } },
];

function hostileGroup(): RolloutGroup {
  const group = sampleGroup(1, 0, turns);
  const [task, [tool]] = [group.task, group.task.tools];
  if (tool === undefined) throw new Error('the sample has no tool');
  return {
    ...group,
    task: {
      ...task,
      tools: [{ ...tool, description: attack, source: attack, parameters: { type: 'object', description: attack } }],
      system: attack,
      persona: attack,
      intent: { summary: attack, requests: [attack], facts: { [attack]: attack } },
      query: attack,
      expectedAnswer: attack,
    },
    episodes: group.episodes.map((episode) => ({
      ...episode,
      outcome: {
        kind: 'scored',
        verdict: {
          reward: episode.reward ?? 0,
          gates: [{ name: attack, passed: false, detail: attack }],
          criteria: [{ name: 'intent', required: true, met: false, evidence: attack }],
        },
      },
    })),
    missing: [{ member: 2, fault: { kind: 'EngineFault', message: attack, raw: attack } }],
  };
}

export async function hostileRun(root: string, name = 'hostile'): Promise<RunFolder> {
  const { folder, record } = await openSample(root, name);
  record.append(sealed(hostileGroup()));
  await record.close();
  return folder;
}
