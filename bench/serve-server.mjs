// A server that answers the serving bench at once, or after a seeded latency, with replies made beforehand: OpenAI's HTTP in the shape of vLLM's, without a model.
// It reads only what it must of a request, so that it takes little of the processor it shares with the client.
//   node bench/serve-server.mjs '{"meanMs":0,"sigma":0.6,"full":false}'   prints {"url"} when it listens and ends with its stdin.
import { createServer } from 'node:net';
import { chats, latencyOf, replies, vocabulary } from './serve-world.mjs';

const { meanMs, sigma, full } = JSON.parse(process.argv[2]);

const logprob = (i) => -((i * 104_729) % 999_983) / 1_000_003;
/** `full`: as vLLM answers `logprobs: 0, return_token_ids: true`; else ids, log-probs of four digits and text, the least our engine needs. */
function completion(ids) {
  const tokens = Array.from(ids, vocabulary.word);
  const exact = tokens.map((_, i) => logprob(i + 1));
  const logprobs = full
    ? {
        text_offset: tokens.map((_, i) => tokens.slice(0, i).join(' ').length),
        token_logprobs: exact,
        tokens,
        top_logprobs: tokens.map((token, i) => ({ [token]: exact[i] })),
      }
    : { text_offset: [], token_logprobs: exact.map((value) => Number(value.toFixed(4))), tokens: [], top_logprobs: null };
  return {
    index: 0,
    text: tokens.slice(0, -1).join(' '),
    logprobs,
    finish_reason: 'stop',
    stop_reason: ids.at(-1),
    token_ids: Array.from(ids),
    prompt_logprobs: null,
  };
}
/** `full`: with log-probs and ids nobody asked for, as the programs we compare with get them. */
function chat(text) {
  const tokens = Array.from(replies[2], vocabulary.word);
  const content = tokens.map((token, i) => {
    const one = { token, logprob: logprob(i + 1), bytes: [...Buffer.from(token)] };
    return { ...one, top_logprobs: [one] };
  });
  return {
    index: 0,
    message: {
      role: 'assistant',
      content: text,
      refusal: null,
      annotations: null,
      audio: null,
      function_call: null,
      tool_calls: [],
      reasoning: null,
    },
    logprobs: full ? { content } : null,
    finish_reason: 'stop',
    stop_reason: null,
    token_ids: full ? Array.from(replies[2]) : null,
    ...(full ? { prompt_token_ids: Array.from({ length: 900 }, (_, i) => 1000 + ((i * 7919) % 150_000)) } : {}),
  };
}
/** Without its closing brace: more may follow. */
const open = (choice) => Buffer.from(`"choices":[${JSON.stringify(choice).slice(0, -1)}`);
const completions = replies.map((ids) => open(completion(ids)));
const spoken = { user: open(chat(chats.user)), judge: open(chat(chats.judge)) };

const usage = (prompt) =>
  `,"usage":{"prompt_tokens":${prompt},"total_tokens":${prompt + 200},"completion_tokens":200,"prompt_tokens_details":null}`;
const tally = {
  calls: 0,
  agent: 0,
  user: 0,
  judge: 0,
  inFlight: 0,
  mostInFlight: 0,
  sockets: 0,
  opened: 0,
  bytesIn: 0,
  bytesOut: 0,
  latencyMs: 0,
  wrong: 0,
};
let cpu = process.cpuUsage();

const between = (body, key, end) => {
  const at = body.indexOf(key);
  if (at < 0) return undefined;
  const from = at + key.length;
  return body.subarray(from, body.indexOf(end, from));
};
const occurrences = (body, what) => {
  let count = 0;
  for (let at = body.indexOf(what); at >= 0; at = body.indexOf(what, at + what.length)) count++;
  return count;
};
const seedKey = Buffer.from('"seed":');
function seedIn(body) {
  let at = body.indexOf(seedKey) + seedKey.length;
  let seed = 0;
  for (; body[at] >= 48 && body[at] <= 57; at++) seed = seed * 10 + (body[at] - 48);
  return seed;
}

