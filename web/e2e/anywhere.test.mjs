// Files come in from every view; many at once; through a network that is lost, and through a session that ends.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, noise, PASSWORD, picture, row, visitor, world } from './world.mjs';

/** Lets `count` files fall onto the page, as a browser does for what is dragged into it; `hold` does not let go. */
function drop(page, count, hold = false) {
  return page.evaluate(
    ([many, only]) => {
      const dataTransfer = new DataTransfer();
      for (let at = 0; at < many; at += 1) dataTransfer.items.add(new File([`file ${at}`], `f${String(at).padStart(5, '0')}.txt`, { type: 'text/plain' }));
      const target = document.getElementById('main');
      for (const type of only ? ['dragenter', 'dragover'] : ['dragenter', 'dragover', 'drop'])
        target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    [count, hold],
  );
}

async function stored(own, page, name) {
  return (await page.request.get(`${own.service.origin}/api/v1/files/${name}`)).body();
}

test('every view takes files that are dropped, says where they go, and lists the keys', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const { origin } = own.service;
    for (const [view, heading] of [['trash', 'Trash'], ['shares', 'Shares'], ['account', 'alice'], ['shared', 'Shared with me']]) {
      await page.goto(`${origin}/${view}`);
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor({ state: 'detached' });
    }
    await drop(page, 2, true);
    await page.getByText('Drop to upload into Files').waitFor();
    await picture(page, 'anywhere-drop');
    await drop(page, 2);
    await page.getByText('2 files uploaded').waitFor();
    assert.equal(await page.getByText('Drop to upload into Files').count(), 0);
    assert.equal(String(await stored(own, page, 'f00001.txt')), 'file 1');
    // A question mark that is typed is a letter.
    await page.goto(`${origin}/search`);
    await page.getByRole('searchbox').first().fill('');
    await page.keyboard.type('?');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.deepEqual(page.complaints, []);
  });
});

test('ten thousand files are dropped at once: the page stays quick, and knows them all after it was closed', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    // Nothing gets through, so that all of them are still there to be counted.
    await page.route('**/api/v1/uploads/', (route) => route.abort());
    await drop(page, 10_000);
    await page.getByRole('heading', { name: 'Uploading 10,000 files' }).waitFor();
    assert.ok((await page.locator('.tray .row').count()) < 40, 'a few rows stand for all');
    await page.getByRole('button', { name: 'Pause all' }).click();
    await page.getByRole('button', { name: 'Go on with all' }).waitFor();
    await page.waitForFunction(() => Object.entries(localStorage).some(([key, list]) => key.startsWith('holdfast.uploads') && JSON.parse(list).length === 10_000));
    page.once('dialog', (asked) => void asked.accept());
    await page.reload();
    await page.getByText('10,000 uploads were cut off when the page closed.').waitFor();
    await page.getByRole('button', { name: 'Forget them' }).click();
    await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('holdfast.uploads')));
    assert.deepEqual(page.complaints, []);
  });
});

test('an upload goes on through a lost network and an ended session', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const film = noise(9, 32_000_000);
    const path = join(own.folder, 'film.bin');
    await writeFile(path, film);
    // The last piece of a file goes when all others have arrived: before it goes, first the network ends, and then the session.
    let pieces = 0;
    await page.route('**/api/v1/uploads/*', async (route) => {
      const request = route.request();
      if (request.method() === 'PATCH' && Number(request.headers()['upload-offset']) > 0) {
        pieces += 1;
        if (pieces === 1) await page.context().setOffline(true);
        if (pieces === 2) assert.ok((await page.request.delete(`${own.service.origin}/api/v1/session`)).ok());
      }
      await route.continue();
    });
    await choose(page, path);
    await page.getByText('No network. Uploads go on by themselves when it is back.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('You are signed out. Sign in, and uploads go on.').waitFor();
    const begun = [];
    page.on('request', (one) => one.method() === 'POST' && one.url().endsWith('/uploads/') && begun.push(one.url()));
    await page.getByLabel('Name').fill('alice');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('1 file uploaded').waitFor();
    await row(page, 'film.bin').waitFor();
    assert.deepEqual(begun, [], 'what had arrived was not sent again');
    assert.ok((await stored(own, page, 'film.bin')).equals(film));
    assert.deepEqual(page.complaints, []);
  });
});
