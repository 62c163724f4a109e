// An account is deleted, which takes 14 days, and stays after all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totp } from './totp.mjs';
import { PASSWORD, claim, fits, violations, visitor, world } from './world.mjs';

const DAYS = 86_400_000;

const account = async (own, page) => (await (await page.request.get(`${own.service.origin}/api/v1/session`)).json()).account;
const notice = (page) => page.getByRole('region', { name: 'Delete this account' });

/** A second page of the service, as somebody invited. */
async function invited(own, operator, name) {
  const { code } = await (await operator.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 7 } })).json();
  const page = await visitor(own);
  await claim({ service: { ...own.service, page: `${own.service.origin}/join#${code}` } }, page, name);
  return page;
}

test('a person deletes their account, and stays again', async () => {
  await world(async (own) => {
    const operator = await visitor(own);
    await claim(own, operator);
    const page = await invited(own, operator, 'bob');
    // With a second factor, it is asked for too.
    const factor = `${own.service.origin}/api/v1/session/second-factor`;
    const { secret } = await (await page.request.post(factor, { data: {} })).json();
    const on = await page.request.put(factor, { data: { password: PASSWORD, secret, second: totp(secret) } });
    assert.ok(on.ok(), await on.text());

    await page.goto(`${own.service.origin}/account`);
    await page.getByRole('button', { name: 'Delete this account…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete this account' });
    await dialog.getByText('For 14 days everything goes on as it is').waitFor();
    await dialog.getByText('Your recovery kits will open nothing then.').waitFor();
    await dialog.getByText('holdfast export my-files').waitFor();
    const zip = await page.request.get(await dialog.getByRole('link', { name: 'Download everything as one zip' }).getAttribute('href'));
    assert.equal(zip.status(), 200);
    assert.deepEqual(await violations(page), []);
    await dialog.getByLabel('Password now').fill('not the password');
    await dialog.getByLabel('Code', { exact: true }).fill(totp(secret, 1));
    await dialog.getByRole('button', { name: 'Delete my account' }).click();
    await dialog.getByText('That is not the password now. Nothing was changed.').waitFor();
    assert.ok(!(await account(own, page)).leaves);
    await dialog.getByLabel('Password now').fill(PASSWORD);
    await dialog.getByLabel('Code', { exact: true }).fill(totp(secret, 1));
    await dialog.getByRole('button', { name: 'Delete my account' }).click();

    await notice(page).getByText('are erased on').waitFor();
    const { leaves } = await account(own, page);
    const left = (Date.parse(leaves) - Date.now()) / DAYS;
    assert.ok(left > 13 && left <= 14, leaves);
    for (const view of ['', 'trash', 'shares', 'account']) {
      await page.goto(`${own.service.origin}/${view}`);
      await notice(page).getByRole('button', { name: 'Stay' }).waitFor();
    }
    await page.setViewportSize({ width: 375, height: 740 });
    await fits(page);
    await page.setViewportSize({ width: 1280, height: 800 });

    await operator.goto(`${own.service.origin}/people`);
    await operator.getByText('erased on').waitFor();
    await operator.getByRole('button', { name: 'Take back the deletion of bob' }).waitFor();

    await notice(page).getByRole('button', { name: 'Stay' }).click();
    await page.getByText('You stay, and nothing is erased').waitFor();
    await notice(page).waitFor({ state: 'detached' });
    assert.equal((await account(own, page)).leaves, null);
    assert.deepEqual([...page.complaints, ...operator.complaints], []);
  });
});

test('an operator deletes an account, and takes it back', async () => {
  await world(async (own) => {
    const operator = await visitor(own);
    await claim(own, operator);
    const page = await invited(own, operator, 'bob');
    await operator.goto(`${own.service.origin}/people`);
    await operator.getByRole('button', { name: 'Delete the account of bob' }).click();
    const dialog = operator.getByRole('dialog', { name: 'Delete the account of bob' });
    await dialog.getByText('For 14 days everything goes on as it is for bob').waitFor();
    assert.deepEqual(await violations(operator), []);
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await operator.getByText('erased on').waitFor();
    assert.equal(await operator.getByRole('button', { name: 'Delete the account of alice' }).count(), 0, 'the own one goes by the account view');

    await page.reload();
    await notice(page).getByText('Until then everything works.').waitFor();
    await operator.getByRole('button', { name: 'Take back the deletion of bob' }).click();
    await operator.getByRole('button', { name: 'Delete the account of bob' }).waitFor();
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
    assert.equal(await notice(page).count(), 0);
    assert.deepEqual([...page.complaints, ...operator.complaints], []);
  });
});
