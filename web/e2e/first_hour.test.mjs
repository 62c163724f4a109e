// The first hour of an owner, and of the guests that come by a link.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PASSWORD, choose, claim, link, noise, row, visitor, world } from './world.mjs';

test('files come in, a link goes out, and what was thrown away comes back, or goes for good', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const film = noise(1, 3_000_000);
    await choose(page, [
      { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear reader') },
      { name: 'film.bin', mimeType: 'application/octet-stream', buffer: film },
    ]);
    await page.getByText('2 files uploaded').waitFor();
    // The list says in words how firmly each is kept.
    await row(page, 'film.bin').getByText(/Safe|Settled|Verified/).waitFor();

    const address = await link(own, page, 'film.bin');
    assert.match(address, new RegExp(`^${own.service.origin}/s/[0-9a-f]{32}$`));
    const guest = await visitor(own);
    await guest.goto(address);
    await guest.getByRole('heading', { name: 'film.bin' }).waitFor();
    await guest.getByText('Shared by alice').waitFor();
    const [download] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: 'Download' }).click()]);
    assert.ok((await readFile(await download.path())).equals(film), 'a guest gets every byte');

    await row(page, 'letter.txt').click();
    await page.keyboard.press('Delete');
    await page.getByText('Moved “letter.txt” to trash').waitFor();
    await row(page, 'letter.txt').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, 'letter.txt').waitFor();

    // One thing goes alone, all others together, and their space is free.
    for (const name of ['letter.txt', 'draft.bin', 'notes.txt', 'plan.txt']) {
      const file = `${own.service.origin}/api/v1/files/${name}`;
      if (name !== 'letter.txt') assert.ok((await page.request.put(file, { data: noise(name.length, 500_000) })).ok());
      assert.ok((await page.request.delete(file)).ok());
    }
    await page.goto(`${own.service.origin}/trash`);
    await page.getByText('4.5 MB used').waitFor();
    await page.getByRole('button', { name: 'Delete “letter.txt” for good' }).click();
    await page.getByRole('dialog').getByText('This cannot be undone.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('Erased “letter.txt” for good').waitFor();
    await page.getByRole('button', { name: 'Empty the trash' }).click();
    await page.getByText('3 entries are erased for good. This cannot be undone.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('plan.txt').first().waitFor();
    await page.getByRole('button', { name: 'Empty the trash' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Empty the trash' }).click();
    await page.getByText('Erased 3 entries for good').waitFor();
    await page.getByText('The trash is empty').waitFor();
    await page.getByText('3 MB used').waitFor();
    await page.getByRole('link', { name: 'Files' }).first().click();

    await page.reload();
    await row(page, 'film.bin').waitFor();
    await page.goto(`${own.service.origin}/account`);
    await page.getByText('The operator of this service can read them too').waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).first().click();
    await page.getByLabel('Name').fill('alice');
    await page.locator('input[type=password]').fill('not the password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Name or password is wrong.').waitFor();
    await page.locator('input[type=password]').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('link', { name: 'Files' }).first().waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('a folder goes home as one zip, to its owner and to a guest', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    for (const path of ['album/2012/one.txt', 'album/two.txt']) {
      const answer = await page.request.put(`${own.service.origin}/api/v1/files/${path}`, { data: path });
      assert.equal(answer.status(), 201);
    }
    await page.reload();
    const take = async (from, button) => {
      const [download] = await Promise.all([from.waitForEvent('download'), button.click()]);
      assert.equal(download.suggestedFilename(), 'album.zip');
      const zip = await readFile(await download.path());
      for (const text of ['2012/one.txt', 'album/2012/one.txt', 'album/two.txt']) assert.ok(zip.includes(text), text);
      assert.equal(zip.readUInt32LE(zip.length - 22), 0x06054b50, 'it ends as a zip does');
    };
    await row(page, 'album').click();
    await take(page, page.getByRole('button', { name: 'Download' }).first());
    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/album' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    await take(guest, guest.getByRole('link', { name: 'Download all' }));
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('an older version comes back from the details', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const address = `${own.service.origin}/api/v1/files/plan.txt`;
    for (const text of ['first', 'second plan']) assert.ok((await page.request.put(address, { data: text })).ok());
    await page.reload();
    await page.getByRole('button', { name: 'Details' }).first().click();
    await row(page, 'plan.txt').click();
    await page.getByRole('button', { name: 'Go back to this' }).click();
    await page.getByText('An older version is current again').waitFor();
    assert.equal(await (await page.request.get(address)).text(), 'first');
    await row(page, 'plan.txt').getByText('5 bytes').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});

test('an invited person has an account of their own, and nobody else’s files', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [{ name: 'mine.txt', mimeType: 'text/plain', buffer: Buffer.from('mine') }]);
    await page.getByText('1 file uploaded').waitFor();
    await page.goto(`${own.service.origin}/people`);
    await page.getByRole('button', { name: 'Invite' }).click();
    const field = page.locator('input[readonly]');
    await field.waitFor();
    const other = await visitor(own);
    const invitation = { service: { ...own.service, page: await field.inputValue() } };
    await claim(invitation, other, 'bob');
    assert.equal(await other.getByRole('link', { name: 'Fleet' }).count(), 0, 'the fleet is the operator’s');
    const answer = await other.request.get(`${own.service.origin}/api/v1/files/mine.txt`);
    assert.equal(answer.status(), 404);
    assert.deepEqual([...page.complaints, ...other.complaints], []);
  });
});
