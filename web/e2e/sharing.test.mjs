// Sharing with people of the same service: to look, then to change, until the owner takes it back.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, row, visitor, world } from './world.mjs';

const axe = createRequire(import.meta.url)('axe-core').source;

/** A second account, made by an invitation of the first. */
async function invited(own, page, name) {
  const answer = await page.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 1 } });
  const { code } = await answer.json();
  const other = await visitor(own);
  await claim({ service: { page: `${own.service.origin}/join#${code}` } }, other, name);
  return other;
}

/** Somebody comes back to the window, upon which it asks at once; else it does so every twenty seconds. */
async function back(page) {
  await page.evaluate(() => globalThis.dispatchEvent(new Event('focus')));
}

/** A real JPEG of the browser's own making. */
async function jpeg(page) {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 500 });
    const context = canvas.getContext('2d');
    context.fillStyle = '#0b5d66';
    context.fillRect(100, 100, 500, 300);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.8));
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  return Buffer.from(bytes);
}

/** Fails if a screen reader would lose its way here; keeps a picture where HOLDFAST_PICTURES says. */
async function looks(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(' ')}`), [], name);
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 375]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

const put = async (own, page, path, data) => {
  const headers = { 'Content-Type': path.endsWith('.jpg') ? 'image/jpeg' : 'text/plain' };
  const answer = await page.request.put(`${own.service.origin}/api/v1/files/${encodeURI(path)}`, { data, headers });
  assert.equal(answer.status(), 201, path);
};
/** What changes something here, or gives it away; to copy it to the own files does neither. */
const VERBS = /^(Upload files|Upload a folder|New folder|Rename|Move…|Move to trash|Share|Ask for files)$/;
const verbs = (page) => page.getByRole('button', { name: VERBS });

test('a folder is shared to look, then to change, and its owner takes it back', async () => {
  await world(async (own) => {
    const alice = await visitor(own);
    await claim(own, alice);
    const bob = await invited(own, alice, 'bob');
    const photo = await jpeg(alice);
    for (const name of ['harbour.jpg', 'pier.jpg']) await put(own, alice, `Trip/${name}`, photo);
    await put(own, alice, 'Trip/letters/first.txt', 'Dear Bob');
    await alice.reload();

    await bob.getByRole('link', { name: 'Shared with me' }).click();
    await bob.getByText('Nobody shares anything with you').waitFor();
    assert.match(bob.url(), /\/shared$/);

    // What goes wrong is said where it is typed.
    await row(alice, 'Trip').click();
    await alice.getByRole('button', { name: 'Share', exact: true }).click();
    const dialog = alice.getByRole('dialog');
    const name = dialog.getByLabel('Name of the account');
    await name.fill('bobby');
    await dialog.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByText('Nobody here is called “bobby”.').waitFor();
    await name.fill('alice');
    await dialog.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByText('That is you.').waitFor();
    await name.fill('bob');
    await dialog.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByRole('button', { name: 'Remove bob' }).waitFor();
    await looks(alice, 'share-dialog');
    await alice.keyboard.press('Escape');
    await row(alice, 'Trip').getByTitle('shared', { exact: true }).waitFor();
    const links = await (await alice.request.get(`${own.service.origin}/api/v1/shares`)).json();
    assert.deepEqual(links.shares, [], 'sharing with a person makes no link');

    // To look: everything is seen, and there is no verb that would be refused.
    await bob.getByRole('link', { name: 'Files', exact: true }).click();
    await bob.getByRole('link', { name: 'Shared with me' }).click();
    await bob.getByText('from alice · can look').waitFor();
    await looks(bob, 'shared-list');
    await bob.getByRole('link', { name: 'Trip', exact: true }).click();
    await row(bob, 'harbour.jpg').waitFor();
    await bob.getByRole('heading', { name: 'Trip (from alice)' }).waitFor();
    assert.match(bob.url(), /\/shared\/[0-9a-z-]+$/i);
    await row(bob, 'harbour.jpg').click();
    await bob.getByRole('button', { name: 'Download' }).first().waitFor();
    assert.equal(await verbs(bob).count(), 0, 'no verb that changes');
    await row(bob, 'harbour.jpg').click({ button: 'right' });
    assert.deepEqual(await bob.getByRole('menuitem').locator('span').allTextContents(), ['Open', 'Download', 'Copy…', 'Details']);
    await bob.keyboard.press('Escape');
    await bob.keyboard.press('Delete');
    await looks(bob, 'shared-folder-read');
    await row(bob, 'harbour.jpg').dblclick();
    await bob.getByRole('dialog').locator('figure img').first().waitFor();
    await bob.keyboard.press('ArrowRight');
    await bob.getByRole('dialog', { name: 'pier.jpg' }).waitFor();
    await bob.keyboard.press('Escape');
    await row(bob, 'letters').dblclick();
    await row(bob, 'first.txt').waitFor();
    assert.match(bob.url(), /\/shared\/[^/]+\/letters\/$/);
    await bob.getByRole('link', { name: 'Trip (from alice)' }).click();
    await row(bob, 'letters').waitFor();

    // To change: told in the open view, when somebody looks at it.
    await alice.goto(`${own.service.origin}/shares`);
    await alice.getByRole('heading', { name: 'Trip' }).waitFor();
    await alice.getByLabel('What bob can do').selectOption('write');
    await alice.getByText('bob can change', { exact: true }).waitFor();
    await looks(alice, 'my-shares');
    await back(bob);
    await bob.getByRole('button', { name: 'Upload files' }).waitFor();
    await choose(bob, [{ name: 'answer.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear Alice') }]);
    await bob.getByText('1 file uploaded').waitFor();
    await row(bob, 'answer.txt').waitFor();
    assert.equal(await bob.getByRole('button', { name: 'Copy link' }).count(), 0, 'a link is its owner’s to make');
    await looks(bob, 'shared-folder-write');
    await bob.getByRole('button', { name: 'Clear finished' }).click();
    await row(bob, 'pier.jpg').click();
    await bob.keyboard.press('F2');
    await bob.getByLabel('New name').fill('bridge.jpg');
    await bob.keyboard.press('Enter');
    await row(bob, 'bridge.jpg').waitFor();
    await row(bob, 'harbour.jpg').click();
    await bob.keyboard.press('Delete');
    await bob.getByText('Moved “harbour.jpg” to trash').waitFor();
    await row(bob, 'harbour.jpg').waitFor({ state: 'detached' });
    await bob.getByRole('button', { name: 'Undo' }).click();
    await row(bob, 'harbour.jpg').waitFor();
    const home = await (await bob.request.get(`${own.service.origin}/api/v1/files/`)).json();
    assert.deepEqual(home.entries, [], 'nothing went into the own files');

    await alice.goto(`${own.service.origin}/files/Trip/`);
    for (const there of ['answer.txt', 'bridge.jpg', 'harbour.jpg', 'letters']) await row(alice, there).waitFor();
    const answer = await alice.request.get(`${own.service.origin}/api/v1/files/Trip/answer.txt`);
    assert.equal(await answer.text(), 'Dear Alice');

    // Taken back: the open view says so and leads on.
    await alice.goto(`${own.service.origin}/shares`);
    await alice.getByRole('button', { name: 'End sharing Trip with bob' }).click();
    await alice.getByText('bob no longer sees it').waitFor();
    await back(bob);
    await bob.getByRole('heading', { name: 'This is no longer shared with you' }).waitFor();
    await looks(bob, 'shared-ended');
    await bob.getByRole('link', { name: 'To what is shared with you' }).click();
    await bob.getByText('Nobody shares anything with you').waitFor();
    assert.deepEqual([...alice.complaints, ...bob.complaints], []);
  });
});

test('a single file opens in the viewer, and who does not want it leaves it to its owner', async () => {
  await world(async (own) => {
    const alice = await visitor(own);
    await claim(own, alice);
    const bob = await invited(own, alice, 'bob');
    await put(own, alice, 'harbour.jpg', await jpeg(alice));
    await put(own, alice, 'plan.txt', 'first the harbour');
    await alice.reload();
    for (const file of ['harbour.jpg', 'plan.txt']) {
      await row(alice, file).click();
      await alice.getByRole('button', { name: 'Share', exact: true }).click();
      const dialog = alice.getByRole('dialog');
      assert.equal(await dialog.getByLabel('What they can do').count(), 0, 'a file can only be looked at');
      await dialog.getByLabel('Name of the account').fill('bob');
      await dialog.getByRole('button', { name: 'Share', exact: true }).click();
      await dialog.getByRole('button', { name: 'Remove bob' }).waitFor();
      if (file === 'plan.txt') {
        await dialog.getByRole('button', { name: 'Make a link' }).click();
        await dialog.getByRole('textbox', { name: 'Link' }).waitFor();
      }
      await alice.keyboard.press('Escape');
    }

    await bob.goto(`${own.service.origin}/shared`);
    await bob.getByRole('link', { name: 'plan.txt', exact: true }).click();
    await bob.getByRole('dialog').getByText('first the harbour').waitFor();
    await bob.reload();
    await bob.getByRole('dialog').getByText('first the harbour').waitFor();
    await bob.keyboard.press('Escape');
    await bob.getByRole('link', { name: 'harbour.jpg', exact: true }).click();
    await bob.getByRole('dialog').locator('figure img').first().waitFor();
    await bob.keyboard.press('Escape');
    await bob.getByRole('button', { name: 'Leave “plan.txt”' }).click();
    await bob.getByRole('dialog').getByText('alice keeps it').waitFor();
    await bob.getByRole('dialog').getByRole('button', { name: 'Leave', exact: true }).click();
    await bob.getByRole('link', { name: 'plan.txt', exact: true }).waitFor({ state: 'detached' });
    await bob.getByRole('link', { name: 'harbour.jpg', exact: true }).waitFor();

    // Links and people stand together, each with its own end.
    await alice.goto(`${own.service.origin}/shares`);
    await alice.getByRole('button', { name: 'End sharing harbour.jpg with bob' }).waitFor();
    assert.equal(await alice.getByRole('button', { name: 'End sharing plan.txt with bob' }).count(), 0);
    await alice.getByRole('button', { name: 'End the link to plan.txt' }).click();
    await alice.getByRole('dialog').getByRole('button', { name: 'Stop sharing' }).click();
    await alice.getByText('Sharing stopped.').waitFor();
    const kept = await alice.request.get(`${own.service.origin}/api/v1/files/plan.txt`);
    assert.equal(await kept.text(), 'first the harbour');
    assert.deepEqual([...alice.complaints, ...bob.complaints], []);
  });
});
