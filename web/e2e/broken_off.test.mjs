// Uploads that are broken off: by a service that dies, by a page that is closed.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, noise, row, slow, visitor, world } from './world.mjs';

const film = { name: 'film.bin', mimeType: 'application/octet-stream', buffer: noise(2, 40_000_000) };

async function stored(own, page) {
  const answer = await page.request.get(`${own.service.origin}/api/v1/files/film.bin`);
  return answer.body();
}

test('an upload goes on when the service was killed and came back', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const quick = await slow(page, 8_000_000);
    await choose(page, [film]);
    await page.getByText(/[1-9][0-9]? %/).first().waitFor();
    await own.service.kill();
    await page.getByText('The service does not answer. Uploads go on by themselves').waitFor();
    own.service = await own.service.again();
    await quick();
    await page.getByText('1 file uploaded').waitFor({ timeout: 120_000 });
    assert.ok((await stored(own, page)).equals(film.buffer));
    assert.deepEqual(page.complaints, []);
  });
});

test('an upload goes on after the page was closed, when the same file is chosen again', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    // On a disk, where it keeps its time: that is how the page knows it again.
    const path = join(own.folder, film.name);
    await writeFile(path, film.buffer);
    await slow(page, 4_000_000);
    await choose(page, path);
    await page.getByText(/[2-9][0-9] %/).first().waitFor({ timeout: 60_000 });
    await page.reload();
    await page.getByText('1 upload was cut off when the page closed.').waitFor();
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose files' }).click()]);
    await chooser.setFiles(path);
    await page.getByText('1 file uploaded').waitFor({ timeout: 120_000 });
    assert.ok((await stored(own, page)).equals(film.buffer));
    await row(page, 'film.bin').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});

test('a file that is changed while it is sent is not kept as if it were whole', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const path = join(own.folder, film.name);
    await writeFile(path, film.buffer);
    const quick = await slow(page, 4_000_000);
    await choose(page, path);
    await page.getByText(/[2-6][0-9] %/).first().waitFor({ timeout: 60_000 });
    // Somebody saves it anew, as long as before.
    const saved = noise(3, film.buffer.length);
    await writeFile(path, saved);
    await quick();
    await page.getByText('The file changed or vanished on this device. Choose it again.').waitFor({ timeout: 60_000 });
    const answer = await page.request.get(`${own.service.origin}/api/v1/files/film.bin`);
    assert.equal(answer.status(), 404, 'half of one and half of the other is no file');
    await choose(page, path);
    await page.getByText('1 file uploaded').waitFor({ timeout: 120_000 });
    assert.ok((await stored(own, page)).equals(saved));
    assert.deepEqual(page.complaints, []);
  });
});

test('a firm that wipes everything in the middle of an upload costs nothing', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    // What the service called safe it calls safe for ever.
    const offsets = [];
    page.on('response', (answer) => {
      const offset = answer.url().includes('/api/v1/uploads/') ? answer.headers()['upload-offset'] : undefined;
      if (offset !== undefined) offsets.push(Number(offset));
    });
    const quick = await slow(page, 6_000_000);
    await choose(page, [film]);
    await page.getByText(/[3-9][0-9] %/).first().waitFor();
    await rm(join(own.service.data, 'providers', 'cedar'), { recursive: true });
    await quick();
    await page.getByText('1 file uploaded').waitFor({ timeout: 120_000 });
    assert.ok((await stored(own, page)).equals(film.buffer));
    assert.ok(offsets.length > 0, 'the service said how far it is');
    assert.deepEqual(offsets, offsets.toSorted((a, b) => a - b));
    assert.deepEqual(page.complaints, []);
  });
});
