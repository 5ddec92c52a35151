/** The prompts of simulators, from the wire to the page: what is shown is what was sent, and what came of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callListing, callsOf } from '../src/cli/call-listing.ts';
import { chatBody } from '../src/gpu/engines/vllm/chat.ts';
import type { EpisodeId } from '../src/protocol/ids.ts';
import type { CallList, CallPage, ChatPage } from '../src/viewer/contract.ts';
import { requestBody } from '../src/viewer/page/episode/request-body.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { type AskedGroup, recordAskedGroup } from './support/asked-group.ts';
import { troupe } from './support/command-line.ts';
import { realJob } from './support/playhouse.ts';
import { sampleRun } from './support/sample-run.ts';
import { ask, json, viewerWorld } from './support/viewer.ts';

const world = viewerWorld();
const hostile = '<img src=x onerror=alert(1)>‮ "quoted" \\ </data> {"done":true}';
let viewer: Viewer;
let asked: AskedGroup;
/** Each with its list and all its prompts. */
let episodes: { readonly id: string; readonly list: CallList; readonly pages: readonly CallPage[] }[];

beforeAll(async () => {
  const job = realJob(2, 60, { members: 4 });
  asked = await recordAskedGroup(world.root, 'asked', { ...job, task: { ...job.task, persona: hostile } }, { brain: { malformed: 0.25 } });
  await recordAskedGroup(world.root, 'panel', realJob(3, 40, { members: 3, attempts: 1 }), {
    brain: { malformed: 1 },
    simulation: { scope: 'group', roles: ['judge'] },
  });
  await sampleRun(world.root);
  viewer = await world.start();
  episodes = await Promise.all(asked.group.episodes.map(({ id }) => episodeOf('asked', id)));
}, 60_000);
afterAll(async () => {
  await viewer.close();
  world.remove();
});

async function episodeOf(run: string, id: string): Promise<(typeof episodes)[number]> {
  const path = `/api/runs/${run}/episodes/${id}/calls`;
  const list = await json<CallList>(viewer, path);
  const pages = await Promise.all(list.actor.map((_, n) => json<CallPage>(viewer, `${path}/${n}`)));
  return { id, list, pages };
}

const chats = (): ChatPage[] => [
  ...new Map(episodes.flatMap(({ pages }) => pages.flatMap(({ calls }) => calls)).map((chat) => [chat.id, chat])).values(),
];
const askedOf = ({ asked: words }: ChatPage): NonNullable<ChatPage['asked']> => {
  if (words === null) throw new Error('not recorded');
  return words;
};

describe('a recorded prompt', () => {
  test('is, byte for byte, what the server received', () => {
    expect(chats().length).toBeGreaterThan(4);
    const shown = chats().map((chat) => `"messages":${JSON.stringify(askedOf(chat).messages)}`);
    for (const messages of shown) expect(asked.received.some((body) => body.includes(messages))).toBe(true);
    // Before the first call the engine asks the server what it can do.
    const ofRoles = asked.received.filter((body) => !body.includes('"content":"Answer."'));
    expect(ofRoles.filter((body) => !shown.some((messages) => body.includes(messages)))).toEqual([]);
  });

  test('keeps temperature, limit, seed and schema as they were sent', () => {
    for (const chat of chats()) {
      const { messages, ...rest } = askedOf(chat);
      const sent = asked.received
        .filter((body) => body.includes(JSON.stringify(messages)))
        .map((body) => JSON.parse(body) as { seed: number })
        .find(({ seed }) => seed === rest.seed);
      expect(sent).toMatchObject({
        temperature: rest.temperature,
        max_tokens: rest.maxTokens,
        response_format: { json_schema: { schema: rest.schema } },
      });
    }
  });

  test('has the reply as it came, read or not', () => {
    const replies = chats().map(({ reply }) => reply);
    expect(replies).not.toContain(null);
    const refused = episodes.flatMap(({ pages }) => pages).filter(({ end }) => end === 'refused');
    expect(refused.length).toBeGreaterThan(0);
    for (const { complaint, calls } of refused) {
      expect(complaint).not.toBe('');
      expect(calls[0]?.reply?.text).toEqual(expect.any(String));
    }
  });

  test('of a repair holds the complaint about the answer before it', () => {
    const pairs = episodes.flatMap(({ pages }) =>
      pages.flatMap((page, n) => (page.attempt > 0 && page.calls.length > 0 ? [[pages[n - 1] as CallPage, page] as const] : [])),
    );
    expect(pairs.length).toBeGreaterThan(0);
    for (const [before, after] of pairs) {
      expect(before).toMatchObject({ actor: after.actor, ask: after.ask, attempt: after.attempt - 1, end: 'refused' });
      expect(JSON.stringify(after.calls[0]?.asked?.messages)).toContain(JSON.stringify(before.complaint).slice(1, -1));
    }
  });

  test('keeps hostile words as the simulator was told them', () => {
    const user = chats().find((chat) => askedOf(chat).role === 'user') as ChatPage;
    const { content } = askedOf(user).messages.at(-1) as { content: string };
    expect(content).toContain(String.raw`"\u003cimg src=x onerror=alert(1)\u003e\u202e \"quoted\"`);
  });

  test('copied as a request is the body that is sent to servers of any make', () => {
    for (const chat of chats()) {
      const { messages, schema, seed, maxTokens, temperature } = askedOf(chat);
      const request = { messages: [...messages], schema: schema as never, seed, maxTokens, temperature, priority: 0 };
      expect(requestBody(askedOf(chat), 'base')).toEqual(chatBody(request, 'base', { extended: false, priorities: false }));
    }
  });
});

