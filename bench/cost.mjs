// What a scored episode costs in model calls and tokens, by role, with language models in all roles: configs/trustee.yaml on the fake server, whose brain plays the roles from the
// procedural world. As configured, and without what spares calls: the group's shared world, its cache of reads and rehearsed calls, the judge's rules. Difficulties 1..100 alike.
// Tokens are the fake's: bytes, 4 of which count for one.  Run after `npm run build`:  node bench/cost.mjs [--quick]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, finish, isQuick } from './measure.mjs';

const program = fileURLToPath(new URL('../dist/run.js', import.meta.url));
const config = fileURLToPath(new URL('../configs/trustee.yaml', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'troupe-cost-'));

const common = {
  'engine.kind': 'fake',
  steps: isQuick ? 1 : 6,
  'curriculum.mode': 'uniform',
  'eval.at': '[]',
  'simulation.judge.calibrateEvery': 0,
  'record.dir': dir,
};
const variants = {
  'as configured': {},
  'no cache': { 'simulation.cache': false },
  'no shared world': { 'simulation.shared': false },
  'no rules before the judge': { 'simulation.judge.gates': false },
  'none of the three': { 'simulation.cache': false, 'simulation.shared': false, 'simulation.judge.gates': false },
};
const roles = ['policy', 'task', 'user', 'tool', 'judge'];

/** The closing summary, and the folder's episodes. */
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
      const lines = (name) =>
        readFileSync(join(summary.dir, name), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      resolve({ summary, episodes: lines('episodes.jsonl') });
    });
  });
}

/** Per scored episode, by role: questions, calls, tokens read and written. */
function costOf({ summary, episodes }) {
  const scored = episodes.filter(({ reward }) => reward !== null).length;
  const total = (of) => episodes.reduce((sum, episode) => sum + of(episode), 0);
  const agentTurns = total(({ transcript = [] }) => transcript.filter(({ role }) => role === 'agent').length);
  const cost = {
    policy: {
      questions: agentTurns,
      calls: agentTurns,
      read: total(({ promptTokens = 0 }) => promptTokens) / 4,
      written: total(({ sampledTokens = 0 }) => sampledTokens) / 4,
    },
  };
  for (const role of roles.slice(1)) {
    const { asks, calls, promptTokens, replyTokens } = summary.simulators[role];
    cost[role] = { questions: asks, calls, read: promptTokens, written: replyTokens };
  }
  const each = Object.fromEntries(
    roles.map((role) => [role, Object.fromEntries(Object.entries(cost[role]).map(([what, value]) => [what, value / scored]))]),
  );
  const sum = (what, of = roles) => of.reduce((all, role) => all + each[role][what], 0);
  return { scored, success: episodes.filter(({ reward }) => reward === 1).length / scored, each, sum };
}

const costs = {};
try {
  for (const [name, settings] of Object.entries(variants)) {
    costs[name] = costOf(await play(settings));
    console.error(`${name}: ${costs[name].scored} scored`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

const {
  'as configured': whole,
  'no cache': uncached,
  'no shared world': apart,
  'no rules before the judge': ruleless,
  'none of the three': bare,
} = costs;
const simulators = roles.slice(1);
const tokens = (cost) => cost.sum('read', simulators) + cost.sum('written', simulators);
const round = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const least = isQuick ? 100 : 600;

finish({
  // The same tasks and the same policy: sparing calls must not change what is earned.
  ok:
    Object.values(costs).every(({ scored, success }) => scored >= least && Math.abs(success - whole.success) < 0.05) &&
    bare.sum('calls') > whole.sum('calls'),
  figures: [
    figure('model calls of the simulators per scored episode', whole.sum('calls', simulators), 'calls', 'less'),
    figure('tokens of the simulators per scored episode', tokens(whole), 'tokens', 'less'),
    figure('tool calls by the model: with cache over without', whole.each.tool.calls / uncached.each.tool.calls, '×', 'less'),
    figure(
      'tool and user calls by the model: shared world over one each',
      (whole.each.tool.calls + whole.each.user.calls) / (apart.each.tool.calls + apart.each.user.calls),
      '×',
      'less',
    ),
    figure('judge calls by the model: rules first over none', whole.each.judge.calls / ruleless.each.judge.calls, '×', 'less'),
    figure('simulators’ calls: all three over none', whole.sum('calls', simulators) / bare.sum('calls', simulators), '×', 'less'),
    figure('simulators’ tokens: all three over none', tokens(whole) / tokens(bare), '×', 'less'),
  ],
  tables: [
    {
      title:
        'Per scored episode, as configured. Questions that no model answered were answered by rules, the rehearsal or what the group knew; of the policy, tokens read count once.',
      head: ['role', 'questions', 'model calls', 'tokens read', 'tokens written', 'read per call', 'written per call'],
      rows: [
        ...roles.map((role) => {
          const { questions, calls, read, written } = whole.each[role];
          return [role, round(questions), round(calls), round(read), round(written), round(read / calls), round(written / calls)];
        }),
        ['all', round(whole.sum('questions')), round(whole.sum('calls')), round(whole.sum('read')), round(whole.sum('written')), '', ''],
      ],
    },
    {
      title: 'Model calls per scored episode, by what spares them.',
      head: ['', 'scored', 'solved', ...roles, 'simulators', 'simulators’ tokens'],
      rows: Object.entries(costs).map(([name, cost]) => [
        name,
        cost.scored,
        cost.success.toFixed(3),
        ...roles.map((role) => round(cost.each[role].calls)),
        round(cost.sum('calls', simulators)),
        round(tokens(cost)),
      ]),
    },
  ],
  notes: [
    'The brain says no more than it must, and the scripted policy is right about half the time: a real model’s replies are longer, and what wanders more asks more.',
  ],
});
