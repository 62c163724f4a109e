// What guests report: it reaches the operator, who switches the link off and on again; the bytes are never touched.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { claim, fits, noise, violations, visitor, world } from './world.mjs';

test('a guest reports a link, the operator switches it off and on again, and the guest downloads', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const film = noise(7, 500_000);
    assert.ok((await page.request.put(`${own.service.origin}/api/v1/files/film.bin`, { data: film })).ok());
    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/film.bin' } });
    const address = `${own.service.origin}/s/${(await share.json()).code}`;

    const guest = await visitor(own);
    await guest.goto(address);
    await guest.getByRole('button', { name: 'Report this' }).click();
    await guest.getByLabel('It is somebody’s work, and they did not agree').check();
    await guest.getByLabel('What have you seen, and where in it?').fill('This film is mine.');
    await guest.getByLabel('How can the operator reach you?').fill('bea@example.org');
    assert.deepEqual(await violations(guest), []);
    await guest.getByRole('button', { name: 'Send the report' }).click();
    await guest.getByText('Thank you. The report has arrived.').waitFor();
    await guest.getByText('nothing is deleted by it').waitFor();
    await guest.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

    await page.goto(`${own.service.origin}/shares`);
    await page.getByRole('link', { name: /^Reports\s*1$/ }).click();
    const card = page.getByRole('article', { name: 'film.bin' });
    await card.getByText('This film is mine.').waitFor();
    await card.getByText('bea@example.org').waitFor();
    await card.getByText('link of alice').waitFor();
    await card.getByText('The bytes are not touched.').waitFor();
    for (const width of [1280, 375]) {
      await page.setViewportSize({ width, height: 800 });
      await fits(page);
      assert.deepEqual(await violations(page), []);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await card.getByRole('button', { name: 'Switch the link off' }).click();
    await card.getByText(/Switched off since .*nobody can open it/).waitFor();

    await guest.reload();
    await guest.getByRole('heading', { name: 'This link is switched off' }).waitFor();
    await guest.getByText('The operator of this service has switched it off.').waitFor();
    await page.goto(`${own.service.origin}/shares`);
    await page.getByText('Your files are not touched.').waitFor();
    assert.deepEqual(await violations(page), []);

    await page.goto(`${own.service.origin}/reports`);
    const [opened] = await Promise.all([page.context().waitForEvent('page'), card.getByRole('link', { name: 'Open the link' }).click()]);
    await opened.getByRole('heading', { name: 'This link is switched off' }).waitFor();
    await opened.close();
    await card.getByRole('button', { name: 'Switch the link on' }).click();
    await card.getByRole('button', { name: 'Switch the link off' }).waitFor();
    await guest.reload();
    const [download] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: 'Download' }).click()]);
    assert.ok((await readFile(await download.path())).equals(film), 'a guest gets every byte again');

    await card.getByRole('button', { name: 'Settle' }).click();
    await card.getByRole('button', { name: 'Open again' }).waitFor();
    await page.getByText('No open reports').waitFor();
    await page.getByRole('link', { name: 'Reports', exact: true }).waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('a link with a password can be reported by who does not know it, and reports are the operator’s', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    assert.ok((await page.request.put(`${own.service.origin}/api/v1/files/secret.txt`, { data: 'secret' })).ok());
    const share = await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/secret.txt', password: 'sesame' } });
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${(await share.json()).code}`);
    await guest.getByRole('heading', { name: 'This link has a password' }).waitFor();
    await guest.getByRole('button', { name: 'Report this' }).click();
    await guest.getByLabel('Something else').check();
    await guest.getByLabel('What have you seen, and where in it?').fill('It was sent to me by a stranger.');
    await guest.getByRole('button', { name: 'Send the report' }).click();
    await guest.getByText('Thank you. The report has arrived.').waitFor();
    const asked = await guest.request.get(`${own.service.origin}/api/v1/reports`);
    assert.equal(asked.status(), 401);
    await page.goto(`${own.service.origin}/reports`);
    await page.getByText('It was sent to me by a stranger.').waitFor();
    await page.getByText('Gave no way to be reached').waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
