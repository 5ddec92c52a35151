/** Every page as axe reads it, light and dark: nothing serious, nothing critical. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { shot, type Theme } from '../../support/browser.ts';
import { openShow, type Show, settled } from '../../support/browser-show.ts';

const absent = inject('browserAbsent');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const episode = '/runs/smoke/episodes/s00001.t000.e00';

/** Address, and what is pressed there. */
const views: readonly (readonly [path: string, press: string])[] = [
  ['/', ''],
  ['/', 'Control+k'],
  ['/', '?'],
  ['/runs/absent', ''],
  ['/runs/smoke', ''],
  ['/runs/smoke', 'j'],
  ['/runs/smoke', 'x'],
  ['/runs/smoke?step=s00001&show=chart', ''],
  ['/runs/smoke?tab=episodes', ''],
  ['/runs/smoke?tab=episodes&filter=reward%3C0', ''],
  ['/runs/smoke?tab=episodes&filter=reward%3C%3C', ''],
  ['/runs/faulty?tab=simulators', ''],
  ['/runs/smoke?tab=actors', ''],
  ['/runs/smoke?tab=config', ''],
  ['/runs/smoke?tab=episodes&show=chart', ''],
  ['/runs/smoke/groups/s00001.t000', ''],
  ['/runs/smoke/groups/s00001.t000?tab=chart', ''],
  ['/runs/faulty/groups/s00001.t001?tab=chart&actor=user&ending=lost', ''],
  ['/runs/faulty/groups/s00001.t001', ''],
  [episode, ''],
  [`${episode}?turn=1`, ''],
  [`${episode}?tab=tokens`, ''],
  [`${episode}?tab=prompts`, ''],
  [`${episode}?tab=task`, ''],
  [`${episode}?tab=raw`, ''],
  ['/compare', ''],
  ['/compare?a=smoke&b=smoke-2', ''],
  ['/charts', ''],
  ['/charts/episode', ''],
];

interface Finding {
  readonly rule: string;
  readonly impact: string;
  readonly where: string;
}

async function findings(page: Page): Promise<Finding[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { readonly axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => ({
      rule: id,
      impact: impact ?? '',
      where: `${html.slice(0, 200)} – ${failureSummary.split('\n').at(1)?.trim() ?? ''}`,
    })),
  );
}

describe.skipIf(absent !== '').each(['light', 'dark'] satisfies Theme[])('%s', (theme) => {
  let show: Show;
  beforeAll(async () => {
    show = await openShow(inject('chromium'), join(inject('recorded').small, 'runs'));
  });
  afterAll(() => show.close());

  test.each(views)('%s %s: nothing serious or critical', async (path, press) => {
    const { page, close } = await show.visit(path, { theme });
    if (press !== '') {
      await page.keyboard.press(press);
      await settled(page);
    }
    const grave = (await findings(page)).filter(({ impact }) => impact === 'serious' || impact === 'critical');
    await shot(page, `${theme} ${path} ${press}`);
    expect(grave).toEqual([]);
    await close();
  });
});
