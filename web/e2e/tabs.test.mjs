// Two tabs of one browser: neither touches what the other sends, and what one leaves the next takes up.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choices, choose, claim, noise, PASSWORD, row, slow, visitor, world } from './world.mjs';

const film = noise(4, 30_000_000);

/** One more tab of the page's browser. */
async function beside(own, page, address = own.service.origin) {
  const other = await page.context().newPage();
  other.setDefaultTimeout(90_000);
  other.complaints = page.complaints;
  other.on('pageerror', (error) => page.complaints.push(String(error)));
  await other.goto(address);
  return other;
}

const cutOff = (page) => page.getByText('1 upload was cut off when the page closed.');
const uploaded = (page) => page.getByText('1 file uploaded').waitFor();
const lists = (page) => page.evaluate(() => Object.entries(localStorage).filter(([key]) => key.startsWith('holdfast.uploads')));
/** Waits until an upload is under way and the browser has a note of where it stands. */
async function underWay(page) {
  await page.getByText(/[1-9][0-9]? %/).first().waitFor();
  await page.waitForFunction(() => Object.entries(localStorage).some(([key, list]) => key.startsWith('holdfast.uploads') && list.includes('/uploads/')));
}

async function stored(own, page) {
  return (await page.request.get(`${own.service.origin}/api/v1/files/film.bin`)).body();
}

async function begin(own, options = {}) {
  const page = await visitor(own, options);
  await claim(own, page);
  const path = join(own.folder, 'film.bin');
  await writeFile(path, film);
  return { page, path };
}

test('what one tab sends is not cut off for another, and goes on there when the first has died', async () => {
  await world(async (own) => {
    const { page, path } = await begin(own);
    await slow(page, 1_000_000);
    await choose(page, path);
    await underWay(page);
    const gone = [];
    page.context().on('request', (one) => one.method() === 'DELETE' && gone.push(one.url()));

    const second = await beside(own, page);
    await second.getByText('Nothing here yet').waitFor();
    await choose(second, [{ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('note') }]);
    await uploaded(second);
    assert.equal(await cutOff(second).count(), 0, 'it runs, so it is not cut off');
    const noted = await lists(page);
    await second.close();
    assert.deepEqual((await lists(page)).map(([key]) => key), noted.map(([key]) => key), 'a tab that goes takes no list along');
    assert.deepEqual(gone, []);

    // The first is loaded anew while another is there: its own list stays its own.
    const third = await beside(own, page);
    await row(third, 'note.txt').waitFor();
    page.once('dialog', (asked) => void asked.accept());
    await page.reload();
    await cutOff(page).waitFor();
    await third.reload();
    await row(third, 'note.txt').waitFor();
    await choices(page, 'Choose files', path);
    await page.getByText(/[1-9][0-9]? %/).first().waitFor();
    assert.equal(await cutOff(third).count(), 0);

    const died = page.waitForEvent('crash');
    await page.goto('chrome://crash').catch(() => {});
    await died;
    const begun = [];
    third.on('request', (one) => one.method() === 'POST' && one.url().endsWith('/uploads/') && begun.push(one.url()));
    await third.reload();
    await cutOff(third).waitFor();
    const fourth = await beside(own, third);
    await row(fourth, 'note.txt').waitFor();
    assert.equal(await cutOff(fourth).count(), 0, 'it was taken up once');
    await choices(third, 'Choose files', path);
    await uploaded(third);
    assert.deepEqual(begun, [], 'what had arrived was not sent again');
    assert.ok((await stored(own, third)).equals(film));
    await third.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('holdfast.uploads')));
    assert.deepEqual(page.complaints, []);
  });
});

test('tabs find each other without locks, where the page came by plain HTTP', async () => {
  await world(async (own) => {
    const { page, path } = await begin(own);
    await page.context().addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
    await page.reload();
    const quick = await slow(page, 1_000_000);
    await choose(page, path);
    await underWay(page);
    const second = await beside(own, page);
    // Once it knows which tabs are there, it notes what it sends.
    await slow(second, 1_000_000);
    await choose(second, [{ name: 'other.bin', mimeType: 'application/octet-stream', buffer: noise(5, 8_000_000) }]);
    await second.waitForFunction(() => Object.values(localStorage).some((list) => list.includes('other.bin')));
    assert.equal(await cutOff(second).count(), 0);
    second.once('dialog', (asked) => void asked.accept());
    await second.reload();
    await cutOff(second).waitFor();
    await second.getByText('other.bin').waitFor();
    await quick();
    await uploaded(page);
    assert.ok((await stored(own, page)).equals(film));
    assert.deepEqual(page.complaints, []);
  });
});

test('a list of former times is taken up by one tab, and who signs out signs out in all', async () => {
  await world(async (own) => {
    const { page, path } = await begin(own);
    await page.evaluate(() => {
      const list = [{ path: ['film.bin'], size: 30_000_000, modified: 1, url: null }];
      localStorage.setItem('holdfast.uploads.alice', JSON.stringify(list));
    });
    const second = await beside(own, page);
    await cutOff(second).waitFor();
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
    assert.equal(await cutOff(page).count(), 0, 'another has it');
    await second.getByRole('button', { name: 'Forget them' }).click();

    // Both tabs send the same file, as two devices would.
    const quick = await slow(page, 1_000_000);
    await choose(page, path);
    await underWay(page);
    await choose(second, path);
    await uploaded(second);
    assert.ok((await stored(own, second)).equals(film));

    const invited = await page.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 1 } });
    const { code } = await invited.json();
    const made = await (await visitor(own)).request.post(`${own.service.origin}/api/v1/accounts`, { data: { invitation: code, name: 'bob', password: PASSWORD } });
    assert.ok(made.ok(), await made.text());
    await second.goto(`${own.service.origin}/account`);
    await second.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByText('You are signed out. Sign in, and uploads go on.').waitFor();
    await second.getByLabel('Name').fill('bob');
    await second.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await second.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Nothing here yet').waitFor();
    await quick();
    const listed = await (await second.request.get(`${own.service.origin}/api/v1/files/`)).json();
    assert.deepEqual(listed.entries, [], 'nothing of one goes to the other');
    assert.deepEqual(page.complaints, []);
  });
});