describe('a question', () => {
  test('of every turn and the verdict stands in order, each ended by the event the list names', async () => {
    for (const { id, list, pages } of episodes) {
      const { actor, types } = await json<{ actor: number[]; types: string[]; type: number[]; actors: string[] }>(
        viewer,
        `/api/runs/asked/episodes/${id}/outline`,
      );
      expect(types).toContain('ask.read');
      expect(actor.length).toBeGreaterThan(Math.max(...list.event));
      expect(list.event.toSorted((a, b) => a - b)).toEqual(list.event);
      const turns = asked.group.episodes.find((episode) => episode.id === id)?.turns ?? [];
      const accepted = (who: string): number => pages.filter((page) => page.actor === who && page.end === 'accepted').length;
      expect(accepted('agent')).toBe(turns.filter(({ role }) => role === 'agent').length);
      expect(accepted('tool')).toBe(turns.filter(({ role }) => role === 'tool').length);
      expect(accepted('judge')).toBe(1);
    }
  });

  test('asked in the group’s name names the members that got the same reply, and those name the call', () => {
    const told = episodes.flatMap(({ id, pages }) => pages.flatMap((page) => (page.source === 'group' ? [{ id, page }] : [])));
    const shared = episodes.flatMap(({ id, pages }) => pages.flatMap((page) => page.calls.map((chat) => ({ id, chat }))));
    expect([...told, ...shared].length).toBeGreaterThan(0);
    for (const { id, page } of told) if (page.told !== null) expect(page.told.shared).toContain(id);
    for (const { id, chat } of shared) expect(chat.shared).toContain(id);
    expect(shared.some(({ chat }) => chat.shared.length > 1)).toBe(true);
    for (const { chat } of shared) if (askedOf(chat).role === 'judge') expect(chat.shared).toHaveLength(1);
  });

  test('that no model was asked says where its answer came from', () => {
    for (const { list, pages } of episodes) {
      expect(list).toMatchObject({ recorded: true, players: { task: 'code', user: 'model', tool: 'model', judge: 'model' } });
      for (const { actor, source, calls } of pages)
        if (actor !== 'agent') {
          expect(['model', 'rules', 'group']).toContain(source);
          expect(calls.length > 0).toBe(source === 'model');
        }
    }
  });

  test('to a panel that could not be read stands before those asked alone', async () => {
    const { id, pages } = await episodeOf('panel', 's00001.t003.e00');
    const judged = pages.filter(({ actor }) => actor === 'judge');
    const [first] = judged;
    const own = judged.find(({ end }) => end !== 'alone');
    expect([first?.end, own?.end]).toEqual(['alone', 'refused']);
    const [panel] = first?.calls ?? [];
    expect(panel?.reply?.text).toEqual(expect.any(String));
    expect(panel?.asked?.messages.at(-1)?.content).not.toEqual(own?.calls[0]?.asked?.messages.at(-1)?.content);
    expect(panel?.shared).toEqual([0, 1, 2].map((member) => id.replace('e00', `e0${member}`)));
  });

  test('that is not there is refused, like one of a run without events', async () => {
    const { id } = episodes[0] as { id: string };
    expect((await ask(viewer, `/api/runs/asked/episodes/${id}/calls/999`)).status).toBe(404);
    const list = await json<CallList>(viewer, '/api/runs/sample/episodes/s00001.t000.e00/calls');
    expect(list).toMatchObject({ recorded: false, actor: [] });
  });
});

describe('on the command line', () => {
  test('show --calls lists them, and says them as data', () => {
    const { id, pages } = episodes[0] as (typeof episodes)[number];
    const text = callListing(callsOf(asked.folder, asked.group.id, id as EpisodeId), { paint: (_, words) => words });
    expect(text).toContain('1. policy, question 1: accepted');
    expect(text.split('──── reply: base, stop').length - 1).toBe(pages.reduce((sum, { calls }) => sum + calls.length, 0));
    const data = troupe(['show', id, '--run', asked.folder.dir, '--calls', '--json'], { cwd: world.root });
    const { calls } = JSON.parse(data.out) as { calls: { actor: string; end: string; calls: { asked: unknown }[] }[] };
    expect(calls.map(({ actor, end }) => [actor, end])).toEqual(pages.map(({ actor, end }) => [actor, end]));
    expect(calls.map((row) => row.calls.map((call) => call.asked))).toEqual(pages.map((page) => page.calls.map((call) => call.asked)));
  });
});
