// What the first view costs: the scripts of a page that was never seen, until it is drawn and asks for nothing more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { claim, row, visitor, world } from './world.mjs';

/** Bytes of scripts, compressed as the service sends them. */
const MOST = 60_000;

/** What comes to a browser that has seen nothing, until `drawn`, and what that asks for besides. */
async function scripts(page, address, drawn) {
  const coming = [];
  page.on('response', (answer) => {
    const name = new URL(answer.url()).pathname.split('/').at(-1);
    if (name.endsWith('.js')) coming.push(answer.body().then((body) => [name, gzipSync(body, { level: 9 }).length]));
  });
  await page.goto(address);
  await drawn(page);
  await page.waitForLoadState('networkidle');
  const all = await Promise.all(coming);
  return { names: all.map(([name]) => name), bytes: all.reduce((sum, [, bytes]) => sum + bytes, 0) };
}

function small(what, { names, bytes }) {
  assert.ok(names.length > 1, `${what}: scripts were seen`);
  assert.ok(bytes <= MOST, `${what}: ${bytes} bytes of scripts, and ${MOST} are the most: ${names.join(' ')}`);
}

test('the first view is at most 60 kB of scripts', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const { origin } = own.service;
    const api = `${origin}/api/v1`;
    assert.equal((await page.request.put(`${api}/files/in/a.txt`, { data: 'text' })).status(), 201);
    const made = async (door, data) => (await (await page.request.post(`${api}/${door}`, { data })).json()).code;
    const [link, request] = [await made('shares', { path: '/in' }), await made('shares', { path: '/in', receives: true })];
    const invitation = await made('invitations', { role: 'user', days: 1 });

    const door = await scripts(await visitor(own), origin, (guest) => guest.getByLabel('Password', { exact: true }).waitFor());
    small('signing in', door);
    const files = /^(FolderView|files|list|Frame|Viewer)/;
    assert.deepEqual(door.names.filter((name) => files.test(name)), [], 'nothing of the files comes before there are any');
    const joining = await scripts(await visitor(own), `${origin}/join#${invitation}`, (guest) =>
      guest.getByRole('button', { name: 'Make account' }).waitFor(),
    );
    small('joining', joining);
    small('a link of a folder', await scripts(await visitor(own), `${origin}/s/${link}`, (guest) => row(guest, 'a.txt').waitFor()));
    const asked = await scripts(await visitor(own), `${origin}/s/${request}`, (guest) => guest.getByRole('button', { name: 'Choose files' }).waitFor());
    small('a request', asked);

    const state = await page.context().storageState();
    const back = await visitor(own, { storageState: state });
    small('the own files', await scripts(back, `${origin}/files/in/`, () => row(back, 'a.txt').waitFor()));
    assert.deepEqual(back.complaints, []);
  });
});
