/** What a new user does on the first day: starts the quickstart, follows its link, watches, opens an episode, scrubs, looks at its group, filters, compares, forks, exports. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { launch, shot, type Visit, visit } from '../../support/browser.ts';
import { settled } from '../../support/browser-show.ts';
import { startViewer, type ViewerProcess } from '../../support/browser-viewer.ts';
import { troupe } from '../../support/command-line.ts';
import { type Process, start } from '../../support/runs.ts';

const absent = inject('browserAbsent');

const stepsOf = async (page: Page): Promise<number> =>
  Number.parseInt(await page.locator('.page-head .stat', { hasText: 'steps' }).first().locator('dd').innerText(), 10);
/** Rows of the table, its heading among them, in sight or not. */
const rowsOf = async (page: Page): Promise<number> => Number(await page.locator('.rows-box [role=table]').getAttribute('aria-rowcount'));
const slider = (page: Page) => page.locator('.track input[type=range]');

/** Each test goes on where the one before it stopped. */
describe.skipIf(absent !== '')('a new user', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'troupe-journey-'));
  let browser: Browser;
  let run: Process;
  /** By it, on stderr. */
  let said = '';
  let viewer: ViewerProcess | undefined;
  let home = '';
  let tab: Visit;
  let page: Page;
  let episode = '';
  beforeAll(async () => {
    browser = await launch(inject('chromium'));
  });
  afterAll(async () => {
    run.child.kill('SIGKILL');
    await browser.close();
    await viewer?.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  test('starts the quickstart, and is told where to watch it', async () => {
    const few = ['steps=12', 'eval.tasks=4', 'eval.levels=[5]'].flatMap((set) => ['--set', set]);
    run = start([resolve('configs/quickstart.yaml'), '--view', ...few], cwd);
    run.child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await run.said('watch it: http');
  });

  test('opens the link and sees the run go on by itself', async () => {
    const link = /watch it: (http\S+)/.exec(said)?.[1] ?? '';
    tab = await visit(browser, link, new URL(link).origin);
    page = tab.page;
    await settled(page);
    expect(await page.locator('h1').innerText()).toBe('quickstart');
    await expect.poll(() => page.locator('.live').innerText()).toBe('live');
    expect(await page.locator('.page-head').innerText()).toContain('running');
    const before = await stepsOf(page);
    await expect.poll(() => stepsOf(page), { timeout: 60_000, interval: 200 }).toBeGreaterThan(before);
    await shot(page, 'journey 1 live');
  });

  test('looks at an episode while the run goes on', async () => {
    await page.getByRole('tab', { name: 'Episodes' }).click();
    await page.locator('.rows [role=row] a').first().click();
    await settled(page);
    expect(await page.locator('h1').innerText()).toMatch(/\.t\d+\.e\d+$/);
    await expect.poll(() => page.locator('.flow .part').count()).toBeGreaterThanOrEqual(3);
    expect(tab.misdeeds).toEqual([]);
  });

  test('is shown the way back when the run has ended', async () => {
    const { code, out } = await run.ended;
    expect(code).toBe(0);
    expect(out).toContain('view runs/quickstart');
    await tab.close();
    viewer = await startViewer(join(cwd, 'runs/quickstart'));
    home = new URL(viewer.url).origin;
    tab = await visit(browser, viewer.url, home);
    page = tab.page;
    await settled(page);
    expect(await page.locator('.page-head').innerText()).toContain('done');
    expect(await stepsOf(page)).toBe(12);
    await expect.poll(() => page.locator('.live').innerText()).toBe('ended');
    await shot(page, 'journey 2 done');
  });

  test('comes back to the row that was left, by the browser’s button and by a reload', async () => {
    await page.getByRole('tab', { name: 'Episodes' }).click();
    const box = page.locator('.rows-box');
    const top = (): Promise<number> => box.evaluate((element) => Math.round(element.scrollTop));
    await expect.poll(() => rowsOf(page)).toBeGreaterThan(100);
    await box.evaluate((element) => element.scrollTo(0, 1400));
    const link = page.locator('.rows [role=row][aria-rowindex="60"] a');
    await link.click();
    await settled(page);
    await page.goBack();
    await expect.poll(top).toBe(1400);
    await expect.poll(() => page.locator('.rows .row[data-picked=true]').getAttribute('aria-rowindex')).toBe('60');
    await page.reload();
    await expect.poll(top).toBe(1400);
    await page.goto(viewer?.url ?? home);
    await settled(page);
  });

  test('opens an episode that failed', async () => {
    await page.getByRole('tab', { name: 'Episodes' }).click();
    await page.getByRole('columnheader', { name: 'Reward' }).getByRole('button').click();
    await expect.poll(() => page.locator('.rows [role=row] .cell.reward').first().innerText()).toMatch(/[-−]1/);
    await page.locator('.rows [role=row] a').first().click();
    await settled(page);
    episode = await page.locator('h1').innerText();
    await expect.poll(() => page.locator('.findings, .fault, .said').count()).toBeGreaterThan(0);
    await shot(page, 'journey 3 episode');
  });

  test('scrubs through it: chart, turn and address go along', async () => {
    await expect.poll(() => page.locator('.chart-state[data-active=true]').count()).toBeGreaterThan(0);
    const last = Number(await slider(page).getAttribute('max'));
    await slider(page).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.locator('.scrubber-words').innerText()).toContain('1 of');
    const begun = await page.locator('.chart-drawing').getAttribute('aria-label');
    await page.getByRole('button', { name: 'one event on' }).click();
    await page.getByRole('button', { name: 'play', exact: true }).click();
    await expect.poll(async () => Number(await slider(page).inputValue()), { timeout: 15_000 }).toBeGreaterThan(4);
    await page.getByRole('button', { name: 'stop' }).click();
    const seen = new Set<string | null>();
    let taken = 0;
    for (let at = 0; at <= Math.min(last, 60); at++) {
      await slider(page).fill(String(at));
      seen.add(await page.locator('.chart-drawing').getAttribute('aria-label'));
      taken += await page.locator('.chart-line[data-taken=true], .chart-note[data-taken=true], .chart-label [data-taken=true]').count();
    }
    expect(seen.size).toBeGreaterThan(2);
    expect(seen).toContain(begun);
    expect(taken).toBeGreaterThan(2);
    await expect.poll(() => page.url()).toContain(`event=${Math.min(last, 60)}`);
    await shot(page, 'journey 4 scrubbed');
    const address = page.url();
    await page.reload();
    await settled(page);
    expect(page.url()).toBe(address);
    await expect.poll(() => slider(page).inputValue()).toBe(String(Math.min(last, 60)));
  });

  test('sees tokens, prompts, task and raw record of it', async () => {
    for (const [name, text] of [
      ['Tokens', /log-prob/i],
      ['Prompts', /turn/i],
      ['Task', /quer|intent/i],
      ['Raw', /xstate\.init|episode\./],
    ] as const) {
      await page.getByRole('tab', { name }).click();
      await settled(page);
      await expect.poll(() => page.getByRole('tabpanel').innerText()).toMatch(text);
      await shot(page, `journey 5 ${name}`);
    }
    await page.getByRole('tab', { name: 'Transcript' }).click();
  });

  test('looks at its group, member beside member', async () => {
    await page.getByRole('link', { name: 'group', exact: true }).click();
    await settled(page);
    const group = episode.replace(/\.e\d+$/, '');
    expect(await page.locator('h1').innerText()).toBe(group);
    expect(await page.locator('th[data-column]').count()).toBeGreaterThanOrEqual(2);
    expect(await page.locator('.columns, [role=region]').first().innerText()).toMatch(/[-−+]1/);
    await shot(page, 'journey 6 group');
  });

  test('filters the episodes, is shown a mistake where it stands, and finds the way out', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('u');
    await settled(page);
    await page.getByRole('tab', { name: 'Episodes' }).click();
    await settled(page);
    const all = await rowsOf(page);
    const field = page.getByRole('combobox', { name: 'filter episodes' });
    await field.fill('reward<0 && turns>=2');
    await expect.poll(() => rowsOf(page)).toBeLessThan(all);
    const rewards = await page.locator('.rows [role=row] .cell.reward').allInnerTexts();
    expect(rewards.length).toBeGreaterThan(0);
    for (const reward of rewards) expect(reward).toMatch(/[-−]1/);
    expect(new URL(page.url()).searchParams.get('filter')).toBe('reward<0 && turns>=2');
    await shot(page, 'journey 7 filtered');
    await field.fill('rewrd<0');
    // Done with choosing.
    await field.press('Escape');
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/reward/);
    await field.fill('');
    await expect.poll(() => rowsOf(page)).toBe(all);
    // The terminal speaks the same language.
    const { code, out } = troupe(['ls', '--help'], { cwd });
    expect(code, out).toBe(0);
  });

  test('compares it with another run, which came onto the list by itself', async () => {
    await page.getByRole('link', { name: 'Troupe' }).click();
    await settled(page);
    expect(await page.locator('tbody tr').count()).toBe(1);
    const other = start([resolve('configs/smoke.yaml'), '--quiet'], cwd);
    await expect.poll(() => page.locator('tbody tr').count(), { timeout: 30_000 }).toBe(2);
    expect((await other.ended).code).toBe(0);
    await page.getByRole('checkbox', { name: 'compare quickstart' }).check();
    await page.getByRole('checkbox', { name: 'compare smoke' }).check();
    await page.getByRole('button', { name: /^Compare/ }).click();
    await settled(page);
    expect(await page.locator('h1').innerText()).toBe('Compare');
    for (const run of ['quickstart', 'smoke']) expect(await page.locator('main').innerText()).toContain(run);
    await expect.poll(() => page.locator('main').innerText()).toContain('learningRate');
    await shot(page, 'journey 8 compare');
  });

  test('plays an episode anew from one of its turns, and is led to what came of it', async () => {
    await page.goto(`${home}/runs/smoke/episodes/s00001.t000.e00?turn=1`);
    await settled(page);
    await page.getByRole('button', { name: 'Fork…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('from turn').fill('1');
    await dialog.getByLabel('seed').fill('7');
    await shot(page, 'journey 9 fork');
    await dialog.getByRole('button', { name: 'Play' }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/runs/smoke/'), { timeout: 60_000 });
    await settled(page);
    await expect.poll(() => page.locator('main').innerText()).toMatch(/Played anew from/);
    await shot(page, 'journey 10 forked');
    await page
      .getByRole('link', { name: /s00001\.t000\.e00/ })
      .first()
      .click();
    await settled(page);
    expect(page.url()).toContain('/runs/smoke/episodes/s00001.t000.e00');
    // Its parent names it, with what was another, and shows the two side by side.
    await expect
      .poll(() => page.getByRole('region', { name: 'forks of this episode' }).innerText())
      .toMatch(/fork from turn 1.*seed 1 → 7/s);
    await page.getByRole('link', { name: 'side by side' }).click();
    await settled(page);
    await expect.poll(() => page.locator('main').innerText()).toMatch(/smoke-fork · s00001\.t000\.e00/);
    await shot(page, 'journey 11 side by side');
    await page.goBack();
    await settled(page);
  });

  test('copies link and command, and the command shows the same in the terminal', async () => {
    await page.getByRole('button', { name: 'Link' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
    await page.getByRole('button', { name: 'Command' }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toMatch(/^node dist\/run\.js show s00001\.t000\.e00/);
    const shown = troupe(command.replace(/^node dist\/run\.js /, '').split(' '), { cwd });
    expect(shown.code, shown.err).toBe(0);
    expect(shown.out).toContain('s00001.t000.e00');
  });

  test('exports it as one file, which opens without viewer and network', async () => {
    const { code, err } = troupe(['export', 'html', 's00001.t000.e00', '--run', 'smoke', '--out', 'one.html'], { cwd });
    expect(code, err).toBe(0);
    expect(tab.misdeeds).toEqual([]);
    await tab.close();
    const context = await browser.newContext({ offline: true });
    const alone = await context.newPage();
    await alone.goto(`file://${join(cwd, 'one.html')}`);
    await settled(alone);
    expect(await alone.locator('h1').innerText()).toBe('s00001.t000.e00');
    await shot(alone, 'journey 12 one file');
    await context.close();
    const lines = troupe(['export', 'openai', 's00001.t000', '--run', 'smoke', '--out', 'group.jsonl'], { cwd });
    expect(lines.code, lines.err).toBe(0);
    expect(existsSync(join(cwd, 'group.jsonl'))).toBe(true);
  });
});
