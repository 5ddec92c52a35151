// The journal's one writer and its reader, on the frames a run is made of: how fast they are appended, how long the disk takes to hold them, how fast they are read.
// Run after `npm run build`:  node bench/journal.mjs [--quick]     The folder lies in the system's temporary directory.
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from '../dist/protocol/codec.js';
import { Journal } from '../dist/record/journal.js';
import { framesFrom } from '../dist/record/reader.js';
import { figure, finish, isQuick, median, timed } from './measure.mjs';

const bytesOf = (length, seed) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);
/** A reply of 20 tokens, a chunk of events, and now and then a sealed group: in the proportions of an episode of three turns, eight to a group. */
const reply = (i) => ({ kind: 'call.reply', id: `call${i}`, group: 's00001.t003', bytes: bytesOf(260, i) });
const event = (i) => ({
  actor: `s00001.t003.e0${i % 8}/agent`,
  event: { type: 'agent.unread', call: i, ids: bytesOf(60, i) },
  state: '0badcafe',
});
const events = pack({ kind: 'events', events: Array.from({ length: 256 }, (_, i) => event(i)) });
const envelope = { step: 's00001', group: 's00001.t003', scored: 8, status: 'sealed', hash: 'a'.repeat(64) };
const sealed = { kind: 'group.sealed', envelope, bytes: bytesOf(40_000, 7) };

const dir = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
const pause = () => new Promise((resolve) => setImmediate(resolve));
const turns = isQuick ? 4_800 : 48_000;

try {
  const journal = Journal.open(dir, { run: 'bench' });
  const syncs = [];
  let frames = 0;
  const round = async (count) => {
    for (let i = 0; i < count; i++) {
      journal.append(reply(i));
      frames++;
      if (i % 24 === 0) {
        // 24 turns of a group leave about 500 events.
        journal.appendPacked(events);
        journal.appendPacked(events);
        frames += 2;
      }
      if (i % 64 === 0) await pause();
    }
    await journal.flush();
  };
  await round(2_400);
  const before = journal.tally.bytes;
  const { wall, cpu } = await timed(() => round(turns));
  const bytes = journal.tally.bytes - before;
  for (let i = 0; i < (isQuick ? 10 : 40); i++) {
    journal.append(sealed);
    frames++;
    syncs.push((await timed(() => journal.flush({ sync: true }))).wall * 1000);
  }
  const already = journal.tally.syncs;
  const shared = await timed(() =>
    Promise.all(
      Array.from({ length: 100 }, () => {
        journal.append(sealed);
        frames++;
        return journal.flush({ sync: true });
      }),
    ),
  );
  const sharedSyncs = journal.tally.syncs - already;
  await journal.close();
  let count = 0;
  const reading = await timed(() => {
    for (const _ of framesFrom(dir)) count++;
  });
  finish({
    ok: count === frames && journal.tally.frames === frames && sharedSyncs <= 3,
    figures: [
      figure('append, turns a second', turns / wall, '/s', 'more'),
      figure('append, processor time per turn', (cpu * 1e6) / turns, 'µs', 'less'),
      figure('append, to the file', bytes / wall / 1e6, 'MB/s', 'more'),
      figure('sealed group on the disk, median', median(syncs), 'ms', 'less'),
      figure('100 groups sealed at once, on the disk', shared.wall * 1000, 'ms', 'less'),
      figure('read and validate', journal.tally.bytes / reading.wall / 1e6, 'MB/s', 'more'),
    ],
    notes: [
      `A turn = its reply and its share of the events, ${Math.round(bytes / turns)} bytes in all; 100 groups at once took ${sharedSyncs} syncs; file system type 0x${statfsSync(dir).type.toString(16)}.`,
    ],
  });
} finally {
  rmSync(dir, { recursive: true });
}
