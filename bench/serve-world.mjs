// The episode every serving bench plays: a shop agent with five tools calls two of them and then answers; one user and one judge are chat calls. Five model calls.
// Words, texts, seeds and latencies, known to client, worker and server alike. It knows no engine and no socket.
import { tinyRenderer } from '../dist/gpu/tokens/tiny.js';
import { templateWords } from '../dist/gpu/tokens/markers.js';
import { vocabularyOf } from '../dist/gpu/tokens/vocabulary.js';
import { emptyWorld } from '../dist/simulation/state.js';
import { episodeId, groupId, stepId, taskId } from '../dist/protocol/ids.js';
import { seedOf, uniform } from '../dist/random.js';

const policyText =
  'You are a support agent for an online shop. Follow the policy. Use tools to look up facts before you answer. Never invent an order id. Ask before you change anything. ';
const complaintText =
  'Hello, my order W1234567 arrived damaged and I would like a refund to the original payment method, please check the policy and tell me what you can do for me. I have bought it on Monday and the box was open. ';
const filler =
  'the order was placed on monday and the customer asked for a refund because package arrived late with damaged corner so agent checks policy then confirms amount before issuing credit to original payment method ';
const text = (length) =>
  filler
    .repeat(Math.ceil(length / filler.length))
    .slice(0, length)
    .trim();

const described = [
  ['lookup_order', 'Look up one order by its id and return its status, items and payment method.', ['order_id', 'note']],
  ['lookup_user', 'Look up one user by e-mail address and return the profile with addresses and payments.', ['email']],
  ['refund_order', 'Refund an order to the original payment method after the user has confirmed it.', ['order_id', 'reason']],
  ['exchange_item', 'Exchange one delivered item for another one of the same product type.', ['order_id', 'old_item', 'new_item']],
  ['search_policy', 'Full-text search in the policy handbook; returns the best passage.', ['query']],
];
const tools = described.map(([name, description, parameters]) => ({
  name,
  description,
  parameters: {
    type: 'object',
    properties: Object.fromEntries(parameters.map((key) => [key, { type: 'string', description: `the ${key}` }])),
    required: parameters,
    additionalProperties: false,
  },
  effects: 'read',
  category: 'shop',
  source: 'bench',
}));
/** 0.2 kB. */
const found = {
  order: 'W1234567',
  status: 'delivered',
  items: Array.from({ length: 4 }, () => ({ id: '123', name: 'lamp', price: 49.9 })),
  payment: 'credit_card_1',
};

const said = [
  policyText,
  complaintText,
  filler,
  described.flat(2).join(' ').replaceAll('_', ' '),
  'W1234567 delivered 123 lamp 49.9 credit_card_1',
];
/** Twenty thousand other words come first, so that ids have five digits, as a real vocabulary's mostly have. */
export const words = [
  ...Array.from({ length: 20_000 }, (_, i) => `word${i}`),
  ...templateWords,
  ...said.flatMap((each) => each.split(' ')).filter((word) => word !== '' && !word.includes('<')),
];
export const vocabulary = vocabularyOf(words);
export const renderer = tinyRenderer(vocabulary);

const pages = { system: policyText.repeat(3).trim(), query: complaintText.repeat(3).trim() };
/** The `index`-th group of a step, of `members` episodes. Its members read the same opening and draw their own seeds. */
export function jobAt(step, index, members) {
  const id = taskId(stepId(step), index);
  const one = { bound: 1, value: 1 };
  const none = { bound: 0, value: 0 };
  return {
    run: 'bench',
    step: stepId(step),
    group: groupId(id),
    task: {
      id,
      split: 'train',
      difficulty: 50,
      aspects: {
        tools: { bound: 10, value: 5 },
        calls: { bound: 2, value: 2 },
        turns: one,
        system: none,
        persona: none,
        query: none,
        criteria: none,
      },
      branch: 'call',
      tools,
      system: pages.system,
      persona: 'expert',
      intent: { summary: 'a refund', requests: [pages.query], facts: {} },
      query: pages.query,
      expectedCalls: [],
      world: emptyWorld,
      criteria: ['intent'],
      maxTurns: 8,
      seed: seedOf('serve', step, index),
    },
    members,
    minimumScored: 1,
    seed: 1,
    version: 0,
    sampling: { temperature: 1, maxTokens: 256, contextLength: 4096 },
    deadlines: { turnMs: 600_000, episodeMs: 600_000, groupMs: 600_000 },
    attempts: 3,
    askAttempts: 3,
  };
}

