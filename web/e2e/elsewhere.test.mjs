// Signing in elsewhere: an account is tied to it, entered by it, untied again; and what is said when it does not work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, issuer } from './others.mjs';
import { PASSWORD, claim, fits, violations, visitor, world } from './world.mjs';

test('an account is tied to a sign-in elsewhere, entered by it and untied', async () => {
  const school = await issuer('a secret of the story');
  try {
    await world(async (own) => {
      const page = await visitor(own);
      await claim(own, page);
      await configure(own, await school.table(own.folder, 'sign_up = false\n'));
      const at = (path) => page.goto(`${own.service.origin}${path}`);

      // Whoever is tied to nobody is told so, and how to mend it.
      const guest = await visitor(own);
      await guest.goto(own.service.origin);
      await guest.getByRole('link', { name: 'Sign in with School login' }).click();
      await guest.getByRole('link', { name: 'Eve' }).click();
      await guest.getByRole('heading', { name: 'Nobody here is tied to you yet' }).waitFor();
      assert.equal(new URL(guest.url()).pathname, '/oidc/no_account');
      assert.deepEqual(await violations(guest), []);
      await guest.getByRole('link', { name: 'To sign in' }).click();
      await guest.getByRole('link', { name: 'Sign in with School login' }).click();
      await guest.getByRole('link', { name: 'Nobody' }).click();
      await guest.getByRole('heading', { name: 'You were not let in there' }).waitFor();
      await guest.goto(`${own.service.origin}/oidc/what-a-newer-service-says`);
      await guest.getByRole('heading', { name: 'The other service gave no proper answer' }).waitFor();

      // Only who has signed in just now may tie, and that is not remembered over a start of the service.
      await at('/account');
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await page.getByLabel('Name').fill('alice');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('link', { name: 'Files' }).first().waitFor();
      await at('/account');
      await page.getByRole('link', { name: 'Tie to School login' }).click();
      await page.getByRole('link', { name: 'Ada' }).click();
      await page.waitForURL((url) => url.origin === own.service.origin);
      await at('/account');
      await page.getByText(/Tied to (ada|Ada Lovelace) since/).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.setViewportSize({ width: 375, height: 740 });
      await fits(page);

      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await page.getByRole('link', { name: 'Sign in with School login' }).click();
      await page.getByRole('link', { name: 'Ada' }).click();
      await page.getByText('Nothing here yet').waitFor();

      await at('/account');
      await page.getByRole('button', { name: 'Untie' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Untie' }).click();
      await page.getByRole('link', { name: 'Tie to School login' }).waitFor();
      for (const one of [page, guest]) assert.deepEqual(one.complaints, []);
    });
  } finally {
    school.end();
  }
});
