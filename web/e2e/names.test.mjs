// Names that lie: what hides in them is seen wherever they stand, and honest ones look as they are meant to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, row, sound, visitor, world } from './world.mjs';

const LIES = 'invoice\u202Efdp.exe';
const HIDES = 'plan\u200B.txt';
const MARKUP = `"<b>it's<img src=x>" & 'co'.txt`;
const HEBREW = 'חשבון 2026.txt';
const PERSIAN = 'می\u200Cخواهم.txt';
const FAMILY = '👩‍👩‍👧‍👦 at sea 🏴󠁧󠁢󠁥󠁮󠁧󠁿.txt';
const HONEST = [MARKUP, HEBREW, PERSIAN, FAMILY];

/** What is seen of the names in the document, with the marks in brackets. */
const seen = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('bdi')].map((name) =>
      [...name.childNodes].map((node) => (node.nodeType === 1 ? `[${node.textContent.trim()}]` : node.textContent)).join(''),
    ),
  );

async function shows(page, where) {
  const names = await seen(page);
  for (const name of ['invoice[RLO]fdp.exe', 'plan[ZWSP].txt', ...HONEST]) assert.ok(names.includes(name), `${where}: ${name} in ${JSON.stringify(names)}`);
  assert.ok(!(await page.locator('body').innerText()).includes('\u202E'), `${where}: nothing turns the direction`);
}

test('hidden characters of names are seen in a folder, a grid, a search, by a link, in the trash and in dialogs', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    for (const name of [LIES, HIDES, ...HONEST]) {
      const answer = await page.request.put(`${own.service.origin}/api/v1/files/in/${encodeURIComponent(name)}`, { data: 'text' });
      assert.equal(answer.status(), 201, name);
    }
    await page.goto(`${own.service.origin}/files/in/`);
    await row(page, 'fdp.exe').waitFor();
    await shows(page, 'folder');
    await sound(page, 'names-folder');
    await page.getByTitle('Hidden character U+202E').first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Select invoice[RLO]fdp.exe' }).count(), 1);

    // The ending is at the end, whatever stands before it.
    const ends = await row(page, 'fdp.exe').locator('bdi').evaluate((name) => {
      const place = (text) => {
        const node = [...name.childNodes].find((one) => one.nodeType === 3 && one.data.includes(text));
        const range = document.createRange();
        range.setStart(node, node.data.indexOf(text));
        range.setEnd(node, node.data.indexOf(text) + text.length);
        return range.getBoundingClientRect().left;
      };
      return place('.exe') > place('fdp') && place('fdp') > place('invoice');
    });
    assert.ok(ends);

    await page.getByRole('button', { name: 'Show as pictures by day' }).click();
    await page.locator('bdi').filter({ hasText: 'fdp.exe' }).first().waitFor();
    await shows(page, 'grid');
    await page.getByRole('button', { name: 'Show as a list' }).click();

    await page.goto(`${own.service.origin}/search?q=txt`);
    await page.getByRole('listitem').filter({ hasText: 'plan' }).waitFor();
    const found = await seen(page);
    for (const name of ['plan[ZWSP].txt', ...HONEST]) assert.ok(found.includes(name), `search: ${name} in ${JSON.stringify(found)}`);
    await sound(page, 'names-search');

    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/in' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    await row(guest, 'fdp.exe').waitFor();
    await shows(guest, 'link of a folder');
    const single = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: `/in/${LIES}` } });
    await guest.goto(`${own.service.origin}/s/${(await single.json()).code}`);
    await guest.getByRole('heading', { name: 'invoice' }).waitFor();
    assert.ok((await seen(guest)).includes('invoice[RLO]fdp.exe'), 'link of a file');
    assert.equal(await guest.getByRole('link', { name: /^Download/ }).getAttribute('download'), LIES, 'it is saved under its name');
    await sound(guest, 'names-link');

    await page.goto(`${own.service.origin}/files/in/`);
    await row(page, 'fdp.exe').click();
    await page.keyboard.press('Delete');
    await page.getByText('to trash').waitFor();
    assert.ok((await seen(page)).includes('Moved “invoice[RLO]fdp.exe” to trash'));
    await page.goto(`${own.service.origin}/trash`);
    await page.getByRole('button', { name: 'Delete “invoice[RLO]fdp.exe” for good' }).click();
    await page.getByRole('dialog', { name: 'Delete “invoice' }).waitFor();
    assert.ok((await seen(page)).includes('Delete “invoice[RLO]fdp.exe” for good'));
    await sound(page, 'names-trash');
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
