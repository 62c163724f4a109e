// A file without an account: the operator allows it, a stranger sends one, another opens it, and the sender removes it.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choices, claim, fits, noise, slow, violations, visitor, world } from './world.mjs';

async function pictures(page, name) {
  assert.deepEqual(await violations(page), [], name);
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 375]) {
      await page.setViewportSize({ width, height: 900 });
      await fits(page);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

const card = (page, heading) => page.locator('.card').filter({ has: page.getByRole('heading', { name: heading, exact: true }) });

/** The operator allows it, with limits as people write them. */
async function allow(own, page) {
  await page.request.patch(`${own.service.origin}/api/v1/service`, { data: { contact: 'Ask jo@example.org.', terms: '# Rules' } });
  await page.goto(`${own.service.origin}/service`);
  const quick = card(page, 'Sending without an account');
  await quick.getByLabel(/Whoever finds this page/).check();
  await quick.getByLabel('Largest file').fill('30 MB');
  await quick.getByLabel('A link lasts at most, in days').fill('5');
  await quick.getByLabel('All of them together take at most').fill('1 GB');
  await quick.getByLabel('In a day there come at most').fill('1 GB');
  await pictures(page, 'quick-operator');
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith('/api/v1/service') && one.request().method() === 'PATCH'),
    quick.getByRole('button', { name: 'Save' }).click(),
  ]);
  const { quick: said } = await answer.json();
  assert.equal(said.file_bytes, 30e6);
  assert.equal(said.days_max, 5);
}

test('a stranger sends a file through a reload, gives its link away, and removes it', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const before = await visitor(own);
    await before.goto(`${own.service.origin}/quick`);
    await before.getByRole('heading', { name: 'Nothing can be sent here without an account' }).waitFor();
    await allow(own, page);

    const guest = await visitor(own);
    await guest.goto(own.service.origin);
    await guest.getByRole('link', { name: 'Send a file without an account' }).click();
    await guest.getByText('One file of up to 30 MB.').waitFor();
    assert.match(guest.url(), /\/quick$/);
    await guest.getByText('jo@example.org').first().waitFor();
    await guest.getByRole('link', { name: 'terms of this service' }).waitFor();
    await pictures(guest, 'quick');

    const film = noise(7, 8_000_000);
    const at = join(own.folder, 'film.bin');
    await writeFile(at, film);
    await writeFile(join(own.folder, 'large.bin'), noise(8, 31_000_000));
    await choices(guest, 'Choose a file', join(own.folder, 'large.bin'));
    await guest.getByText('This file is too large: up to 30 MB can be sent here without an account.').waitFor();

    await guest.getByLabel('The link ends after').selectOption('3');
    const quickly = await slow(guest, 500_000);
    await choices(guest, 'Choose a file', at);
    await guest.getByText('Leave this page open until everything is sent.').waitFor();
    await guest.locator('.tray progress').waitFor();
    await guest.waitForFunction(() => document.querySelector('.tray progress')?.value > 5);
    await pictures(guest, 'quick-sending');
    guest.once('dialog', (asked) => void asked.accept());
    await guest.reload();
    await quickly();
    await guest.getByText('1 upload was cut off when the page closed.').waitFor();
    await choices(guest, 'Choose a file', at);
    await guest.getByRole('heading', { name: 'film.bin is sent' }).waitFor();
    await guest.getByText(/The link ends on .+ and the file is deleted then\./).waitFor();
    await guest.getByRole('button', { name: 'Show as a QR code' }).click();
    await guest.getByRole('img', { name: 'QR code of the link to film.bin' }).waitFor();
    await pictures(guest, 'quick-sent');
    const address = await guest.getByLabel('Link', { exact: true }).inputValue();
    const removal = await guest.getByLabel('Address for removing').inputValue();
    assert.match(removal, /\/quick#[^/]+\/.+/);

    const friend = await visitor(own);
    await friend.goto(address);
    await friend.getByRole('heading', { name: 'film.bin' }).waitFor();
    await friend.getByText('Sent without an account').waitFor();
    await friend.getByRole('navigation', { name: 'About this service' }).getByRole('link', { name: 'Terms' }).waitFor();
    const [download] = await Promise.all([friend.waitForEvent('download'), friend.getByRole('link', { name: /^Download/ }).click()]);
    assert.ok(film.equals(await readFile(await download.path())), 'what comes is what was sent');
    await pictures(friend, 'quick-link');

    // Whoever has the address for removing needs nothing else; a wrong one removes nothing.
    const later = await visitor(own);
    await later.goto(`${removal.slice(0, -4)}0000`);
    await later.getByRole('button', { name: 'Remove the file' }).click();
    await later.getByText('There is no such file.').waitFor();
    await later.goto(removal);
    await later.getByRole('button', { name: 'Remove the file' }).click();
    await later.getByText('The file is removed. Its link is dead.').waitFor();
    await pictures(later, 'quick-removed');
    await friend.reload();
    await friend.getByRole('heading', { name: /This link has ended|There is no such link/ }).waitFor();

    await page.goto(`${own.service.origin}/service`);
    await card(page, 'Sending without an account').getByLabel(/Whoever finds this page/).uncheck();
    await card(page, 'Sending without an account').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. It holds from now on.').waitFor();
    await guest.getByRole('button', { name: 'Send another file' }).click();
    await choices(guest, 'Choose a file', at);
    await guest.getByText('Nothing can be sent here without an account').first().waitFor();
    assert.deepEqual([page, before, guest, friend, later].flatMap(({ complaints }) => complaints), []);
  });
});
