// A second factor, from the page that turns it on to the printed code that opens once.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { totp } from './totp.mjs';
import { PASSWORD, claim, visitor, world } from './world.mjs';

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** Name and password, up to where the code is asked for. */
async function knock(page) {
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Second step' }).waitFor();
}

async function show(page, code) {
  const field = page.getByLabel('Code', { exact: true });
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  await field.fill(code);
  await page.keyboard.press('Enter');
}

test('a second factor is turned on, asked for, and a one-time code opens once', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await page.goto(`${own.service.origin}/account`);
    await page.getByRole('button', { name: 'Turn on' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('img', { name: /QR code/ }).waitFor();
    const secret = (await dialog.getByRole('group', { name: 'Secret' }).textContent()).trim();
    await dialog.getByLabel('Password now').fill(PASSWORD);
    await dialog.getByLabel('Six digits of the app').fill('000000');
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    await dialog.getByText('These digits do not fit the secret').waitFor();
    await dialog.getByLabel('Six digits of the app').fill(totp(secret));
    await dialog.getByRole('button', { name: 'Turn on' }).click();

    await page.getByRole('heading', { name: 'Your one-time codes' }).waitFor();
    const codes = await dialog.locator('code').allTextContents();
    assert.equal(new Set(codes).size, 10);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as a file' }).click()]);
    const sheet = await readFile(await file.path(), 'utf8');
    assert.ok(codes.every((code) => sheet.includes(code)), 'the file has every code');
    for (let tries = 0; tries < 3; tries++) await page.keyboard.press('Escape');
    await dialog.getByText('Keep the codes first.').waitFor();
    await dialog.getByLabel('I have kept them').check();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByText('10 one-time codes left').waitFor();

    await signOut(page);
    await knock(page);
    await show(page, 'abcd-efgh-jkmn-pqrs');
    await page.getByText('This code is wrong, or was used already.').waitFor();
    // The digits that turned it on are used; those that come next are not.
    await show(page, totp(secret, 1));
    await page.getByText('Every sign-in asks for a code.').waitFor();

    await signOut(page);
    await knock(page);
    await show(page, codes[0]);
    await page.getByText('9 one-time codes left').waitFor();
    await signOut(page);
    await knock(page);
    await show(page, codes[0]);
    await page.getByText('This code is wrong, or was used already.').waitFor();
    await show(page, codes[1]);
    await page.getByText('8 one-time codes left').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});
