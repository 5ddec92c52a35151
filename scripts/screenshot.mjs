// Takes the pictures of the README anew: an episode and a run, light and dark, as a real browser shows them.  npm run build && node scripts/screenshot.mjs [--keep=<folder>]
// Needs a Chromium (TROUPE_CHROMIUM, or on the PATH). The run is the quickstart's own, recorded afresh into a temporary folder, or into the one named by --keep and used again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist/run.js');
const images = join(root, 'docs/images');
const size = { width: 1440, height: 900 };
/** To its end, however slow the machine; fewer tasks of examination, which no picture shows. */
const settings = ['budget.minutes=60', 'eval.tasks=100'];

function findChromium() {
  const given = process.env.TROUPE_CHROMIUM;
  if (given) return given;
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const folders = (process.env.PATH ?? '').split(':');
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
  if (found === undefined) throw new Error('no Chromium: set TROUPE_CHROMIUM, or apt-get install chromium');
  return found;
}

function record(dir) {
  const sets = [...settings, `record.dir=${dir}`].flatMap((set) => ['--set', set]);
  const { status } = spawnSync(process.execPath, [program, join(root, 'configs/quickstart.yaml'), ...sets], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`the run ended with ${status}`);
}

/** Of one of the last steps: a member that called tools more than once, and missed something, where there is one. */
async function episodeToShow(url) {
  const filter = encodeURIComponent('calls>=2 && split=="train"');
  const answer = await fetch(`${url}api/runs/quickstart/episodes?limit=400&sort=-step&filter=${filter}`);
  const { rows, error } = await answer.json();
  if (error !== undefined) throw new Error(error);
  const row = [0, -1, 1]
    .map((wanted) => rows.find(({ reward, turns }) => reward === wanted && turns <= 12))
    .find((row) => row !== undefined);
  return row.episode;
}

async function viewer(dir) {
  const child = spawn(process.execPath, [program, 'view', dir, '--port', '0', '--json', '--quiet', '--until-stdin-ends'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) return { url: JSON.parse(line).url, end: () => child.stdin.end() };
  throw new Error('the viewer said nothing');
}

async function take(browser, url, { path, file, prepare }) {
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({ colorScheme: theme, viewport: size, deviceScaleFactor: 1.5, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(url + path);
    await page.waitForFunction(() => document.querySelector('main h1') !== null && document.querySelector('.skeleton') === null);
    await prepare(page);
    await page.waitForTimeout(500);
    const to = join(images, theme === 'light' ? `${file}.png` : `${file}-dark.png`);
    await page.screenshot({ path: to });
    console.log(to);
    await context.close();
  }
}

const kept = process.argv.find((arg) => arg.startsWith('--keep='))?.slice('--keep='.length);
const dir = kept ?? mkdtempSync(join(tmpdir(), 'troupe-screenshot-'));
if (!existsSync(join(dir, 'quickstart'))) record(dir);
mkdirSync(images, { recursive: true });
const { url, end } = await viewer(dir);
const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
try {
  const episode = await episodeToShow(url);
  await take(browser, url, {
    path: `runs/quickstart/episodes/${episode}?turn=2`,
    file: 'episode',
    prepare: (page) => page.locator('.chart-state[data-active=true]').first().waitFor(),
  });
  await take(browser, url, { path: 'runs/quickstart', file: 'run', prepare: (page) => page.locator('canvas').first().waitFor() });
} finally {
  await browser.close();
  end();
  if (kept === undefined) rmSync(dir, { recursive: true, force: true });
}
