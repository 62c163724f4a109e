// Files that others send: an owner asks for them by a link, a guest without an account puts them in and sees nothing.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choices, claim, fits, noise, row, slow, violations, visitor, world } from './world.mjs';

const WORDS = 'The photos of Saturday, please.\nAs large as you have them.';

/** The bytes at a path of the owner's tree. */
async function stored(own, page, path) {
  const answer = await page.request.get(`${own.service.origin}/api/v1/files/${path.split('/').map(encodeURIComponent).join('/')}`);
  assert.equal(answer.status(), 200, path);
  return answer.body();
}

/** Files on a disk, where they keep their time: that is how the page knows them again. */
async function onDisk(own, files) {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(own.folder, path, '..'), { recursive: true });
    await writeFile(join(own.folder, path), bytes);
  }
}

async function askForFiles(own, page, password) {
  assert.ok((await page.request.put(`${own.service.origin}/api/v1/files/inbox/plan.txt`, { data: 'the owner’s own' })).ok());
  await page.goto(`${own.service.origin}/files/inbox/`);
  await row(page, 'plan.txt').waitFor();
  await page.getByRole('button', { name: 'Ask for files' }).click();
  await page.getByLabel('What do you ask for?').fill(WORDS);
  await page.getByLabel('Password', { exact: true }).check();
  await page.getByLabel('New password').fill(password);
  await page.getByRole('button', { name: 'Make the link' }).click();
  const address = page.getByLabel('Link', { exact: true });
  await address.waitFor();
  assert.deepEqual(await violations(page), []);
  return address.inputValue();
}

async function enter(guest, address, password) {
  await guest.goto(address);
  await guest.getByRole('heading', { name: 'This link has a password' }).waitFor();
  await guest.getByLabel('Password').fill(password);
  await guest.getByRole('button', { name: 'Open' }).click();
  await guest.getByRole('heading', { name: 'alice asks you for files' }).waitFor();
}

