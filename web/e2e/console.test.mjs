// The operator's console: a tile tells the truth when its folder is wiped, and what is clicked away is what the service would say.
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, fits, noise, violations, visitor, world } from './world.mjs';

/** Keeps a picture, for people, where HOLDFAST_PICTURES says. */
async function picture(page, name) {
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const get = async (own, page, path) => (await page.request.get(`${own.service.origin}/api/v1/${path}`)).json();

/** Waits until all is settled. */
async function settled(own, page) {
  for (;;) {
    const fleet = await get(own, page, 'fleet');
    if (fleet.files_below_settled + fleet.packs_below_settled + fleet.records_below_settled === 0) return fleet;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function pictures(page, name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [width, what] of [[1280, 'wide'], [390, 'narrow']]) {
      await page.setViewportSize({ width, height: 2100 });
      await picture(page, `${name}-${scheme}-${what}`);
      await fits(page);
    }
    assert.deepEqual(await violations(page), [], `${name} ${scheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

test('what is clicked away is what the service says, and a wiped folder is seen', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const files = [['letter.txt', 40_000], ['photos.zip', 3_000_000], ['film.bin', 9_000_000]];
    await choose(page, files.map(([name, length], seed) => ({ name, mimeType: 'application/octet-stream', buffer: noise(seed + 1, length) })));
    await page.getByText('3 files uploaded').waitFor();
    const fleet = await settled(own, page);
    await page.goto(`${own.service.origin}/fleet`);
    await page.getByText('Everything is settled').waitFor();
    const names = fleet.providers.map((provider) => provider.name);
    for (const name of names) assert.equal(await page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed'), 'false');
    await page.getByRole('heading', { name: 'Trend' }).waitFor();
    await pictures(page, 'console');

    // One after the other is clicked away, until files are lost.
    let lost = 0;
    for (let count = 1; count <= names.length && lost === 0; count++) {
      await page.getByRole('button', { name: names[count - 1], exact: true }).click();
      const gone = names.slice(0, count);
      const said = await get(own, page, `fleet/what-if?${gone.map((name) => `provider=${name}`).join('&')}`);
      const panel = page.locator('section[aria-busy=false]').filter({ has: page.getByRole('heading', { name: /^Without / }) });
      const value = (name) => panel.locator('dl div').filter({ hasText: name }).locator('dd').innerText();
      await panel.getByRole('heading', { name: gone.at(-1) }).waitFor();
      assert.equal(await value('Files unreadable'), said.files_unreadable.toLocaleString('en'));
      assert.equal(await value('Files below safe'), said.files_below_safe.toLocaleString('en'));
      const margin = said.margin === null || said.margin === 0 ? 'none' : String(said.margin);
      assert.equal(await value('Providers that may go then'), margin);
      lost = said.files_unreadable;
      const words = lost > 0 ? `${lost} ${lost === 1 ? 'file' : 'files'} could not be read` : 'Nothing is lost';
      await panel.getByText(words).waitFor();
      if (count === 1) await pictures(page, 'console-without-one');
    }
    assert.ok(lost > 0, 'without all of them nothing is left');
    await pictures(page, 'console-without-many');
    await page.getByRole('button', { name: 'Put all back' }).click();
    await page.getByText('Click providers away').waitFor();

    // What is believed to be there is one thing, a wiped folder another.
    await rm(join(own.service.data, 'providers', names[1]), { recursive: true });
    const tile = page.getByRole('article').filter({ has: page.getByRole('button', { name: names[1], exact: true }) });
    await tile.getByText('down', { exact: true }).waitFor();
    await tile.getByText('0 of 1 target up').waitFor();
    await pictures(page, 'console-wiped');
    // Repair brings it back to settled on those that are left, and the sentence above says so.
    const after = await settled(own, page);
    assert.ok(after.providers.find((provider) => provider.name === names[1]).state !== 'up');
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('Everything is settled').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});
