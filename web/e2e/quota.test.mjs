// Space that ends: the operator sets a quota, its user is warned before, and refused with words that help.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, claim, noise, row, visitor, world } from './world.mjs';

const part = (name, length) => ({ name, mimeType: 'application/octet-stream', buffer: noise(name.length, length) });

test('a quota warns at four fifths, refuses what is too much, and is lifted again', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const invited = await page.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 7 } });
    const { code } = await invited.json();
    const user = await visitor(own);
    await claim({ service: { ...own.service, page: `${own.service.origin}/join#${code}` } }, user, 'bob');

    await page.goto(`${own.service.origin}/people`);
    await page.getByRole('button', { name: 'Space for bob' }).click();
    await page.getByLabel('A limit').check();
    await page.getByLabel('At most').fill('1');
    await page.getByLabel('Unit').selectOption('MB');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('bob may now use 1 MB').waitFor();
    await page.getByText('0 bytes of 1 MB used').waitFor();

    await choose(user, [part('most.bin', 850_000)]);
    await user.getByText('1 file uploaded').waitFor();
    await user.getByText('Your space is running out.').waitFor();
    await user.getByText('(85%)').waitFor();

    await choose(user, [part('too much.bin', 400_000)]);
    await user.getByText(/This does not fit into your space any more\. Ask the operator for more/).first().waitFor();
    assert.equal(await row(user, 'too much.bin').filter({ has: user.locator('[role=gridcell]') }).count(), 0);

    await page.reload();
    await page.getByText('850 kB of 1 MB used').waitFor();
    await page.getByRole('button', { name: 'Space for bob' }).click();
    await page.getByLabel('No limit').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('bob has no limit now').waitFor();
    await user.getByRole('button', { name: 'Retry failed' }).click();
    await user.getByText('2 files uploaded').waitFor();
    assert.deepEqual([...page.complaints, ...user.complaints], []);
  });
});
