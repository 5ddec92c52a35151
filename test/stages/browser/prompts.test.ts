/** Every prompt of an episode whose roles a language model plays badly: one by one by keyboard, each with what came of it, and what is copied is what was sent. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { CallList, CallPage, EpisodeList } from '../../../src/viewer/contract.ts';
import { shot } from '../../support/browser.ts';
import { openShow, type Show } from '../../support/browser-show.ts';

const absent = inject('browserAbsent');

describe.skipIf(absent !== '')('the prompts of an episode', () => {
  let show: Show;
  let path: string;
  let list: CallList;
  let refused: number;
  const json = async <T>(address: string): Promise<T> => (await (await fetch(`${show.viewer.url}${address}`)).json()) as T;
  beforeAll(async () => {
    show = await openShow(inject('chromium'), join(inject('recorded').small, 'runs'));
    const { rows } = await json<EpisodeList>('/api/runs/faulty/episodes?limit=200');
    for (const { episode } of rows) {
      if (episode === null) continue;
      path = `/runs/faulty/episodes/${episode}`;
      list = await json<CallList>(`/api${path}/calls`);
      refused = list.end.findIndex((end, n) => list.ends[end] === 'refused' && (list.event[n] ?? -1) >= 0);
      if (refused >= 0) return;
    }
    throw new Error('no answer of a simulator was refused in the faulty run');
  });
  afterAll(() => show.close());

  test('are gone through by keyboard, all of them, without a misdeed', async () => {
    const { page, misdeeds, close } = await show.visit(`${path}?tab=prompts&event=0`);
    try {
      const place = page.getByText(/^prompt [\d,]+ of [\d,]+$/);
      for (let n = 1; n <= list.actor.length; n++) {
        await expect.poll(() => place.innerText()).toBe(`prompt ${n} of ${list.actor.length}`);
        await page.keyboard.press('n');
      }
      await page.keyboard.press('N');
      await expect.poll(() => place.innerText()).toBe(`prompt ${Math.max(1, list.actor.length - 1)} of ${list.actor.length}`);
      expect(misdeeds).toEqual([]);
    } finally {
      await close();
    }
  });

  test('say of a refused answer why, show it as it came, and give the request away', async () => {
    const { page, misdeeds, close } = await show.visit(`${path}?tab=prompts&event=${list.event[refused]}`);
    try {
      const call = await json<CallPage>(`/api${path}/calls/${refused}`);
      const panel = page.getByRole('tabpanel');
      await expect.poll(() => panel.innerText()).toContain('Why it was refused');
      const [chat] = call.calls;
      if (chat?.asked == null) throw new Error('the call is not recorded');
      expect(await page.getByRole('group', { name: 'reply, as it came' }).first().textContent()).toContain(
        (chat.reply?.text ?? '').slice(0, 200),
      );
      await page.getByRole('button', { name: 'Copy request' }).first().click();
      const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
      await expect.poll(copied).toContain('"messages"');
      expect((JSON.parse(await copied()) as { messages: unknown }).messages).toEqual(chat.asked.messages);
      await shot(page, 'prompts refused');
      expect(misdeeds).toEqual([]);
    } finally {
      await close();
    }
  });
});
