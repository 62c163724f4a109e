// A folder with far more entries than a window shows: few elements are in the page, and each row is the entry that it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, row, violations, visitor, world } from './world.mjs';

const FILES = 1_500;
/** Elements of the whole page, however long the folder is. */
const ELEMENTS_MAX = 1_200;

/** Puts files as the page's own requests do, some at once. */
async function fill(page) {
  await page.evaluate(async (count) => {
    let next = 0;
    const put = async () => {
      while (next < count) {
        const number = next++;
        const answer = await fetch(`/api/v1/files/long/file%20${String(number).padStart(4, '0')}.txt`, { method: 'PUT', body: `${number}` });
        if (answer.status !== 201) throw new Error(`file ${number}: ${answer.status}`);
      }
    };
    await Promise.all(Array.from({ length: 6 }, put));
  }, FILES);
}

/** The numbers of the rows in the document, in its order. */
const numbers = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('[role=grid] [role=rowgroup] [role=row]')].map((row) => Number(/file (\d+)/.exec(row.textContent)[1])),
  );

test('fifteen hundred files are a list that scrolls, and what is picked stays picked', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await fill(page);
    await page.goto(`${own.service.origin}/files/long`);
    await row(page, 'file 0000.txt').waitFor();
    const elements = () => page.evaluate(() => document.querySelectorAll('*').length);
    assert.ok((await elements()) < ELEMENTS_MAX, `${await elements()} elements`);

    // One is picked by its button, which then has the focus.
    await row(page, 'file 0002.txt').getByRole('button', { name: 'Select file 0002.txt' }).click();
    await page.mouse.move(640, 500);
    for (let turn = 0; turn < 40; turn++) await page.mouse.wheel(0, 700);
    await page.waitForFunction(() => Number(/file (\d+)/.exec(document.querySelector('[role=rowgroup] [role=row]')?.textContent ?? '')?.[1]) > 100);
    assert.equal(await page.locator('[role=row][aria-selected=true]').count(), 0, 'what is picked is far above');
    const focused = await page.evaluate(() => document.activeElement?.closest('[role=row]')?.textContent ?? null);
    assert.equal(focused, null, 'a row that came into sight has no focus that was another one’s');

    // When scrolling has ended, rows are read in the order in which they are seen, each at its place.
    await page.waitForFunction(() => {
      const rows = [...document.querySelectorAll('[role=grid] [role=rowgroup] [role=row]')];
      const places = rows.map((row) => row.getBoundingClientRect().top);
      return places.every((place, at) => at === 0 || place > places[at - 1]);
    });
    const seen = await numbers(page);
    assert.deepEqual(seen, seen.map((_, at) => seen[0] + at));
    assert.ok((await elements()) < ELEMENTS_MAX, `${await elements()} elements`);
    assert.deepEqual(await violations(page), []);

    await page.locator('[role=grid] .scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    await row(page, 'file 0002.txt').waitFor();
    assert.equal(await row(page, 'file 0002.txt').getAttribute('aria-selected'), 'true');
    assert.equal(await page.locator('[role=row][aria-selected=true]').count(), 1);

    // The end is reached by one key, once everything is loaded.
    await page.getByRole('grid').focus();
    for (let tries = 0; !(await row(page, `file ${FILES - 1}.txt`).isVisible()); tries++) {
      assert.ok(tries < 50, 'the last file never came');
      await page.keyboard.press('End');
      await page.waitForTimeout(50);
    }
    assert.ok((await elements()) < ELEMENTS_MAX, `${await elements()} elements`);
    assert.deepEqual(page.complaints, []);
  });
});
