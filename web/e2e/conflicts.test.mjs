// Names that are taken: what is asked once, what each answer does, and that nothing is left out unsaid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, claim, get, row, sound, visitor, world } from './world.mjs';

const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
const text = async (own, page, path) => (await page.request.get(`${own.service.origin}/api/v1/files/${encodeURI(path)}`)).text();
const texts = (own, page, names) => Promise.all(names.map((name) => text(own, page, name)));
const listed = async (own, page) => (await get(own, page, 'files/')).entries.map(({ name }) => name);

async function asked(page, name) {
  const dialog = page.getByRole('dialog', { name: 'This name is taken' });
  await dialog.getByText(`“${name}” already exists in Files.`).waitFor();
  return dialog;
}

test('a name that is taken is asked about, one by one or for all, and the count tells of those that were skipped', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [file('a.txt', 'old a'), file('b.txt', 'old b')]);
    await page.getByText('2 files uploaded').waitFor();
    await page.getByRole('button', { name: 'Clear finished' }).click();

    // One by one: the first stays as it is, the second becomes a new version.
    await choose(page, [file('a.txt', 'new a'), file('b.txt', 'new b'), file('c.txt', 'new c')]);
    await (await asked(page, 'a.txt')).getByRole('button', { name: 'Skip' }).click();
    await (await asked(page, 'b.txt')).getByRole('button', { name: 'Replace as a new version' }).click();
    await page.getByText('2 files uploaded').waitFor();
    await page.getByText('1 skipped', { exact: true }).waitFor();
    assert.deepEqual(await texts(own, page, ['a.txt', 'b.txt', 'c.txt']), ['old a', 'new b', 'new c']);
    await row(page, 'c.txt').waitFor();
    await sound(page, 'conflicts-skipped');
    await page.getByRole('button', { name: 'Details' }).click();
    await row(page, 'b.txt').click();
    await page.getByRole('button', { name: 'Go back to this' }).waitFor();
    await page.getByRole('complementary', { name: 'Details' }).getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Clear selection' }).click();
    await page.getByRole('button', { name: 'Clear finished' }).click();

    // For all: one answer is enough.
    const three = (words) => ['a', 'b', 'c'].map((name) => file(`${name}.txt`, `${words} ${name}`));
    const all = async (words, answer) => {
      await choose(page, three(words));
      const dialog = await asked(page, 'a.txt');
      await dialog.getByRole('checkbox', { name: 'Do this for up to 2 more' }).check();
      await dialog.getByRole('button', { name: answer }).click();
    };
    await all('next', 'Replace as a new version');
    await page.getByText('3 files uploaded').waitFor();
    assert.deepEqual(await texts(own, page, ['a.txt', 'b.txt', 'c.txt']), ['next a', 'next b', 'next c']);
    await page.getByRole('button', { name: 'Clear finished' }).click();
    await all('lost', 'Skip');
    await page.getByText('Nothing was uploaded: 3 files were skipped, since the name was taken').waitFor();
    assert.deepEqual(await texts(own, page, ['a.txt', 'b.txt', 'c.txt']), ['next a', 'next b', 'next c']);
    await all('more', 'Keep both');
    await page.getByText('3 files uploaded').waitFor();
    assert.deepEqual(await texts(own, page, ['a.txt', 'a (2).txt', 'c (2).txt']), ['next a', 'more a', 'more c']);

    // Moving says the same: what was skipped is not counted as moved.
    assert.ok((await page.request.put(`${own.service.origin}/api/v1/files/below/a.txt`, { data: 'below' })).ok());
    await page.reload();
    await row(page, 'below').waitFor();
    await row(page, 'a.txt').click();
    await row(page, 'c.txt').click({ modifiers: ['Control'] });
    await page.keyboard.press('Control+x');
    await page.getByText('2 entries ready to move').waitFor();
    await row(page, 'below').dblclick();
    await row(page, 'a.txt').waitFor();
    await page.keyboard.press('Control+v');
    await page.getByRole('dialog').getByRole('button', { name: 'Skip' }).click();
    await page.getByText('Moved 1 entry to below · 1 entry skipped, since the name was taken').waitFor();
    assert.equal(await text(own, page, 'below/a.txt'), 'below');
    assert.deepEqual(await listed(own, page), ['a (2).txt', 'a.txt', 'b (2).txt', 'b.txt', 'below', 'c (2).txt']);
    assert.deepEqual(page.complaints, []);
  });
});
