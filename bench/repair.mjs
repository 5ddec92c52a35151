// What broken simulators do to rewards: the same tasks, the same policy and the same seeds with simulators that answer rightly, and with ones that are malformed (20 %), inconsistent
// (5 %) or silent (2 %); repaired, not repaired, and with what is lost counted as a reward instead of masked. The fake server's brain plays user, tools and judge of procedural tasks,
// so both truths are known: what was spoilt, and what each episode is worth.  Run after `npm run build`:  node bench/repair.mjs [--quick]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, finish, isQuick } from './measure.mjs';

const program = fileURLToPath(new URL('../dist/run.js', import.meta.url));
const config = fileURLToPath(new URL('../configs/trustee.yaml', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'troupe-repair-'));

const group = 8;
const tasks = isQuick ? 40 : 320;
const common = {
  'engine.kind': 'fake',
  'engine.scripted.skill': 0.6,
  // Procedural tasks: the same ones whatever the simulators do.
  'roles.task': 'procedural',
  tools: 'builtin',
  steps: 1,
  'curriculum.mode': 'uniform',
  'rollout.tasks': tasks,
  'rollout.group': group,
  'rollout.window': 16,
  'rollout.losses.step': 1,
  'rollout.losses.window': 1,
  'eval.at': '[]',
  'simulation.judge.calibrateEvery': 0,
  'record.transcripts': false,
  'record.dir': dir,
};
const broken = {
  'engine.fake.brain.malformed': 0.2,
  'engine.fake.brain.inconsistent': 0.05,
  'engine.fake.brain.hanging': 0.02,
  // An attempt has its share of the turn: long for a machine that answers, short for one that never will.
  'rollout.deadlines.turnMs': 45_000,
};
const arms = {
  clean: {},
  repaired: broken,
  'not repaired': { ...broken, 'rollout.askAttempts': 1 },
};

/** The closing summary and every episode, by its name. */
function play(settings) {
  const set = Object.entries({ ...common, ...settings }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(process.execPath, [program, config, '--json', '--quiet', ...set], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`the run ended with code ${code}`));
      const summary = JSON.parse(Buffer.concat(chunks).toString().trim().split('\n').at(-1));
      const rows = readFileSync(join(summary.dir, 'episodes.jsonl'), 'utf8').trim().split('\n');
      resolve({ summary, episodes: new Map(rows.map((row) => JSON.parse(row)).map((row) => [row.episode, row])) });
    });
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const scoredIn = ({ episodes }) => [...episodes.values()].filter(({ reward }) => reward !== null);

/** Means of the groups, so that members of one task, which share its luck, count as one draw: ± is two-sided, 95 %. */
function difference(arm, clean, rewardOf) {
  const byGroup = new Map();
  for (const [name, row] of arm.episodes) {
    const before = clean.episodes.get(name)?.reward ?? null;
    const after = rewardOf(row);
    if (before === null && after === null) continue;
    const sums = byGroup.get(row.group) ?? { after: [], before: [] };
    if (after !== null) sums.after.push(after);
    if (before !== null) sums.before.push(before);
    byGroup.set(row.group, sums);
  }
  const groups = [...byGroup.values()];
  const total = (side) => groups.flatMap((sums) => sums[side]);
  const [after, before] = [mean(total('after')), mean(total('before'))];
  // Linearised ratio of sums, group by group.
  const [n, m] = [total('after').length / groups.length, total('before').length / groups.length];
  const deviations = groups.map(
    (sums) => (sum(sums.after) - after * sums.after.length) / n - (sum(sums.before) - before * sums.before.length) / m,
  );
  const error = Math.sqrt(deviations.reduce((all, value) => all + value * value, 0)) / groups.length;
  return { mean: after, difference: after - before, half: 1.96 * error };
}
const sum = (values) => values.reduce((all, value) => all + value, 0);

/** Of episodes that were scored in both: the share with the same reward. A refilled member's policy keeps its draws, so it is no exception. */
function sameAs(clean, arm) {
  const pairs = [...arm.episodes].flatMap(([name, row]) => {
    const before = clean.episodes.get(name);
    return row.reward === null || before === undefined || before.reward === null ? [] : [row.reward === before.reward];
  });
  return { pairs: pairs.length, share: mean(pairs.map(Number)) };
}