/** Who plays user, tools and judge: the first and the last ask a model, the tool is code. */
export const simulators = {
  task: { role: 'task', pose: unasked, read: unasked },
  user: {
    role: 'user',
    pose: ({ conversation }) => ({
      kind: 'chat',
      messages: [
        { role: 'system', content: `USER ${pages.system}` },
        { role: 'user', content: conversation.map((turn) => `${turn.role}: ${turn.text}`).join('\n') },
      ],
      maxTokens: 200,
      temperature: 1,
    }),
    read: (reply) => ({ ok: true, answer: { text: '', done: String(reply).includes('###STOP###') } }),
  },
  tool: {
    role: 'tool',
    pose: () => ({ kind: 'reply', reply: { status: 'ok', observation: found, patch: [] } }),
    read: (reply) => ({ ok: true, answer: reply }),
  },
  judge: {
    role: 'judge',
    pose: ({ task, turns }) => ({
      kind: 'chat',
      messages: [
        { role: 'system', content: 'JUDGE Was the request served by what the agent did and said?' },
        {
          role: 'user',
          content: `${task.query}\n${turns
            .map((turn) => `${turn.role}: ${turn.text ?? turn.call.name}`)
            .join('\n')
            .slice(-900)}`,
        },
      ],
      maxTokens: 200,
      temperature: 1,
    }),
    read: (reply) => {
      const met = String(reply).startsWith('yes');
      return { ok: true, answer: { reward: met ? 1 : -1, gates: [], criteria: [{ name: 'intent', required: true, met }] } };
    },
  },
};
function unasked() {
  throw new Error('nobody writes tasks here');
}

/** Model calls of one episode. */
export const callsPerEpisode = 5;

/** The agent's replies, 200 tokens each, by the number of tool results it has read. */
export const replies = [0, 1, 2].map((results) => {
  const call = { name: described[0][0], arguments: { order_id: 'W1234567', note: text(250) } };
  const turn = { role: 'agent', thought: '', text: '', calls: [] };
  const length = (said) => renderer.write(said).length;
  const grown = (key, most) => {
    const full = { ...turn, ...(results < 2 ? { calls: [call] } : {}) };
    const spoken = text(4_000).split(' ');
    let count = most - length(full);
    for (; length({ ...full, [key]: spoken.slice(0, count).join(' ') }) > most; count--);
    return renderer.write({ ...full, [key]: spoken.slice(0, count).join(' ') });
  };
  return grown(results < 2 ? 'thought' : 'text', 200);
});
export const chats = { user: '###STOP###', judge: `yes ${text(2_600)}` };

/** Log-normal of the given mean in ms, a function of the call's seed alone. */
export function latencyOf(seed, meanMs, sigma) {
  const u = Math.max(uniform(seed, 1), Number.MIN_VALUE);
  const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * uniform(seed, 2));
  return meanMs * Math.exp(sigma * normal - (sigma * sigma) / 2);
}

/** The seeds of an episode's five calls, as the actors draw them and `apart` changes them. */
export function seedsOf(job, member) {
  const episode = episodeId(job.group, member);
  const own = (actor, turn) => apart(seedOf(job.seed, episode, actor, turn, 0));
  const first = apart(Math.floor(seedOf(job.seed, job.group, 'agent', 1, 0) / 2) + member);
  return [first, own('agent', 2), own('agent', 3), own('user', 1), own('judge', 1)];
}
/** Seeds of siblings no longer follow each other, so no two calls are merged into one: five requests an episode, as the programs we compare with make them. */
export const apart = (seed) => (seed * 2) % Number.MAX_SAFE_INTEGER;
