// Looking at photos: small pictures in lists, the grid by day with its months, the viewer, and a guest's link.
import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, row, visitor, world } from './world.mjs';

/** Days at noon, newest first, so that no zone moves them into another; each has two photos. */
const DAYS = ['2026-03-14', '2026-03-13', '2026-02-20', '2025-12-24', '2025-07-01'];

/** A real JPEG of the browser's own making. */
async function jpeg(page, hue) {
  const bytes = await page.evaluate(async (of) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1600, height: 1000 });
    const context = canvas.getContext('2d');
    context.fillStyle = `hsl(${of} 60% 60%)`;
    context.fillRect(0, 0, 1600, 1000);
    context.fillStyle = '#234';
    context.fillRect(200, 600, 1200, 400);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.8));
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, hue);
  return Buffer.from(bytes);
}

/** The folder *Trip* with photos of several days and one file that only says that it is one. */
async function fill(own, page) {
  const answer = await page.request.post(`${own.service.origin}/api/v1/files/Trip`, { data: { action: 'mkdir' } });
  assert.ok(answer.ok());
  await page.goto(`${own.service.origin}/files/Trip/`);
  await page.getByText('Nothing here yet').waitFor();
  const folder = join(own.folder, 'photos');
  await mkdir(folder);
  const paths = [];
  const keep = async (name, bytes, time) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    await utimes(path, new Date(time), new Date(time));
    paths.push(path);
  };
  for (const [index, day] of DAYS.entries())
    for (const which of [1, 2]) await keep(`${day} ${which}.jpg`, await jpeg(page, index * 70 + which * 20), `${day}T12:0${which}:00Z`);
  await keep('broken.jpg', 'this is no picture', '2025-07-01T11:00:00Z');
  await choose(page, paths);
  await page.getByText(`${paths.length} files uploaded`).waitFor();
  // The tray lies above the corner that is looked at next.
  await page.getByRole('button', { name: 'Clear finished' }).click();
  await page.reload();
}

const cell = (page, name) => page.getByRole('gridcell', { name, exact: true });
const pictures = (page) => page.getByRole('dialog').locator('figure img');

/** Waits until an image has come, and gives its longer side. */
async function side(image) {
  await image.waitFor();
  return image.evaluate(async (of) => {
    await of.decode();
    return Math.max(of.naturalWidth, of.naturalHeight);
  });
}

test('photos are seen in the list, by day, month by month, one by one, and by a guest', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await fill(own, page);

    // The list has them small, and an icon for what is none.
    const small = row(page, '2026-03-14 1.jpg').locator('img.come');
    assert.ok((await side(small)) <= 256);
    await row(page, 'broken.jpg').locator('svg').first().waitFor();
    assert.equal(await row(page, 'broken.jpg').locator('img').count(), 0);

    // The grid has them by day, newest first.
    await page.getByRole('button', { name: 'Show as pictures by day' }).click();
    await cell(page, '2026-03-14 2.jpg').locator('img.come').waitFor();
    assert.match(page.url(), /[?&]view=grid/);
    const days = page.getByRole('rowheader');
    assert.match(await days.nth(0).textContent(), /March 14, 2026/);
    assert.match(await days.nth(1).textContent(), /March 13, 2026/);
    const shown = await page.getByRole('gridcell').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    assert.deepEqual(shown.slice(0, 4), ['2026-03-14 2.jpg', '2026-03-14 1.jpg', '2026-03-13 2.jpg', '2026-03-13 1.jpg']);

    // The months at its edge, by keys.
    const months = page.getByRole('slider', { name: 'Month that is shown' });
    assert.equal(await months.getAttribute('aria-valuetext'), 'March 2026');
    await months.focus();
    await page.keyboard.press('ArrowDown');
    await page.locator('[role=slider][aria-valuetext="February 2026"]').waitFor();
    await page.keyboard.press('End');
    await page.locator('[role=slider][aria-valuetext="July 2025"]').waitFor();
    // What is no picture is a card with its name.
    await cell(page, 'broken.jpg').getByText('broken.jpg').waitFor();

    // Keys go across and down: from the first to the one below it.
    await page.getByRole('grid').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const current = await page.getByRole('grid').getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`#${current}`).getAttribute('aria-label'), '2026-03-13 1.jpg');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');

    // The viewer ends with the original, and turns by arrows.
    const original = (name) => page.locator(`dialog figure img[alt="${name}"][src*="/api/v1/files/"]`);
    assert.equal(await side(original('2026-03-14 2.jpg')), 1600);
    await page.keyboard.press('ArrowRight');
    assert.equal(await side(original('2026-03-14 1.jpg')), 1600);
    assert.match(page.url(), /open=2026-03-14%201\.jpg/);
    await page.keyboard.press('i');
    await page.getByText('1600 × 1000').waitFor();
    await page.getByText('The picture says nothing of a camera.').waitFor();
    await page.keyboard.press('ArrowLeft');
    await side(original('2026-03-14 2.jpg'));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByText(/It cannot be shown/).waitFor();
    await page.keyboard.press('Escape');

    // This browser remembers the grid.
    await page.goto(`${own.service.origin}/`);
    await cell(page, 'Trip').waitFor();
    assert.match(page.url(), /\?view=grid$/);

    // A guest's link to photos opens as a grid, and turns to a list.
    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/Trip' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    assert.ok((await side(cell(guest, '2026-03-14 1.jpg').locator('img.come'))) <= 256);
    await cell(guest, '2026-03-14 1.jpg').dblclick();
    await side(pictures(guest).first());
    await guest.keyboard.press('Escape');
    await guest.getByRole('button', { name: 'Show as a list' }).click();
    await row(guest, 'broken.jpg').waitFor();
    assert.match(guest.url(), /view=list/);
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
