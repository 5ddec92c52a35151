/** An exported page opened from a file, with no network at all: it shows what the viewer shows, leads within itself, and hostile text stays text. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { launch } from '../../support/browser.ts';
import { troupe } from '../../support/command-line.ts';
import { attack, hostileRun } from '../../support/hostile-group.ts';
import { sampleRun } from '../../support/sample-run.ts';

describe.skipIf(inject('browserAbsent') !== '')('a page that is one file', () => {
  const root = mkdtempSync(join(tmpdir(), 'troupe-one-file-'));
  let browser: Browser;
  beforeAll(async () => {
    await sampleRun(root);
    await hostileRun(root);
    browser = await launch(inject('chromium'));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function opened(run: string, id: string): Promise<{ page: Page; asked: string[]; trouble: string[] }> {
    const out = join(root, `${run}.${id}.html`);
    const said = troupe(['export', 'html', id, '--run', run, '--dir', join(root, 'runs'), '--out', out], { cwd: root });
    expect(said.err).toBe('');
    const context = await browser.newContext({ offline: true, viewport: { width: 1400, height: 900 } });
    const page = await context.newPage();
    const asked: string[] = [];
    const trouble: string[] = [];
    const own = pathToFileURL(out).href;
    page.on('request', (request) => {
      if (!request.url().startsWith('data:') && request.url() !== own) asked.push(request.url());
    });
    page.on('console', (line) => {
      if (line.type() === 'error' || line.type() === 'warning') trouble.push(line.text());
    });
    page.on('pageerror', (error) => trouble.push(error.message));
    await page.goto(own);
    // No waiting by expressions: the page's policy lets nobody evaluate any.
    await page.locator('main h1').waitFor();
    return { page, asked, trouble };
  }

  test('opens at its group, leads to an episode and its turns, and back', async () => {
    const { page, asked, trouble } = await opened('sample', 's00001.t000');
    expect(await page.locator('h1').innerText()).toBe('s00001.t000');
    await page.locator('a[href$="/episodes/s00001.t000.e01"]').first().click();
    await expect.poll(() => page.locator('h1').innerText()).toContain('s00001.t000.e01');
    expect(await page.locator('main').innerText()).toContain('shelf 7');
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate('location.hash')).toContain('turn=');
    await page.getByRole('tab', { name: 'Tokens' }).click();
    await expect.poll(() => page.evaluate('location.hash')).toContain('tab=tokens');
    await page.goBack();
    await expect.poll(() => page.locator('h1').innerText()).toBe('s00001.t000');
    expect(await page.getByRole('button', { name: 'Fork' }).count()).toBe(0);
    expect({ asked, trouble }).toEqual({ asked: [], trouble: [] });
  });

  test('opens again at the address it was left at', async () => {
    const { page } = await opened('sample', 's00001.t001.e01');
    await page.getByRole('tab', { name: 'Task' }).click();
    await expect.poll(() => page.evaluate('location.hash')).toContain('tab=task');
    await page.reload();
    await expect.poll(() => page.getByRole('tab', { name: 'Task' }).getAttribute('aria-selected')).toBe('true');
  });

  test('says of what it does not hold that it does not', async () => {
    const { page, trouble } = await opened('sample', 's00001.t000.e00');
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.getByText('This file holds episode s00001.t000.e00 alone.').waitFor();
    expect(trouble).toEqual([]);
  });

  test.each(['s00001.t000', 's00001.t000.e00'])('creates no element from what was said in %s', async (id) => {
    const { page, asked, trouble } = await opened('hostile', id);
    expect(await page.locator('main').innerText()).toContain(attack.slice(0, 40));
    if (id.includes('.e')) for (const tab of ['Tokens', 'Prompts', 'Task', 'Raw']) await page.getByRole('tab', { name: tab }).click();
    expect(await page.locator('#planted').count()).toBe(0);
    expect(await page.evaluate('window.planted')).toBeUndefined();
    expect({ asked, trouble }).toEqual({ asked: [], trouble: [] });
  });
});
