// Finding what is there: by the order of a folder, and by a word of its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, row, visitor, world } from './world.mjs';

const FILES = { 'b/deep/autumn letter.txt': 30, 'a.txt': 200, 'b/letter.md': 9, 'c.txt': 10, 'd.txt': 3000 };

async function fill(own, page) {
  for (const [path, length] of Object.entries(FILES)) {
    const data = path.endsWith('.md') ? '# Letter\n' : 'x'.repeat(length);
    const answer = await page.request.put(`${own.service.origin}/api/v1/files/${encodeURI(path)}`, { data });
    assert.equal(answer.status(), 201, path);
  }
  await page.goto(`${own.service.origin}/`);
  await row(page, 'd.txt').waitFor();
}

const names = (page) => page.locator('[role=row] .name').allTextContents();

/** Waits until the rows stand in an order. */
async function inOrder(page, wanted) {
  for (let tries = 0; tries < 200; tries++) {
    if (JSON.stringify((await names(page)).map((name) => name.trim())) === JSON.stringify(wanted)) return;
    await page.waitForTimeout(50);
  }
  assert.deepEqual(await names(page), wanted);
}

test('a folder is sorted by its heads, for its owner and for a guest, and the browser remembers it', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await fill(own, page);
    await inOrder(page, ['a.txt', 'b', 'c.txt', 'd.txt']);
    const size = page.getByRole('columnheader', { name: 'Size' });
    await size.getByRole('button').click();
    await inOrder(page, ['d.txt', 'a.txt', 'c.txt', 'b']);
    assert.equal(await size.getAttribute('aria-sort'), 'descending');
    assert.match(page.url(), /\?sort=-size$/);
    await size.getByRole('button').click();
    await inOrder(page, ['b', 'c.txt', 'a.txt', 'd.txt']);
    assert.equal(await size.getAttribute('aria-sort'), 'ascending');
    await page.goto(`${own.service.origin}/`);
    await inOrder(page, ['b', 'c.txt', 'a.txt', 'd.txt']);
    await page.setViewportSize({ width: 375, height: 740 });
    await page.getByRole('button', { name: 'Smallest first' }).click();
    await page.getByRole('menuitemradio', { name: 'Name, from Z' }).click();
    await inOrder(page, ['d.txt', 'c.txt', 'b', 'a.txt']);

    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/b' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    await inOrder(guest, ['deep', 'letter.md']);
    await guest.getByRole('columnheader', { name: 'Size' }).getByRole('button').click();
    await inOrder(guest, ['letter.md', 'deep']);
    assert.match(guest.url(), /\?sort=-size$/);
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('a word of a name finds it, in the viewer and in its folder', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await fill(own, page);
    await page.keyboard.press('/');
    await page.keyboard.type('LETTER');
    await page.keyboard.press('Enter');
    await page.getByText('2 found').waitFor();
    assert.match(page.url(), /\/search\?q=LETTER$/);
    await page.getByText(/looked at \d+ names/).waitFor();
    await page.getByRole('link', { name: 'letter.md', exact: true }).click();
    // Laid out in a frame that may do nothing.
    await page.frameLocator('iframe[sandbox=""]').getByRole('heading', { name: 'Letter' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Larger than').selectOption({ index: 1 });
    await page.getByText('Nothing was found').waitFor();
    await page.getByRole('button', { name: 'Search everywhere, without filters' }).click();
    await page.getByText('2 found').waitFor();
    await page.getByRole('link', { name: '/b/deep' }).click();
    await row(page, 'autumn letter.txt').waitFor();
    assert.match(page.url(), /\/files\/b\/deep\//);
    assert.deepEqual(page.complaints, []);
  });
});
