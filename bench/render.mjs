// What a turn costs to render behind a real chat template: at the 2nd and at the 200th turn of one conversation, and what it costs a thread to read a tokenizer of 150,000 entries.
// The templates are the test fixtures' (Qwen3's and Qwen2.5's structure, and one that nobody knows by hand); the tokenizers are byte-level BPEs, one made here.
// Run after `npm run build`:  node --expose-gc bench/render.mjs [--quick]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chatRenderer } from '../dist/gpu/tokens/chat.js';
import { rendererFor, rendererSpecOf } from '../dist/gpu/tokens/spec.js';
import { appendPrompt, appendSampled, traceIds } from '../dist/protocol/trace.js';
import { figure, finish, isQuick, median, microseconds } from './measure.mjs';

const fixtures = new URL('../test/fixtures/chat/', import.meta.url);
const read = (name) => readFileSync(new URL(name, fixtures), 'utf8');
const root = mkdtempSync(join(tmpdir(), 'troupe-render-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

function model(template, tokenizer = read('tokenizer.json')) {
  const dir = mkdtempSync(join(root, 'model-'));
  const stop = JSON.parse(tokenizer).added_tokens.find(({ content }) => content === '<|im_end|>').id;
  writeFileSync(join(dir, 'tokenizer.json'), tokenizer);
  writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|im_end|>' }));
  writeFileSync(join(dir, 'generation_config.json'), JSON.stringify({ eos_token_id: stop }));
  writeFileSync(join(dir, 'chat_template.jinja'), read(`templates/${template}.jinja`));
  return dir;
}

const task = {
  system: 'You help people at a small hotel.',
  query: 'A room, please.',
  tools: [{ name: 'book_room', description: 'Books a room.', parameters: { type: 'object', properties: { guest: { type: 'string' } } } }],
};
const said = (turn) => ({ role: 'agent', thought: '', text: '', calls: [{ name: 'book_room', arguments: { guest: `guest ${turn}` } }] });
const heard = (turn) => ({
  role: 'tool',
  call: said(turn).calls[0],
  status: 'ok',
  result: { room: turn % 90, guest: `guest ${turn}`, note: 'breakfast is at eight' },
  patch: [],
});

// ── cost of a turn: extend and parse, as the agent's actor asks for them ──
const rounds = isQuick ? 5 : 15;
let ok = true;
const figures = [];
const rows = [];
for (const [name, template] of [
  ['qwen3', 'qwen3'],
  ['hermes', 'hermes'],
  ['generic', 'roles'],
]) {
  const renderer = chatRenderer({ dir: model(template), thinking: false });
  ok &&= renderer.name === name && renderer.appends;
  /** One turn more of a conversation of so many: what was sampled is read, what happened is rendered; and the same with the whole prompt put together for the engine. */
  const turnAt = (turns) => {
    let trace = appendPrompt(new Int32Array(0), renderer.open(task), 1);
    for (let turn = 1; turn < turns; turn++) {
      const ids = renderer.write(said(turn), task);
      trace = appendSampled(trace, ids, new Float32Array(ids.length), true, 1);
      trace = appendPrompt(trace, renderer.extend([heard(turn)], true), 1);
    }
    const sampled = renderer.write(said(turns), task);
    ok &&= renderer.parse(sampled, task).calls[0]?.arguments.guest === `guest ${turns}`;
    // Every turn says something new, or the tokenizer's own memory would answer.
    let fresh = 100_000 + turns * 1000;
    const render = () => {
      renderer.parse(sampled, task);
      return renderer.extend([heard(fresh++)], true);
    };
    const prompt = () => {
      const delta = render();
      const ids = traceIds(trace);
      const whole = new Int32Array(ids.length + delta.length);
      whole.set(ids);
      whole.set(delta, ids.length);
      return whole;
    };
    return { render, prompt };
  };
  const [early, late] = [turnAt(2), turnAt(200)];
  const times = isQuick ? 100 : 300;
  const pairs = Array.from({ length: 5 }, () => [microseconds(early.render, times, rounds), microseconds(late.render, times, rounds)]);
  const [atTwo, atMany] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  const ratio = median(pairs.map(([a, b]) => b / a));
  const whole = microseconds(late.prompt, times, rounds);
  figures.push(
    figure(`${name}, a turn at 200 turns`, atMany, 'µs', 'less'),
    figure(`${name}, 200 turns against 2`, ratio, '×', 'less', 1.2),
  );
  rows.push([name, atTwo.toFixed(1), atMany.toFixed(1), ratio.toFixed(3), late.prompt().length, whole.toFixed(1)]);
}

// ── a tokenizer of the size real models have ──
function largeTokenizer(entries) {
  const small = JSON.parse(read('tokenizer.json'));
  const vocab = { ...small.model.vocab };
  const merges = [...small.model.merges];
  const pieces = Object.keys(vocab).filter((piece) => /^[a-z]+$/.test(piece));
  let id = Object.keys(vocab).length;
  // Every new piece is two known ones put together, so that each has its merge, as in a trained one.
  for (let i = 0; id < entries; i++) {
    const [left, right] = [pieces[i % pieces.length], pieces[(i * 7919 + Math.floor(i / pieces.length)) % Math.min(pieces.length, 4000)]];
    const piece = left + right;
    if (piece.length > 16 || vocab[piece] !== undefined) continue;
    vocab[piece] = id++;
    merges.push([left, right]);
    pieces.push(piece);
  }
  const added = small.added_tokens.map((token, index) => ({ ...token, id: entries + index }));
  return JSON.stringify({ ...small, model: { ...small.model, vocab, merges }, added_tokens: added });
}

const entries = isQuick ? 20_000 : 150_000;
const large = largeTokenizer(entries);
const dir = model('qwen3', large);
globalThis.gc?.();
const before = process.memoryUsage();
const began = performance.now();
const spec = rendererSpecOf(dir, { thinking: true });
const renderer = rendererFor(spec);
const seconds = (performance.now() - began) / 1000;
globalThis.gc?.();
const megabytes = (process.memoryUsage().heapUsed - before.heapUsed) / 2 ** 20;
const ids = renderer.open(task);
ok &&=
  renderer.text(ids).includes('A room, please.') && ids.every((id) => id < entries + 9) && rendererFor(structuredClone(spec)) === renderer;
figures.push(figure(`reading ${entries} entries, once a thread`, seconds, 's', 'less'), figure('memory it keeps', megabytes, 'MB', 'less'));

finish({
  ok,
  figures,
  tables: [
    {
      title: 'Reading a sampled call and rendering its result, µs a turn.',
      head: ['template', 'at 2 turns', 'at 200 turns', 'ratio', 'ids of the prompt then', 'with the prompt copied together'],
      rows,
    },
  ],
  notes: [`The large tokenizer.json has ${(large.length / 2 ** 20).toFixed(1)} MB.`],
});
