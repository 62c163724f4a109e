// A real service on a free port and a real Chromium, both ended when the test is over.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url)('axe-core').source;
const PROGRAM = process.env.HOLDFAST_PROGRAM;
const BROWSER = process.env.HOLDFAST_CHROMIUM ?? '/usr/bin/chromium';
// The browser asks nobody but the page: its own services are off.
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic'];

export const PASSWORD = 'correct horse battery';

/** A running service: its `origin`, and the address that its `page` line names. */
export class Service {
  static async start(data, listen = '127.0.0.1:0') {
    const child = spawn(PROGRAM, ['serve', '--data', data, '--listen', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = createInterface({ input: child.stdout });
    const service = Object.assign(new Service(), { child, data });
    for await (const line of said) {
      if (line.startsWith('listening on http://')) service.listen = line.slice('listening on http://'.length);
      if (line.startsWith('page: ')) {
        service.page = line.split(' ')[1];
        break;
      }
    }
    if (!service.page) throw new Error('the service did not start');
    service.origin = new URL(service.page).origin;
    return service;
  }

  /** Ends it as a power cut does. */
  async kill() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Starts it again where it was. */
  again() {
    return Service.start(this.data, this.listen);
  }
}

/** Gives `story` a service and a browser, and ends them. */
export async function world(story) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'));
  const own = { folder, service: await Service.start(join(folder, 'data')) };
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  own.browser = await chromium.launch({ executablePath: BROWSER, args: [...QUIET, ...sandbox] });
  try {
    await story(own);
  } finally {
    await own.browser.close();
    await own.service.kill().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

/** A page of a browser that has seen nothing yet. What it complains of on its console fails the test at the end. */
export async function visitor(own, options = {}) {
  const context = await own.browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  // Two busy cores are slow; a story waits for what comes, however long that takes within reason.
  page.setDefaultTimeout(90_000);
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  return page;
}

/** Takes the service over, as its first owner. */
export async function claim(own, page, name = 'alice') {
  await page.goto(own.service.page);
  await page.getByLabel('Name').fill(name);
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD);
  await page.getByRole('button', { name: 'Make account' }).click();
  await page.getByText('Nothing here yet').waitFor();
}

/** Bytes that look random and are the same in every run. */
export function noise(seed, length) {
  const bytes = Buffer.alloc(length);
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n | 1n;
  for (let at = 0; at + 8 <= length; at += 8) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, state), at);
  }
  return bytes;
}

/** Uploads files as a person does who chooses them. */
export function choose(page, files) {
  return choices(page, /Upload files/, files);
}

/** Gives files to what a button opens. */
export async function choices(page, button, files) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: button }).first().click()]);
  await chooser.setFiles(files);
}

/** Slows the page's network down, so that there is a middle; returns what makes it quick again. */
export async function slow(page, bytesPerSecond) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const set = (rate) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: rate });
  await set(bytesPerSecond);
  return () => set(-1);
}

/** What a screen reader would stumble over. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(' ')}`);
}

/** Fails if the page is wider than its window. */
export async function fits(page) {
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (wide > shown) throw new Error(`${page.url()}: ${wide} px in a window of ${shown}`);
}

/** Keeps a picture, for people, where HOLDFAST_PICTURES says. */
export async function picture(page, name) {
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** What a view has to be: as wide as its window, and without a hurdle for a screen reader, by day and by night. */
export async function sound(page, name) {
  const was = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [width, what] of [[1280, 'wide'], [390, 'narrow']]) {
      await page.setViewportSize({ width, height: 1500 });
      await picture(page, `${name}-${colorScheme}-${what}`);
      await fits(page);
    }
    assert.deepEqual(await violations(page), [], `${name} ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(was);
}

/** What the interface answers the page's owner. */
export const get = async (own, page, path) => (await page.request.get(`${own.service.origin}/api/v1/${path}`)).json();

/** The row of a name in the list. */
export function row(page, name) {
  return page.getByRole('row').filter({ hasText: name });
}

/** The address behind *Copy link* of a finished upload, as the clipboard has it. */
export async function link(own, page, name) {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: own.service.origin });
  const item = page.locator('.row', { hasText: name }).filter({ has: page.getByRole('button', { name: 'Copy link' }) });
  await item.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Link copied').waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}
