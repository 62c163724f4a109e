// Everything of the machine but its keys is lost, and one firm: what people see afterwards in a browser.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { totp } from './totp.mjs';
import { PASSWORD, Service, choose, claim, noise, visitor, world } from './world.mjs';

const run = promisify(execFile);
const WORD = 'open sesame';

/** Asks the service as the page does; what it answers, as JSON if it is some. */
function ask(page, method, path, body) {
  return page.evaluate(
    async ([method, path, body]) => {
      const text = typeof body === 'string';
      const answer = await fetch(path, { method, body: body === undefined || text ? body : JSON.stringify(body) });
      const said = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
      return said.startsWith('{') ? JSON.parse(said) : said;
    },
    [method, path, body],
  );
}

/** Loses the catalogue and one firm, and makes the service anew from the others, at the same address. */
async function rebuild(own) {
  const { data, listen } = own.service;
  await own.service.kill();
  await rm(join(data, 'catalogue'), { recursive: true });
  await rm(join(data, 'providers', 'cedar'), { recursive: true });
  const rebuilt = join(own.folder, 'rebuilt');
  const targets = (await readdir(join(data, 'providers'))).map((name) => join(data, 'providers', name));
  const identity = join(data, 'keys', 'service-identity.txt');
  await run(process.env.HOLDFAST_PROGRAM, ['rebuild', '--service-identity', identity, '--data', rebuilt, '--target', ...targets]);
  own.service = await Service.start(rebuilt, listen);
}

async function sign_in(own, page, name) {
  await page.goto(own.service.origin);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('without the catalogue and one firm, people sign in as before and old links open with their old password', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const text = noise(3, 90_000).toString('hex');
    await ask(page, 'PUT', '/api/v1/files/letters/first.txt', 'an older version');
    await ask(page, 'PUT', '/api/v1/files/letters/first.txt', text);
    await ask(page, 'PUT', '/api/v1/files/letters/thrown%20away.txt', 'in the trash');
    await ask(page, 'DELETE', '/api/v1/files/letters/thrown%20away.txt');
    const link = await ask(page, 'POST', '/api/v1/shares', { path: '/letters/first.txt', password: WORD });
    const ended = await ask(page, 'POST', '/api/v1/shares', { path: '/letters' });
    await ask(page, 'DELETE', `/api/v1/shares/${ended.id}`);
    const { secret } = await ask(page, 'POST', '/api/v1/session/second-factor', {});
    const on = { password: PASSWORD, secret, second: totp(secret) };
    const { codes } = await ask(page, 'PUT', '/api/v1/session/second-factor', on);
    await rebuild(own);

    // Only the browser's session has ended.
    await sign_in(own, page, 'alice');
    await page.getByRole('heading', { name: 'Second step' }).waitFor();
    await page.getByLabel('Code', { exact: true }).fill(codes[0]);
    await page.keyboard.press('Enter');
    await page.getByText('letters').first().waitFor();
    await page.goto(`${own.service.origin}/trash`);
    await page.getByText('thrown away.txt').first().waitFor();
    const { versions } = await ask(page, 'GET', '/api/v1/versions/letters/first.txt');
    assert.deepEqual(versions.map((one) => one.size), [text.length, 16]);

    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${link.code}`);
    await guest.locator('input[type=password]').fill(WORD);
    await guest.keyboard.press('Enter');
    const [file] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: /Download/ }).first().click()]);
    const stream = await file.createReadStream();
    let got = '';
    for await (const piece of stream) got += piece;
    assert.ok(got === text, 'the bytes are those that were sent');
    await guest.goto(`${own.service.origin}/s/${ended.code}`);
    await guest.getByText(/ended/i).first().waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});

test('plans, quotas and suspensions hold on a service that was made anew', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const users = {};
    for (const name of ['bob', 'carol', 'dave']) {
      const { code } = await ask(page, 'POST', '/api/v1/invitations', {});
      users[name] = await visitor(own);
      await claim({ service: { ...own.service, page: `${own.service.origin}/join#${code}` } }, users[name], name);
    }
    await ask(page, 'PUT', '/api/v1/plans/Family', { file_bytes: 50_000 });
    await ask(page, 'PATCH', '/api/v1/accounts/bob', { plan: 'Family' });
    await ask(page, 'PATCH', '/api/v1/accounts/carol', { quota_bytes: 90_000 });
    await ask(users.carol, 'PUT', '/api/v1/files/kept.bin', noise(1, 30_000).toString('hex'));
    await ask(page, 'PATCH', '/api/v1/accounts/dave', { suspended: true });
    await rebuild(own);

    await sign_in(own, users.bob, 'bob');
    await choose(users.bob, [{ name: 'large.bin', mimeType: '', buffer: noise(2, 60_000) }]);
    await users.bob.getByText(/50 kB/).first().waitFor();
    assert.equal((await users.bob.request.head(`${own.service.origin}/api/v1/files/large.bin`)).status(), 404);
    await sign_in(own, users.carol, 'carol');
    await users.carol.getByText('60 kB of 90 kB used').first().waitFor();
    await choose(users.carol, [{ name: 'more.bin', mimeType: '', buffer: noise(3, 60_000) }]);
    await users.carol.getByText(/This does not fit into your space any more/).first().waitFor();
    await sign_in(own, users.dave, 'dave');
    await users.dave.getByText(/suspended/).first().waitFor();
    assert.deepEqual([page, ...Object.values(users)].flatMap((one) => one.complaints), []);
  });
});
