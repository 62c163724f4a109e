// A token for a program that should only look: made on the account's page, and no further than it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, claim, fits, picture, violations, visitor, world } from './world.mjs';

test('a token says what it may do, and does no more', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [{ name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('dear all') }]);
    await page.getByText('1 file uploaded').waitFor();
    await page.goto(`${own.service.origin}/account`);
    assert.ok(await page.getByRole('radio', { name: 'Change files' }).isChecked(), 'not everything, unless it is said');
    await page.getByRole('radio', { name: 'Look' }).check();
    await page.getByLabel('What for').fill('the picture frame');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const line = page.getByRole('listitem').filter({ hasText: 'the picture frame' });
    await line.getByText(/· Look ·/).waitFor();
    assert.deepEqual(await violations(page), []);
    await picture(page, 'tokens-wide');
    await page.setViewportSize({ width: 360, height: 740 });
    await fits(page);
    await picture(page, 'tokens-narrow');

    const token = await page.getByLabel('Copy it now: it is shown this once.').inputValue();
    const headers = { authorization: `Bearer ${token}` };
    const file = `${own.service.origin}/api/v1/files/letter.txt`;
    assert.equal(await (await fetch(file, { headers })).text(), 'dear all');
    const refused = await fetch(file, { method: 'DELETE', headers });
    assert.deepEqual([refused.status, (await refused.json()).code], [403, 'token_scope']);
    assert.equal((await fetch(file, { headers })).status, 200, 'it is still there');
    assert.deepEqual(page.complaints, []);
  });
});
