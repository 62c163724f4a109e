// What came home is compared with what lies here, and everything is taken home.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { claim, fits, noise, row, violations, visitor, world } from './world.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Keeps a picture, for people, where HOLDFAST_PICTURES says. */
async function picture(page, name) {
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** In both looks, wide and on a phone. */
async function looks(page, name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: 375, height: 740 });
    await fits(page);
    await picture(page, `${name}-${scheme}-narrow`);
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.deepEqual(await violations(page), [], `${name} ${scheme}`);
    await picture(page, `${name}-${scheme}-wide`);
  }
}

/** Sends a file as a program does that wants its SHA-256 kept, or that does not. */
async function put(own, page, path, bytes, digest = true) {
  const headers = digest ? { 'Want-Repr-Digest': 'sha-256=1' } : {};
  const sent = await page.request.put(`${own.service.origin}/api/v1/files/${path}`, { data: bytes, headers });
  assert.ok(sent.ok(), await sent.text());
}

const make = (own, page, folder) => page.request.post(`${own.service.origin}/api/v1/files/${folder}`, { data: { action: 'mkdir' } });
/** What a label's digits are, in the order of the page. */
const digits = (part, label) => part.locator('.copy').filter({ hasText: label }).locator('code').allTextContents();

test('the checksums of a file are those of its bytes, for each version', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: own.service.origin });
    await claim(own, page);
    const [old, now] = [noise(1, 70_000), noise(2, 90_000)];
    await put(own, page, 'letter.bin', old);
    await page.reload();
    await page.getByRole('button', { name: 'Details' }).click();
    await row(page, 'letter.bin').click();
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByRole('button', { name: 'Checksums' }).click();
    await details.getByText('To check a downloaded file:').waitFor();
    await details.getByText('sha256sum FILE').waitFor();
    assert.deepEqual(await digits(details, 'SHA-256'), [sha256(old)]);

    await put(own, page, 'letter.bin', now);
    await put(own, page, 'letter.bin', Buffer.from('short'), false);
    const { versions } = await (await page.request.get(`${own.service.origin}/api/v1/versions/letter.bin`)).json();
    await page.reload();
    await page.getByRole('button', { name: 'Details' }).click();
    await row(page, 'letter.bin').click();
    await details.getByRole('button', { name: 'Checksums' }).click();
    await details.getByRole('heading', { name: 'Current version' }).waitFor();
    assert.deepEqual(await digits(details, 'BLAKE3'), versions.map((version) => version.blake3));
    assert.deepEqual(await digits(details, 'SHA-256'), [sha256(now), sha256(old)], 'the newest was sent without one');

    await details.getByRole('button', { name: 'Copy: BLAKE3, Current version' }).click();
    await details.getByText('Copied', { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), versions[0].blake3);
    await looks(page, 'checksums');
    assert.deepEqual(page.complaints, []);
  });
});

test('everything is taken home, as zips', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    assert.deepEqual(await violations(page), [], 'an empty folder');
    await page.goto(`${own.service.origin}/account`);
    const card = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Take everything home' }) });
    await card.getByRole('button', { name: 'Show the zips' }).click();
    await card.getByText('There is nothing to take home yet.').waitFor();

    await make(own, page, encodeURIComponent('Fotos 2012'));
    await put(own, page, 'papers/letter.txt', Buffer.from('Dear nobody'));
    await put(own, page, 'papers/letter.txt', Buffer.from('Dear somebody'));
    await put(own, page, 'gone.txt', Buffer.from('thrown away'));
    await page.request.delete(`${own.service.origin}/api/v1/files/gone.txt`);
    const film = noise(3, 700_000);
    for (const name of ['one', 'two']) await put(own, page, `films/${name}`, film);
    await page.reload();
    // What takes the space is said in parts.
    const space = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Space' }) });
    await space.getByText('1.4 MB', { exact: true }).waitFor();
    assert.deepEqual(await space.locator('dd').allTextContents(), ['1.4 MB', '11 bytes', '11 bytes']);
    assert.equal(await card.getByLabel('On a command line').inputValue(), 'holdfast export my-files');
    await card.getByText(`holdfast login ${own.service.origin}`).waitFor();
    await card.getByRole('button', { name: 'Show the zips' }).click();
    await card.getByText('One zip holds everything.').waitFor();
    const links = card.getByRole('listitem').getByRole('link');
    const [download] = await Promise.all([page.waitForEvent('download'), links.click()]);
    assert.equal(download.suggestedFilename(), 'files-1.zip');
    const zip = await readFile(await download.path());
    assert.equal(zip.subarray(0, 2).toString(), 'PK');
    for (const name of ['Fotos 2012/', 'papers/letter.txt', 'films/two', 'files-1.b3sums']) assert.ok(zip.includes(name), name);
    await card.getByRole('listitem').getByText('started').waitFor();
    // The mark outlives the page.
    await page.reload();
    await card.getByRole('button', { name: 'Show the zips' }).click();
    await card.getByRole('listitem').getByText('started').waitFor();
    await card.scrollIntoViewIfNeeded();
    await looks(page, 'home');
    await card.getByLabel('Only what came since').fill('2099-01-01');
    await card.getByText('Nothing came since that day.').waitFor();
    await card.getByLabel('Only what came since').fill('2012-01-19');
    await card.getByText('One zip holds everything.').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});

test('a hundred zips are a list that scrolls', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const film = noise(4, 700_000);
    for (let index = 1; index <= 100; index += 1) await put(own, page, `${String(index).padStart(3, '0')}`, film);
    // The service makes zips of a megabyte as well, which no list offers.
    await page.route('**/api/v1/takeout?*', (route) => {
      const address = new URL(route.request().url());
      address.searchParams.set('bytes', `${2 ** 20}`);
      return route.continue({ url: `${address}` });
    });
    await page.goto(`${own.service.origin}/account`);
    await page.getByRole('button', { name: 'Show the zips' }).click();
    await page.getByText('100 zips hold everything.').waitFor();
    const links = page.getByRole('link', { name: /^\d+\. 1 file: / });
    assert.ok((await links.count()) < 40, 'only those in sight are in the document');
    await page.getByRole('link', { name: '1. 1 file: 001' }).focus();
    // By keys alone, and the wheel.
    for (let step = 0; step < 12; step += 1) await page.keyboard.press('Tab');
    await page.getByRole('link', { name: '13. 1 file: 013' }).and(page.locator(':focus')).waitFor();
    await page.getByRole('link', { name: '13. 1 file: 013' }).hover();
    const last = page.getByRole('link', { name: '100. 1 file: 100' });
    for (let turn = 0; turn < 40 && (await last.count()) === 0; turn += 1) await page.mouse.wheel(0, 2000);
    await last.waitFor();
    const zip = await page.request.get(await last.evaluate((one) => one.href));
    assert.ok((await zip.body()).length > film.length);
    assert.deepEqual(await violations(page), []);
    await page.setViewportSize({ width: 375, height: 740 });
    await fits(page);
    await picture(page, 'home-many-narrow');
    assert.deepEqual(page.complaints, []);
  });
});