test('a guest sends files of one name and a folder into a request, through a reload, and sees nothing of it', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const address = await askForFiles(own, page, 'saturday');
    const film = noise(5, 40_000_000);
    await onDisk(own, { 'one/plan.txt': 'first', 'two/plan.txt': 'second', 'album/day/sea.txt': 'sea', 'album/hill.txt': 'hill', 'film.bin': film });
    const at = (path) => join(own.folder, path);

    const guest = await visitor(own);
    await enter(guest, address, 'saturday');
    await guest.getByText('The photos of Saturday, please.').waitFor();
    await guest.getByText('What you send cannot be looked at here afterwards').waitFor();
    assert.deepEqual(await violations(guest), []);
    assert.equal(await guest.getByText('plan.txt').count(), 0, 'nothing of the folder is shown');
    const code = address.split('/').at(-1);
    for (const door of ['files/', 'files/plan.txt', 'zip/', 'content', 'thumbnails/plan.txt?size=256']) {
      const answer = await guest.request.get(`${own.service.origin}/api/v1/links/${code}/${door}`);
      assert.equal(answer.status(), 404, door);
    }

    await choices(guest, 'Choose files', [at('one/plan.txt'), at('two/plan.txt')]);
    await guest.getByRole('heading', { name: '2 files sent' }).waitFor();
    await guest.getByLabel('Your name').fill('Bea');
    await choices(guest, 'Choose a folder', at('album'));
    await guest.getByRole('heading', { name: '4 files sent' }).waitFor();

    const quick = await slow(guest, 4_000_000);
    await choices(guest, 'Choose files', at('film.bin'));
    await guest.getByText(/[2-9][0-9] %/).first().waitFor();
    await guest.reload();
    await guest.getByText('1 upload was cut off when the page closed.').waitFor();
    await guest.setViewportSize({ width: 375, height: 740 });
    await fits(guest);
    await quick();
    await choices(guest, 'Choose files', at('film.bin'));
    await guest.getByRole('heading', { name: '1 file sent' }).waitFor({ timeout: 120_000 });
    await guest.getByText('alice has them now.').waitFor();
    assert.deepEqual(await violations(guest), []);

    // Nothing replaced anything, and the film went where it was meant to go before the page was closed.
    const plans = ['plan.txt', 'plan (2).txt', 'plan (3).txt'];
    const texts = await Promise.all(plans.map(async (name) => String(await stored(own, page, `inbox/${name}`))));
    assert.equal(texts[0], 'the owner’s own');
    assert.deepEqual(texts.slice(1).sort(), ['first', 'second']);
    assert.equal(String(await stored(own, page, 'inbox/Bea/album/day/sea.txt')), 'sea');
    assert.equal(String(await stored(own, page, 'inbox/Bea/album/hill.txt')), 'hill');
    assert.ok((await stored(own, page, 'inbox/Bea/film.bin')).equals(film), 'every byte arrived');
    await page.goto(`${own.service.origin}/files/inbox/`);
    await row(page, 'plan (3).txt').waitFor();

    await page.goto(`${own.service.origin}/shares`);
    await page.getByText('receives files · password').waitFor();
    await page.getByText('Received: 5').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('button', { name: 'Receive no more' }).click();
    await page.getByText('This link receives nothing more.').waitFor();
    await guest.reload();
    await guest.getByRole('heading', { name: 'This link has ended' }).waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('a request takes as many files as were asked for, goes on after the service was killed, and says why the rest was refused', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    assert.ok((await page.request.put(`${own.service.origin}/api/v1/files/inbox/plan.txt`, { data: 'plan' })).ok());
    const asked = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/inbox', receives: true, downloads_max: 2 } });
    const { code } = await asked.json();
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${code}`);
    await guest.getByText('2 more files').waitFor();
    const quick = await slow(guest, 8_000_000);
    const film = noise(6, 30_000_000);
    await choices(guest, 'Choose files', [{ name: 'film.bin', mimeType: 'application/octet-stream', buffer: film }]);
    await guest.getByText(/[1-9][0-9]? %/).first().waitFor();
    await own.service.kill();
    await guest.getByText('The service does not answer. Uploads go on by themselves').waitFor();
    own.service = await own.service.again();
    await quick();
    await guest.getByRole('heading', { name: '1 file sent' }).waitFor({ timeout: 120_000 });
    await guest.getByText('1 more file', { exact: false }).first().waitFor();
    const text = (name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) });
    await choices(guest, 'Choose files', [text('a.txt'), text('b.txt')]);
    await guest.getByRole('heading', { name: '2 files sent, 1 failed' }).waitFor();
    await guest.getByText('1 file: As many files have come as were asked for.').waitFor();
    await guest.getByText('Nothing more is taken.').waitFor();
    const late = await visitor(own);
    await late.goto(`${own.service.origin}/s/${code}`);
    await late.getByRole('heading', { name: 'Enough files have come' }).waitFor();
    assert.ok((await stored(own, page, 'inbox/film.bin')).equals(film), 'every byte arrived');
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('a guest whose password is forgotten by the browser types it again, and the upload goes on', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const address = await askForFiles(own, page, 'saturday');
    const guest = await visitor(own);
    await enter(guest, address, 'saturday');
    const quick = await slow(guest, 4_000_000);
    const film = noise(8, 20_000_000);
    await choices(guest, 'Choose files', [{ name: 'film.bin', mimeType: 'application/octet-stream', buffer: film }]);
    await guest.getByText(/[1-9][0-9]? %/).first().waitFor();
    await guest.getByRole('button', { name: 'Pause all' }).click();
    await guest.context().clearCookies();
    await guest.getByRole('button', { name: 'Go on with all' }).click();
    await guest.getByRole('heading', { name: 'This link has a password' }).waitFor();
    await quick();
    await guest.getByLabel('Password').fill('saturday');
    await guest.getByRole('button', { name: 'Open' }).click();
    await guest.getByRole('heading', { name: '1 file sent' }).waitFor();
    assert.ok((await stored(own, page, 'inbox/film.bin')).equals(film), 'every byte arrived');
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
