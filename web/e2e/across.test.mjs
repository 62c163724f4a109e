// What is shared, as if it were one's own: searched, and copied to and fro. Nothing is moved between people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, fits, row, violations, visitor, world } from './world.mjs';

const API = '/api/v1';

async function put(own, page, path, data) {
  const answer = await page.request.put(`${own.service.origin}${API}/files/${encodeURI(path)}`, { data, headers: { 'Content-Type': 'text/plain' } });
  assert.equal(answer.status(), 201, path);
}

async function read(own, page, path) {
  const answer = await page.request.get(`${own.service.origin}${API}/${path}`);
  assert.equal(answer.status(), 200, path);
  return answer.text();
}

async function grant(own, page, path, rights) {
  const answer = await page.request.post(`${own.service.origin}${API}/grants`, { data: { path, to: 'bob', rights } });
  assert.equal(answer.status(), 201, path);
  return (await answer.json()).id;
}

/** Copies what is chosen by the keys, as on any desk. */
async function holds(page, key, words) {
  await page.getByRole('grid').first().focus();
  await page.keyboard.press(`Control+${key}`);
  await page.getByText(words).first().waitFor();
}

test('what is shared is searched, and copied to one’s own files and back', async () => {
  await world(async (own) => {
    const alice = await visitor(own);
    await claim(own, alice);
    const invitation = await alice.request.post(`${own.service.origin}${API}/invitations`, { data: { role: 'user', days: 1 } });
    const bob = await visitor(own);
    await claim({ service: { page: `${own.service.origin}/join#${(await invitation.json()).code}` } }, bob, 'bob');
    await put(own, alice, 'Trip/letters/first letter.txt', 'Dear Bob');
    await put(own, alice, 'Trip/map.txt', 'a map');
    await put(own, alice, 'Trip/secret plan.txt', 'a plan');
    await put(own, alice, 'outside letter.txt', 'not shared');
    await put(own, alice, 'Board/list.txt', 'a list');
    const trip = await grant(own, alice, '/Trip', 'read');
    const board = await grant(own, alice, '/Board', 'write');
    await put(own, bob, 'mine/notes.txt', 'my notes');

    // Searching.
    await bob.goto(`${own.service.origin}/shared/${trip}`);
    await row(bob, 'map.txt').waitFor();
    await bob.keyboard.press('/');
    await bob.keyboard.type('letter');
    await bob.keyboard.press('Enter');
    await bob.getByRole('heading', { name: 'Search in Trip' }).waitFor();
    await bob.getByText('2 found').waitFor();
    assert.equal(await bob.getByRole('link', { name: 'outside letter.txt' }).count(), 0, 'only what is shared is searched');
    await bob.getByRole('link', { name: 'Shared with me' }).and(bob.locator('.above')).waitFor();
    assert.deepEqual(await violations(bob), []);
    await bob.getByRole('link', { name: 'first letter.txt', exact: true }).click();
    await bob.getByRole('dialog', { name: 'first letter.txt' }).getByText('Dear Bob').waitFor();
    await bob.keyboard.press('Escape');
    await bob.getByRole('link', { name: '/letters', exact: true }).first().click();
    await row(bob, 'first letter.txt').waitFor();
    assert.match(bob.url(), new RegExp(`/shared/${trip}/letters/`));
    await bob.setViewportSize({ width: 375, height: 740 });
    await bob.getByRole('link', { name: 'Search' }).click();
    await bob.getByLabel('Where').waitFor();
    assert.deepEqual(await bob.getByLabel('Where').locator('option').allTextContents(), ['/Trip/letters', 'Everything in Trip', 'My files']);
    await fits(bob);
    await bob.setViewportSize({ width: 1280, height: 800 });

    // What may only be looked at is copied to the own files, by the dialog.
    await bob.goto(`${own.service.origin}/shared/${trip}`);
    await row(bob, 'map.txt').click({ button: 'right' });
    await bob.getByRole('menuitem', { name: 'Copy…' }).click();
    const dialog = bob.getByRole('dialog');
    await dialog.getByLabel('Into').locator('option', { hasText: 'Board' }).waitFor({ state: 'attached' });
    assert.deepEqual(await dialog.getByLabel('Into').locator('option').allTextContents(), ['My files', 'Board']);
    await dialog.getByRole('button', { name: 'mine' }).click();
    assert.deepEqual(await violations(bob), []);
    await dialog.getByRole('button', { name: 'To mine' }).click();
    await bob.getByText('Copied 1 entry to mine').waitFor();
    assert.equal(await read(own, bob, 'files/mine/map.txt'), 'a map');

    // By the clipboard, a folder too; a name that is taken is asked for.
    await row(bob, 'letters').click();
    await holds(bob, 'c', '1 entry ready to copy');
    await bob.getByRole('link', { name: 'Files', exact: true }).click();
    await row(bob, 'mine').waitFor();
    await bob.getByRole('grid').first().focus();
    await bob.keyboard.press('Control+v');
    await row(bob, 'letters').waitFor();
    assert.equal(await read(own, bob, 'files/letters/first%20letter.txt'), 'Dear Bob');
    await bob.keyboard.press('Control+v');
    await bob.getByRole('button', { name: 'Keep both' }).click();
    await row(bob, 'letters (2)').waitFor();

    // From the own files into what may be changed; nothing is moved there.
    await row(bob, 'mine').dblclick();
    await row(bob, 'notes.txt').click();
    await holds(bob, 'x', '1 entry ready to move');
    await bob.goBack();
    await row(bob, 'mine').waitFor();
    await bob.getByRole('link', { name: 'Shared with me' }).click();
    await bob.getByRole('link', { name: 'Board', exact: true }).click();
    await row(bob, 'list.txt').waitFor();
    await bob.getByRole('grid').first().focus();
    await bob.keyboard.press('Control+v');
    await bob.getByText('Between your files and those of others nothing is moved.').waitFor();
    assert.equal(await read(own, bob, 'files/mine/notes.txt'), 'my notes');
    await bob.getByRole('link', { name: 'Files', exact: true }).click();
    await row(bob, 'mine').dblclick();
    await row(bob, 'notes.txt').click();
    await holds(bob, 'c', '1 entry ready to copy');
    await bob.getByRole('link', { name: 'Shared with me' }).click();
    await bob.getByRole('link', { name: 'Board', exact: true }).click();
    await row(bob, 'list.txt').waitFor();
    await bob.getByRole('grid').first().focus();
    await bob.keyboard.press('Control+v');
    await row(bob, 'notes.txt').waitFor();
    assert.equal(await read(own, alice, 'files/Board/notes.txt'), 'my notes');
    await row(bob, 'notes.txt').click({ button: 'right' });
    await bob.getByRole('menuitem', { name: 'Move…' }).click();
    await bob.getByRole('dialog').getByText('Between your files and those of others nothing is moved.').waitFor();
    await bob.keyboard.press('Escape');

    // The whole of what is shared, from the list.
    await bob.goto(`${own.service.origin}/shared`);
    await bob.getByRole('button', { name: 'Copy “Trip”' }).click();
    await bob.getByRole('dialog').getByRole('button', { name: 'To Files' }).click();
    await bob.getByText('Copied 1 entry to Files').waitFor();
    assert.equal(await read(own, bob, 'files/Trip/letters/first%20letter.txt'), 'Dear Bob');
    assert.deepEqual([...alice.complaints, ...bob.complaints], []);
    void board;
  });
});
