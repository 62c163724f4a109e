// How firmly a file is kept is said in words, with its proof, wherever it is listed: to its owner, to who searches, to a guest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, claim, get, row, sound, visitor, world } from './world.mjs';

/** The word and its proof; between two looks a file may climb, so that any of those that hold is right. */
const SAID = /^((Safe|Settled) (not proven yet|proof .+)|Verified( proof .+)?)$/;

async function says(line, where) {
  await line.waitFor();
  assert.match((await line.locator('.standing').textContent()).replace(/\s+/g, ' ').trim(), SAID, where);
}

test('rows of a folder, of a search and of a link say where a file stands, and when that was proven', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [{ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('plan') }]);
    await page.getByText('1 file uploaded').waitFor();
    const put = await page.request.put(`${own.service.origin}/api/v1/files/in/letter.txt`, { data: 'letter' });
    assert.equal(put.status(), 201);
    const answer = await get(own, page, 'files/in/');
    assert.ok(answer.entries[0].state, 'the service says where it stands');

    await page.goto(own.service.origin);
    await says(row(page, 'plan.txt'), 'folder');
    await sound(page, 'standing-folder');
    await page.goto(`${own.service.origin}/search?q=letter`);
    await says(page.getByRole('listitem').filter({ hasText: 'letter.txt' }), 'search');
    await sound(page, 'standing-search');

    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/in' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    await says(row(guest, 'letter.txt'), 'link');
    await guest.getByRole('columnheader', { name: 'State' }).waitFor();
    await sound(guest, 'standing-link');
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
