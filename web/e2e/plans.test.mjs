// Plans: the operator makes them as people write sizes, gives them to accounts, and everybody reads what holds.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, fits, noise, row, violations, visitor, world } from './world.mjs';

const part = (name, length) => ({ name, mimeType: 'application/octet-stream', buffer: noise(name.length, length) });

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
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

async function invited(own, page, name) {
  const answer = await page.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 1 } });
  const other = await visitor(own);
  await claim({ service: { page: `${own.service.origin}/join#${(await answer.json()).code}` } }, other, name);
  return other;
}

test('a plan is made, given, felt and taken away again', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const bob = await invited(own, page, 'bob');

    await page.goto(`${own.service.origin}/people`);
    await page.getByRole('link', { name: 'Make and change plans' }).click();
    await page.getByText('There is no plan yet').waitFor();
    assert.match(page.url(), /\/plans$/);
    await page.getByRole('button', { name: 'New plan' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Small');
    await dialog.getByLabel('Space', { exact: true }).fill('lots');
    await dialog.getByLabel('Largest file').fill('0,5 MB');
    await dialog.getByText('Write a number and its unit').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    assert.equal(await dialog.count(), 1, 'what cannot be read is not saved');
    await dialog.getByLabel('Space', { exact: true }).fill('10 gb');
    await dialog.getByLabel('A file stays, in days').fill('30 days');
    await dialog.getByLabel('Traffic of links, in a day').fill('300 kB per day');
    await dialog.getByLabel('Speed for guests, in a second').fill('2 MB/s');
    await pictures(page, 'plan-dialog');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('10 GB of space · files up to 500 kB · kept for 30 days · 300 kB a day by links · 2 MB/s for guests').waitFor();
    const { plans } = await (await page.request.get(`${own.service.origin}/api/v1/plans`)).json();
    assert.deepEqual(plans, [
      { name: 'Small', space_bytes: 1e10, file_bytes: 5e5, keep_days: 30, link_bytes_per_day: 3e5, guest_bytes_per_s: 2e6, accounts: 0 },
    ]);
    await pictures(page, 'plans');

    await page.goto(`${own.service.origin}/people`);
    await page.getByRole('button', { name: 'Space for bob' }).click();
    await page.getByRole('dialog').getByLabel('Plan', { exact: true }).selectOption('Small');
    await page.getByLabel('As the plan says: 10 GB').waitFor();
    await pictures(page, 'plan-for-account');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('bob now has the plan Small').waitFor();
    await page.getByText('· plan Small').waitFor();

    // Bob reads it, and feels it before a byte goes.
    await bob.goto(`${own.service.origin}/account`);
    await bob.getByText('Your plan is “Small”.').waitFor();
    await bob.getByText('A file may be up to 500 kB large.').waitFor();
    await bob.getByText('A file stays for 30 days after it was stored').waitFor();
    await bob.getByText('Others may fetch 300 kB a day by your links; 0 bytes of it went out today.').waitFor();
    await bob.getByText('Guests of your links together download at up to 2 MB per second.').waitFor();
    await pictures(bob, 'allowance');
    await bob.goto(own.service.origin);
    await bob.getByText('Nothing here yet').waitFor();
    let began = 0;
    bob.on('request', (asked) => (began += /\/uploads\//.test(asked.url()) ? 1 : 0));
    await choose(bob, [part('large.bin', 600_000)]);
    await bob.getByText('This file is larger than the 500 kB that your plan allows for one file.').first().waitFor();
    assert.equal(began, 0, 'not even announced');
    await choose(bob, [part('fits.bin', 400_000)]);
    await bob.getByText('1 file uploaded').waitFor();
    await row(bob, 'fits.bin').first().click({ button: 'right' });
    await bob.getByRole('menuitem', { name: 'Details' }).click();
    await bob.getByText(/Stays until .+, then it goes to the trash/).waitFor();

    // Whoever comes by a link when the day's traffic is used up is told when it goes on.
    const share = await bob.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/fits.bin' } });
    const { code } = await share.json();
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${code}`);
    const [download] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: /^Download/ }).click()]);
    assert.equal(await download.failure(), null);
    // What went out is counted a moment after it went.
    const pause = guest.getByRole('heading', { name: 'Downloads pause for a while' });
    for (let tries = 0; tries < 40 && (await pause.count()) === 0; tries += 1) {
      await guest.reload();
      await guest.getByRole('heading').first().waitFor();
      await pause.waitFor({ timeout: 500 }).catch(() => {});
    }
    await guest.getByRole('heading', { name: 'Downloads pause for a while' }).waitFor();
    await guest.getByText('As much was downloaded by links of bob today').waitFor();
    await guest.getByText(/It goes on at .+\d:\d\d/).waitFor();
    await pictures(guest, 'link-rests');
    await bob.goto(`${own.service.origin}/account`);
    await bob.getByText('Today’s traffic is used up').waitFor();

    // A plan that somebody has stays.
    await page.goto(`${own.service.origin}/plans`);
    await page.getByRole('button', { name: 'Remove the plan Small' }).click();
    await page.getByText('1 account has this plan.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.goto(`${own.service.origin}/people`);
    await page.getByRole('button', { name: 'Space for bob' }).click();
    await page.getByRole('dialog').getByLabel('Plan', { exact: true }).selectOption('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('bob has no plan now').waitFor();
    await page.goto(`${own.service.origin}/plans`);
    await page.getByRole('button', { name: 'Change the plan Small' }).click();
    await page.getByLabel('Largest file').fill('');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('10 GB of space · kept for 30 days').waitFor();

    // New accounts get it where anybody may join.
    await page.goto(`${own.service.origin}/service`);
    await page.getByLabel('Anybody').check();
    await page.getByLabel('Plan for each new account').selectOption('Small');
    const [saved] = await Promise.all([
      page.waitForResponse((one) => one.url().endsWith('/api/v1/service') && one.request().method() === 'PATCH'),
      page.locator('.card').filter({ has: page.getByRole('heading', { name: 'Who may join' }) }).getByRole('button', { name: 'Save' }).click(),
    ]);
    assert.equal((await saved.json()).new_plan, 'Small');
    await page.goto(`${own.service.origin}/plans`);
    await page.getByRole('button', { name: 'Remove the plan Small' }).click();
    await page.getByText('New accounts get this plan.').waitFor();
    await page.keyboard.press('Escape');
    await page.request.patch(`${own.service.origin}/api/v1/service`, { data: { new_plan: null } });
    await page.reload();
    await page.getByRole('button', { name: 'Remove the plan Small' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('There is no plan yet').waitFor();
    assert.deepEqual([...page.complaints, ...bob.complaints, ...guest.complaints], []);
  });
});