const played = {};
try {
  for (const [name, settings] of Object.entries(arms)) {
    const began = performance.now();
    played[name] = await play(settings);
    console.error(`${name}: ${scoredIn(played[name]).length} scored in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

const { clean, repaired, 'not repaired': bare } = played;
const lostIn = ({ episodes }) => [...episodes.values()].filter(({ reward }) => reward === null).length;
const scoredFaults = Object.values(played).flatMap(({ episodes }) =>
  [...episodes.values()].filter(({ outcome, reward }) => reward !== null && /simulator|judge|infra/i.test(outcome)),
).length;

const own = (row) => row.reward;
const rows = {
  clean: difference(clean, clean, own),
  'repaired, lost masked': difference(repaired, clean, own),
  'repaired, lost as 0': difference(repaired, clean, (row) => row.reward ?? 0),
  'repaired, lost as −1': difference(repaired, clean, (row) => row.reward ?? -1),
  'not repaired, lost masked': difference(bare, clean, own),
  'not repaired, lost as 0': difference(bare, clean, (row) => row.reward ?? 0),
  'not repaired, lost as −1': difference(bare, clean, (row) => row.reward ?? -1),
};
const same = sameAs(clean, repaired);
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
const kept = rows['repaired, lost masked'];
const worst = rows['not repaired, lost as −1'];
const tally = ({ summary }) => {
  const roles = Object.values(summary.simulators);
  const all = (of) => sum(roles.map(of));
  const defects = {};
  for (const { defects: own = {} } of roles) for (const [kind, n] of Object.entries(own)) defects[kind] = (defects[kind] ?? 0) + n;
  return { prompts: all(({ calls }) => calls), repaired: all(({ repaired: n }) => n), masked: all(({ masked }) => masked), defects };
};

finish({
  ok:
    scoredFaults === 0 &&
    same.share === 1 &&
    same.pairs >= (isQuick ? 100 : 2000) &&
    Math.abs(kept.difference) <= (isQuick ? 0.1 : 0.02) &&
    // Forty groups are few; three hundred show it beyond doubt.
    worst.difference < -(isQuick ? 1 : 3) * worst.half,
  figures: [
    figure('repaired runs: scored episodes with the outcome of the clean run', same.share, 'share', 'more'),
    figure('repaired and masked: mean reward off by', Math.abs(kept.difference), 'reward', 'less'),
    figure('not repaired, lost counted as −1: mean reward off by', Math.abs(worst.difference), 'reward', 'less'),
    figure('episodes lost of all, repaired', lostIn(repaired) / repaired.episodes.size, 'share', 'less'),
    figure('episodes lost of all, not repaired', lostIn(bare) / bare.episodes.size, 'share', 'less'),
  ],
  tables: [
    {
      title: `Mean reward over the same ${tasks} tasks × ${group}. The interval is of the difference, 95 %, by groups.`,
      head: ['', 'mean reward', 'off the clean run by', '±'],
      rows: Object.entries(rows).map(([name, row]) => [name, row.mean.toFixed(4), signed(row.difference), row.half.toFixed(4)]),
    },
    {
      title: 'What became of the replies.',
      head: ['', 'episodes', 'scored', 'lost', 'prompts', 'refused replies', 'questions repaired', 'questions masked'],
      rows: Object.entries(played).map(([name, arm]) => {
        const { prompts, repaired: mended, masked, defects } = tally(arm);
        const refused = Object.entries(defects).map(([kind, n]) => `${n} ${kind}`);
        return [name, arm.episodes.size, scoredIn(arm).length, lostIn(arm), prompts, refused.join(', ') || '0', mended, masked];
      }),
    },
  ],
  notes: [
    'A question that was repaired is asked again with a fresh seed; users then chatter otherwise and mean the same.',
    'A member that lost a question for good is refilled once: its policy keeps its draws, its simulators have fresh ones.',
  ],
});