/** The turn's marker has a one-digit id, which no word has. */
const marker = Buffer.from(`,${vocabulary.id('<|im_start|>')},`);
const comma = Buffer.from(',');

/** The reply's pieces, head first. */
function answer(path, body) {
  const model = between(body, Buffer.from('"model":"'), '"')?.toString() ?? 'none';
  const head = `{"id":"${tally.calls}","object":"text_completion","created":1760000000,"model":"${model}",`;
  const rest = '"service_tier":null,"system_fingerprint":null,"kv_transfer_params":null}';
  if (path === '/v1/chat/completions') {
    const role = body.includes('USER ') ? 'user' : 'judge';
    tally[role]++;
    return [Buffer.from(head.replace('text_completion', 'chat.completion')), spoken[role], Buffer.from(`}]${usage(900)},${rest}`)];
  }
  const prompt = between(body, Buffer.from('"prompt":['), ']');
  // Opening: system, user and header after the first marker, which has no comma before it; then two more a turn.
  const results = (occurrences(prompt, marker) - 2) / 2;
  if (completions[results] === undefined) tally.wrong++;
  tally.agent++;
  const ids = full ? [Buffer.from(',"prompt_token_ids":['), prompt, Buffer.from(']')] : [];
  return [
    Buffer.from(head),
    completions[results] ?? completions[0],
    ...ids,
    Buffer.from(`}]${usage(occurrences(prompt, comma) + 1)},${rest}`),
  ];
}

function respond(socket, status, pieces) {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const head = Buffer.from(`HTTP/1.1 ${status}\r\nserver: uvicorn\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`);
  tally.bytesOut += length;
  socket.write(Buffer.concat([head, ...pieces]));
}

function take(socket, path, body) {
  if (path.startsWith('/stats')) {
    const used = process.cpuUsage(cpu);
    const said = Buffer.from(JSON.stringify({ ...tally, cpuSeconds: (used.user + used.system) / 1e6 }));
    if (path.endsWith('reset')) {
      for (const key of Object.keys(tally)) if (key !== 'sockets' && key !== 'inFlight') tally[key] = 0;
      cpu = process.cpuUsage();
    }
    return respond(socket, '200 OK', [said]);
  }
  if (path === '/metrics')
    return respond(socket, '200 OK', [
      Buffer.from('vllm:num_requests_running 0\nvllm:num_requests_waiting 0\nvllm:kv_cache_usage_perc 0\n'),
    ]);
  if (path !== '/v1/completions' && path !== '/v1/chat/completions') return respond(socket, '404 Not Found', [Buffer.from('{}')]);
  tally.calls++;
  tally.bytesIn += body.length;
  tally.mostInFlight = Math.max(tally.mostInFlight, ++tally.inFlight);
  const pieces = answer(path, body);
  const reply = () => {
    tally.inFlight--;
    if (!socket.destroyed) respond(socket, '200 OK', pieces);
  };
  if (meanMs === 0) return reply();
  const latency = latencyOf(seedIn(body), meanMs, sigma);
  tally.latencyMs += latency;
  setTimeout(reply, latency);
}

const headEnd = Buffer.from('\r\n\r\n');
createServer({ noDelay: true }, (socket) => {
  tally.sockets++;
  tally.opened++;
  let waiting = null;
  socket.on('error', () => {});
  socket.on('close', () => tally.sockets--);
  socket.on('data', (chunk) => {
    let bytes = waiting === null ? chunk : Buffer.concat([waiting, chunk]);
    for (;;) {
      const end = bytes.indexOf(headEnd);
      if (end < 0) break;
      const head = bytes.latin1Slice(0, end);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (bytes.length < end + 4 + length) break;
      take(socket, head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP')), bytes.subarray(end + 4, end + 4 + length));
      bytes = bytes.subarray(end + 4 + length);
    }
    waiting = bytes.length === 0 ? null : bytes;
  });
}).listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, function () {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${this.address().port}` }));
});
process.stdin.on('close', () => process.exit(0)).resume();
