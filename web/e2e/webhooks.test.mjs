// Webhooks: one is added, its secret is shown once, it is tested, switched off, hears of a file, and says why it failed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, receiver } from './others.mjs';
import { choose, claim, fits, violations, visitor, world } from './world.mjs';

/** Addresses within the operator's own walls are for the operator to allow. */
const INNER = '[webhooks]\ninner_addresses = ["127.0.0.0/8"]\n';

test('a webhook is added, tested, hears of a file, and says why a call failed', async () => {
  const program = await receiver();
  try {
    await world(async (own) => {
      const page = await visitor(own);
      await claim(own, page);
      await configure(own, INNER);
      await page.goto(`${own.service.origin}/account`);
      await page.getByRole('link', { name: 'Webhooks' }).click();
      await page.getByText('You have no webhook yet.').waitFor();
      assert.equal(new URL(page.url()).pathname, '/account/webhooks');

      await page.getByRole('button', { name: 'Add a webhook' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Address that is called').fill('ftp://example.org/');
      await dialog.getByRole('button', { name: 'Add', exact: true }).click();
      await dialog.getByText('This webhook cannot be:').waitFor();
      await dialog.getByLabel('Address that is called').fill(program.address);
      await dialog.getByLabel('What for').fill('Photo printer');
      for (const box of await dialog.getByRole('checkbox').all()) await box.uncheck();
      await dialog.getByRole('button', { name: 'Add', exact: true }).click();
      await dialog.getByText('Choose at least one thing').waitFor();
      await dialog.getByLabel('A file was stored').check();
      assert.deepEqual(await violations(page), []);
      await dialog.getByRole('button', { name: 'Add', exact: true }).click();

      await page.getByRole('heading', { name: 'The secret of the webhook' }).waitFor();
      assert.match(await dialog.getByRole('textbox').inputValue(), /^whsec_/);
      await page.keyboard.press('Escape');
      await dialog.getByText('Copy the secret first.').waitFor();
      await dialog.getByLabel('I have kept it').check();
      await dialog.getByRole('button', { name: 'Done' }).click();

      const line = page.getByRole('listitem').filter({ hasText: 'Photo printer' });
      await line.getByText('A file was stored').waitFor();
      await line.getByRole('button', { name: 'Test Photo printer' }).click();
      await line.getByText('The test arrived: it answered 200.').waitFor();
      assert.ok(program.heard[0].headers['webhook-signature']);
      assert.deepEqual(await violations(page), []);
      await page.setViewportSize({ width: 375, height: 740 });
      await fits(page);
      await page.setViewportSize({ width: 1280, height: 800 });

      program.answer(500);
      await line.getByRole('button', { name: 'Test Photo printer' }).click();
      await line.getByText('It answered 500, which is no success.').first().waitFor();
      program.answer(200);

      if (!process.env.HOLDFAST_STANDIN) {
        await page.getByRole('link', { name: 'Files' }).first().click();
        await choose(page, [{ name: 'picture.txt', mimeType: 'text/plain', buffer: Buffer.from('a picture') }]);
        await page.getByText('1 file uploaded').waitFor();
        const { headers } = await program.until(/file\.stored/);
        for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) assert.ok(headers[name], name);
        await page.goto(`${own.service.origin}/account/webhooks`);
      }

      await line.getByRole('button', { name: 'Switch off Photo printer' }).click();
      await line.getByText('off', { exact: true }).waitFor();
      await line.getByRole('button', { name: 'Switch on Photo printer' }).click();
      await line.getByText('on', { exact: true }).waitFor();
      await line.getByRole('button', { name: 'Edit Photo printer' }).click();
      await dialog.getByLabel('What for').fill('Printer');
      await dialog.getByLabel('A link was made').check();
      await dialog.getByRole('button', { name: 'Save' }).click();
      await page.getByText('A file was stored · A link was made').waitFor();
      await page.getByRole('button', { name: 'Remove Printer' }).click();
      await dialog.getByRole('button', { name: 'Remove' }).click();
      await page.getByText('You have no webhook yet.').waitFor();
      assert.deepEqual(page.complaints, []);
    });
  } finally {
    program.end();
  }
});
