/** A worker entry for tests of supervision: plays each member as `turns` model calls, and misbehaves as the task's query says. Runs on built code. */
import { hostGroup } from '../../../dist/actors/host.js';

/** Never the same after a restart: misbehaviour "once" looks at the run's memory in shared state of the cast. */
async function play(job, cast, ports, signal) {
  const [deed, turns = '3', waitMs = '0'] = job.task.query.split(' ');
  const rest = (ms) => new Promise((resolve) => ports.clock.after(ms, resolve));
  const member = async (index) => {
    const said = [];
    for (let turn = 0; turn < Number(turns); turn++) {
      if (signal.aborted) return { index, said: null };
      if (Number(waitMs) > 0) await rest(Number(waitMs));
      if (turn === 1) await misbehave(deed, index, signal, rest, ports.clock);
      const request = {
        id: `${job.group}.e${index}/${turn}`,
        role: 'policy',
        version: job.version,
        ids: Int32Array.of(1, index, turn),
        n: 1,
        seed: index * 100 + turn,
        stop: [2],
        maxTokens: 8,
        temperature: 1,
        priority: 0,
        group: job.group,
        deadlineMs: job.deadlines.turnMs,
      };
      try {
        const reply = await ports.generate(request, signal);
        ports.record([{ actor: `${job.group}.e${index}/agent`, event: { type: 'agent.sampled', turn }, state: '00000000' }]);
        said.push(...reply.samples[0].ids);
      } catch (error) {
        return { index, fault: { kind: error.name, message: error.message } };
      }
    }
    return { index, said };
  };
  const ends = await Promise.all(Array.from({ length: job.members }, (_, index) => member(index)));
  const episodes = ends
    .filter((end) => end.said)
    .map(({ index, said }) => ({
      id: `${job.group}.e${index}`,
      group: job.group,
      task: job.task.id,
      member: index,
      attempt: 1,
      turns: [{ role: 'agent', thought: '', text: said.join(' '), calls: [] }],
      traces: [],
      outcome: { kind: 'scored', verdict: { reward: 1, gates: [], criteria: [] } },
      reward: 1,
      policy: { start: job.version, end: job.version },
      seed: 0,
    }));
  const missing = ends
    .filter((end) => !end.said)
    .map(({ index, fault }) => ({ member: index, fault: fault ?? { kind: 'CancelledFault', message: 'cancelled' } }));
  const status = episodes.length >= job.minimumScored ? 'sealed' : 'failed';
  return { id: job.group, step: job.step, task: job.task, episodes, missing, status, sealedBy: signal.aborted ? 'cancel' : 'complete' };
}

async function misbehave(deed, index, signal, rest, clock) {
  if (index !== 0) return;
  if (deed === 'exit') process.exit(7);
  if (deed === 'loop') for (;;);
  if (deed === 'throw')
    await new Promise(() =>
      clock.after(0, () => {
        throw new Error('nobody caught this');
      }),
    );
  if (deed === 'late') setTimeout(() => setImmediate(() => void Promise.reject(new Error('nobody can tell whose this was'))), 30);
  if (deed === 'late') await rest(60_000);
  if (deed === 'reject') throw new Error('this host cannot play');
  if (deed === 'oom') {
    const hoard = [];
    for (;;) hoard.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
  }
  if (deed === 'deaf') await new Promise((resolve) => signal.addEventListener('abort', resolve));
  if (deed === 'stuck') await new Promise(() => {});
  if (deed === 'slow') await rest(300);
}

export default (task) => hostGroup(task, play);
