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

    for (const folder of ['Fotos 2012', 'papers']) await make(own, page, encodeURIComponent(folder));
    await put(own, page, 'papers/letter.txt', Buffer.from('Dear nobody'));
    // As many long names as no address holds.
    const names = Array.from({ length: 30 }, (_, index) => `${String(index).padStart(2, '0')} ${'ü'.repeat(100)}.txt`);
    for (const name of names) await put(own, page, encodeURIComponent(name), Buffer.from(name));
    await page.reload();
    assert.equal(await card.getByLabel('On a command line').inputValue(), 'holdfast export my-files');
    await card.getByText(`holdfast login ${own.service.origin}`).waitFor();
    await card.getByRole('button', { name: 'Show the zips' }).click();
    await card.getByText('zips hold everything.').waitFor();

    const links = card.getByRole('listitem').getByRole('link');
    const addresses = await links.evaluateAll((all) => all.map((one) => one.href));
    assert.deepEqual((await links.allTextContents()).slice(0, 2).map((text) => text.trim()), ['Fotos 2012', 'papers']);
    assert.ok(addresses.length > 3, 'the files are in several zips');
    assert.ok(addresses.every((address) => address.length < 6000), addresses.map((address) => address.length).join(' '));
    const said = addresses.flatMap((address) => new URL(address).searchParams.get('names')?.split('/') ?? []);
    assert.deepEqual(said, names, 'each file is in one of them');
    for (const address of addresses) {
      const zip = await page.request.get(address);
      assert.equal(zip.status(), 200, address);
      assert.equal((await zip.body()).subarray(0, 2).toString(), 'PK');
    }

    const [download] = await Promise.all([page.waitForEvent('download'), card.getByRole('link', { name: 'papers' }).click()]);
    assert.equal(download.suggestedFilename(), 'papers.zip');
    assert.equal((await readFile(await download.path())).subarray(0, 2).toString(), 'PK');
    await card.getByRole('listitem').filter({ hasText: 'papers' }).getByText('started').waitFor();
    assert.equal(await card.getByText('started').count(), 1);
    // The mark outlives the page.
    await page.reload();
    await card.getByRole('button', { name: 'Show the zips' }).click();
    await card.getByRole('listitem').filter({ hasText: 'papers' }).getByText('started').waitFor();
    await card.scrollIntoViewIfNeeded();
    await looks(page, 'home');
    assert.deepEqual(page.complaints, []);
  });
});

test('three hundred folders are a list that scrolls', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    for (let index = 1; index <= 300; index += 1) await make(own, page, `folder%20${String(index).padStart(3, '0')}`);
    await page.goto(`${own.service.origin}/account`);
    await page.getByRole('button', { name: 'Show the zips' }).click();
    await page.getByText('300 zips hold everything.').waitFor();
    const links = page.getByRole('link', { name: /^folder \d+$/ });
    assert.ok((await links.count()) < 40, 'only those in sight are in the document');
    await page.getByRole('link', { name: 'folder 001' }).focus();
    // By keys alone, and the wheel.
    for (let step = 0; step < 12; step += 1) await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'folder 013' }).and(page.locator(':focus')).waitFor();
    await page.getByRole('link', { name: 'folder 013' }).hover();
    for (let turn = 0; turn < 40 && (await page.getByRole('link', { name: 'folder 300' }).count()) === 0; turn += 1) await page.mouse.wheel(0, 2000);
    await page.getByRole('link', { name: 'folder 300' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.setViewportSize({ width: 375, height: 740 });
    await fits(page);
    await picture(page, 'home-many-narrow');
    assert.deepEqual(page.complaints, []);
  });
});
