// A passkey, from the page that makes it to the sign-in that asks for no name, and to its end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, claim, fits, violations, visitor, world } from './world.mjs';

/** A device that keeps passkeys and asks its owner, who always agrees. */
async function device(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options: { ...options, automaticPresenceSimulation: true } });
  const send = (method, more = {}) => session.send(`WebAuthn.${method}`, { authenticatorId, ...more });
  return {
    agree: (isUserVerified) => send('setUserVerified', { isUserVerified }),
    kept: async () => (await send('getCredentials')).credentials,
  };
}

const card = (page) => page.locator('#passkeys');
const enter = (page) => page.getByRole('button', { name: 'Sign in with a passkey' });

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

async function add(page, label) {
  await card(page).getByRole('button', { name: 'Add a passkey' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password now').fill(PASSWORD);
  await dialog.getByLabel('What it is called').fill(label);
  await dialog.getByRole('button', { name: 'Go on' }).click();
}

test('a passkey is made, signs in without a name, is renamed, and opens nothing once it is removed', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    const held = await device(page);
    await claim(own, page);
    await page.goto(`${own.service.origin}/account`);
    await card(page).getByText('You have no passkey yet.').waitFor();

    // Whoever does not know the password makes none.
    await card(page).getByRole('button', { name: 'Add a passkey' }).click();
    const dialog = page.getByRole('dialog');
    assert.notEqual(await dialog.getByLabel('What it is called').inputValue(), '', 'a name is suggested');
    await dialog.getByLabel('Password now').fill('not the password');
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByText('That is not the password now.').waitFor();
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await add(page, 'My laptop');
    await page.getByText('The passkey “My laptop” is added').waitFor();
    await card(page).getByText('My laptop').waitFor();
    await card(page).getByText('not used yet').waitFor();
    const [kept] = await held.kept();
    assert.equal(kept.rpId, new URL(own.service.origin).hostname);
    assert.ok(kept.isResidentCredential, 'it knows whom it signs in');

    // The same device is not asked to keep a second one.
    await add(page, 'Again');
    await page.getByText('has a passkey for your account already').waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(await violations(page), []);
    await page.setViewportSize({ width: 375, height: 740 });
    await fits(page);
    await page.setViewportSize({ width: 1280, height: 800 });

    // While the device's owner does not agree, nothing opens; then no name is asked for.
    await held.agree(false);
    await signOut(page);
    await enter(page).click();
    await page.getByText('No passkey was chosen, or it took too long.').waitFor();
    assert.deepEqual(await violations(page), []);
    await held.agree(true);
    // It may have been taken where the name is typed meanwhile, which needs no press at all.
    await Promise.race([enter(page).click(), card(page).waitFor()]).catch(() => {});
    await card(page).getByText('My laptop').waitFor();
    await page.waitForFunction(() => document.querySelector('#passkeys')?.textContent.includes('last used'));

    await card(page).getByRole('button', { name: 'Rename the passkey “My laptop”' }).click();
    await page.getByRole('dialog').getByLabel('What it is called').fill('Old laptop');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await card(page).getByText('Old laptop').waitFor();
    await card(page).getByRole('button', { name: 'Remove the passkey “Old laptop”' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await card(page).getByText('You have no passkey yet.').waitFor();

    // The device still has it, and shows it; the service does not take it.
    await held.agree(false);
    await signOut(page);
    await enter(page).waitFor();
    await held.agree(true);
    await Promise.race([enter(page).click(), page.getByText('This passkey opens no account here').waitFor()]);
    await page.getByText('This passkey opens no account here').waitFor();
    assert.deepEqual(page.complaints, []);
  });
});

test('where no passkey can work, the page says why and offers none', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const bare = own.service.origin.replace('localhost', '127.0.0.1');
    await page.goto(`${bare}/account`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await enter(page).count(), 0);
    await page.getByLabel('Name').fill('alice');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await card(page).getByText('you have reached this one by a number').waitFor();
    assert.equal(await card(page).getByRole('button', { name: 'Add a passkey' }).count(), 0);
    assert.deepEqual(page.complaints, []);
  });
});
