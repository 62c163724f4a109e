// Mail: an address is confirmed, signs in, brings a new password; invitations go by it, or say why not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, mailbox } from './others.mjs';
import { PASSWORD, claim, fits, violations, visitor, world } from './world.mjs';

const ALICE = 'alice@example.org';
const NEXT = 'another horse battery';

/** The address in a mail, as whoever reads it opens it. */
function opened(own, { text }, view) {
  const found = new RegExp(`http://[^\\s"<>]*/(${view}[/#][^\\s"<>]+)`).exec(text);
  assert.ok(found, `no address of ${view} in: ${text}`);
  return `${own.service.origin}/${found[1]}`;
}

const table = (own, box) => `[mail]\nserver = "smtp+plain://127.0.0.1:${box.port}"\nfrom = "files@example.org"\naddress = "${own.service.origin}"\n`;

test('a mail address is confirmed, signs in, and brings a new password', async () => {
  const box = await mailbox();
  try {
    await world(async (own) => {
      const page = await visitor(own);
      await claim(own, page);
      const card = page.locator('#mail');

      // Without mail, nothing of it is offered.
      const guest = await visitor(own);
      await guest.goto(own.service.origin);
      await guest.getByText('Accounts are made by invitation.').waitFor();
      assert.equal(await guest.getByRole('link', { name: 'Forgotten password?' }).count(), 0);
      await guest.goto(`${own.service.origin}/forgot`);
      await guest.getByText('This service sends no mail.').waitFor();
      await page.goto(`${own.service.origin}/service`);
      await page.getByText('This service sends no mail.').waitFor();

      await configure(own, table(own, box));
      await page.goto(`${own.service.origin}/account`);
      await card.getByLabel('Mail address').fill(ALICE);
      await card.getByLabel('Password now').fill('not the password');
      await card.getByRole('button', { name: 'Send a code there' }).click();
      await card.getByText('That is not the password now.').waitFor();
      await card.getByLabel('Password now').fill(PASSWORD);
      await card.getByRole('button', { name: 'Send a code there' }).click();
      await card.getByText('not confirmed yet').waitFor();
      assert.deepEqual(await violations(page), []);
      await page.setViewportSize({ width: 375, height: 740 });
      await fits(page);
      await page.setViewportSize({ width: 1280, height: 800 });

      await guest.goto(opened(own, await box.mail(ALICE, /mail[/#]/), 'mail'));
      await guest.getByRole('button', { name: 'Confirm' }).click();
      await guest.getByRole('heading', { name: 'Confirmed' }).waitFor();
      assert.deepEqual(await violations(guest), []);
      await guest.goto(`${own.service.origin}/mail#no-such-code`);
      await guest.getByRole('button', { name: 'Confirm' }).click();
      await guest.getByText('This code is used up, expired or incomplete.').waitFor();
      await page.reload();
      await card.getByText('· confirmed').waitFor();

      // The operator's test, tried at once.
      await page.goto(`${own.service.origin}/service`);
      await page.getByRole('button', { name: 'Send a test mail' }).click();
      await page.getByText(`The mail server has taken the test mail to ${ALICE}`).waitFor();

      // Forgotten: asked for by the address, set, and signed in with.
      await guest.goto(own.service.origin);
      await guest.getByLabel('Name or mail address').waitFor();
      await guest.getByRole('link', { name: 'Forgotten password?' }).click();
      await guest.getByLabel('Name or mail address').fill(ALICE);
      await guest.getByRole('button', { name: 'Send the mail' }).click();
      await guest.getByRole('heading', { name: 'Look at your mail' }).waitFor();
      assert.deepEqual(await violations(guest), []);
      await guest.goto(opened(own, await box.mail(ALICE, /reset[/#]/), 'reset'));
      await guest.locator('input[type=password]').first().waitFor();
      for (const field of await guest.locator('input[type=password]').all()) await field.fill(NEXT);
      await guest.locator('form').getByRole('button').click();
      await guest.getByText('Nothing here yet').waitFor();
      await guest.goto(`${own.service.origin}/account`);
      await guest.getByRole('button', { name: 'Sign out', exact: true }).click();
      await guest.getByLabel('Name or mail address').fill(ALICE);
      await guest.getByLabel('Password').fill(NEXT);
      await guest.getByRole('button', { name: 'Sign in', exact: true }).click();
      await guest.locator('#mail').getByText(ALICE).waitFor();
      for (const one of [page, guest]) assert.deepEqual(one.complaints, []);
    });
  } finally {
    box.end();
  }
});

test('an invitation goes by mail, or says why it did not and can be copied', async () => {
  const box = await mailbox();
  try {
    await world(async (own) => {
      const page = await visitor(own);
      await claim(own, page);
      await configure(own, table(own, box));
      await page.goto(`${own.service.origin}/people`);
      const dialog = page.getByRole('dialog');
      const to = page.getByLabel('Mail address (optional)');
      await to.fill('bob@example.org');
      await page.getByRole('button', { name: 'Invite' }).click();
      await dialog.getByText('The invitation is on its way to bob@example.org.').waitFor();
      assert.deepEqual(await violations(page), []);
      await dialog.getByRole('button', { name: 'Close' }).click();
      const bob = await visitor(own);
      await bob.goto(opened(own, await box.mail('bob@example.org', /join[/#]/), 'join'));
      await bob.getByLabel('Name').fill('bob');
      for (const field of await bob.locator('input[type=password]').all()) await field.fill(PASSWORD);
      await bob.getByRole('button', { name: 'Make account' }).click();
      await bob.getByText('Nothing here yet').waitFor();

      // Nobody can be drowned in invitations: after some, the next one is for the operator to hand on.
      const flood = (mail) =>
        page.evaluate(async (address) => {
          const body = JSON.stringify({ role: 'user', days: 7, mail: address });
          const answer = await fetch('api/v1/invitations', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
          return (await answer.json()).mailed;
        }, mail);
      for (let tries = 0; tries < 20 && (await flood('refused@example.org')); tries++);
      await to.fill('refused@example.org');
      await page.getByRole('button', { name: 'Invite' }).click();
      await dialog.getByText('could not be mailed to refused@example.org').waitFor();
      const address = await dialog.getByLabel('Copy it and send it yourself').inputValue();
      assert.match(address, /\/join#/);
      for (const one of [page, bob]) assert.deepEqual(one.complaints, []);
    });
  } finally {
    box.end();
  }
});
