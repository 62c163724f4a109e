// A recovery kit that is made in the browser opens what the service keeps, and the service never had its secret.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, visitor, world } from './world.mjs';

const SECRET = /AGE-SECRET-KEY-1[0-9A-Z]{58}/;

/** Runs the real program as somebody who has no service. */
async function program(folder, ...args) {
  const { HOLDFAST_URL, HOLDFAST_TOKEN, ...env } = process.env;
  const child = spawn(process.env.HOLDFAST_PROGRAM, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (bytes) => (said.out += bytes));
  child.stderr.on('data', (bytes) => (said.err += bytes));
  const code = await new Promise((done) => child.on('close', done));
  return { code, ...said };
}

/** Waits until all that was written is where it shall be. */
async function settled(own, page) {
  for (;;) {
    const fleet = await (await page.request.get(`${own.service.origin}/api/v1/fleet`)).json();
    if (fleet.files_below_settled + fleet.packs_below_settled + fleet.records_below_settled === 0) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}

const kits = async (own, page) => (await (await page.request.get(`${own.service.origin}/api/v1/kits`)).json()).kits;
const dialog = (page) => page.getByRole('dialog', { name: 'Recovery kit' });
const heading = (page, name) => dialog(page).getByRole('heading', { name });
const press = (page, name) => dialog(page).getByRole('button', { name, exact: true }).click();

async function make(page) {
  await press(page, 'Make the kit');
  await heading(page, 'Keep it').waitFor();
}

async function save(page, folder) {
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save as a file')]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

async function test_file(page, path) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, 'Choose the file')]);
  await chooser.setFiles(path);
}

test('a new owner makes a kit, tests it, and the program opens the tree with it', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    const sent = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await claim(own, page);
    const offer = page.getByRole('region', { name: 'Recovery kits' });
    await offer.getByRole('button', { name: 'Make it now' }).click();
    await heading(page, 'What a recovery kit is').and(page.locator(':focus')).waitFor();
    await make(page);
    const path = await save(page, own.folder);
    const text = await readFile(path, 'utf8');
    assert.match(path, /kit-[0-9a-f]{8}\.txt$/);
    assert.ok(text.includes(`Whom to ask: Holdfast at ${own.service.origin}`), 'it says whom to ask');
    for (const format of ['A4', 'Letter']) {
      const paper = await page.pdf({ format });
      assert.equal(paper.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length, 1, `one page of ${format}`);
    }
    await press(page, 'Go on to the test');

    // A slip is named, and the same one by the program.
    const damaged = join(own.folder, 'damaged.txt');
    await writeFile(damaged, text.replace('account: ', 'account: f'));
    await test_file(page, damaged);
    const line = text.split('\n').findIndex((one) => one.startsWith('account: ')) + 1;
    await dialog(page).getByText(`line ${line}, which begins with “account”`).waitFor();
    assert.equal((await kits(own, page))[0].tested, null, 'what was mistyped is not tested');
    const refused = await program(own.folder, 'kit', 'test', damaged);
    assert.ok(refused.code !== 0 && refused.err.includes(String(line)), refused.err);

    // As typed from paper: lines alone, spaces and empty lines as they come.
    const typed = text.slice(text.indexOf('holdfast-kit:')).replaceAll('  #', ' #').replaceAll('\n', '\n\n');
    await dialog(page).getByLabel('Or type or paste the lines').fill(typed);
    await press(page, 'Test');
    await heading(page, 'This kit is good').and(page.locator(':focus')).waitFor();
    await press(page, 'Done');
    await offer.waitFor({ state: 'detached' });
    assert.notEqual((await kits(own, page))[0].tested, null);

    await choose(page, [{ name: 'later.txt', mimeType: 'text/plain', buffer: Buffer.from('stored after the kit') }]);
    await page.getByText('1 file uploaded').waitFor();
    await settled(own, page);
    const opened = await program(own.folder, 'kit', 'test', path);
    assert.equal(opened.code, 0, opened.err);
    assert.match(opened.out, /opens the tree of account [0-9a-f]{32}: 1 files, 20 B/);

    await page.reload();
    await page.getByText('later.txt').first().waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(await offer.count(), 0, 'the notice is gone');
    const [secret] = SECRET.exec(text);
    const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, history.state, document.documentElement.outerHTML]));
    assert.ok(!stored.includes(secret) && !sent.some((one) => one.includes(secret)), 'the secret left with the dialog');
    assert.deepEqual(page.complaints, []);
  });
});

test('a kit that nobody kept is asked about, and revoked', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await page.getByRole('button', { name: 'Make it now' }).click();
    await make(page);
    const secret = await dialog(page).locator('pre').textContent();
    await page.keyboard.press('Escape');
    await dialog(page).getByText('neither printed nor saved').waitFor();
    await press(page, 'Back to the kit');
    await page.keyboard.press('Escape');
    await press(page, 'Revoke it and close');
    await dialog(page).waitFor({ state: 'detached' });
    assert.ok((await kits(own, page)).every((kit) => kit.revoked !== null));
    assert.ok(!(await page.content()).includes(SECRET.exec(secret)[0]), 'nothing of it is left in the page');

    // The answer is lost on its way: what the service has now is of no use to anybody.
    await page.route('**/api/v1/kits', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.getByRole('button', { name: 'Make it now' }).click();
    await press(page, 'Make the kit');
    await dialog(page).getByText('The kit cannot be used.').waitFor();
    await press(page, 'Revoke it');
    await dialog(page).getByText('The kit cannot be used.').waitFor({ state: 'detached' });
    assert.ok((await kits(own, page)).every((kit) => kit.revoked !== null));

    await page.unroute('**/api/v1/kits');
    await make(page);
    const first = await save(page, own.folder);
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    // Kept, but not tested: it is asked about until tomorrow, and in the account.
    await page.getByText('Your recovery kit was never tested.').waitFor();
    await page.getByRole('button', { name: 'Not today' }).click();
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(await page.getByText('Your recovery kit was never tested.').count(), 0);
    await page.goto(`${own.service.origin}/account`);
    await page.getByText('No kit of yours was tested yet.').waitFor();
    await page.getByRole('button', { name: 'Make a recovery kit' }).click();
    await make(page);
    const second = await save(page, own.folder);
    await press(page, 'Go on to the test');
    await test_file(page, first);
    await dialog(page).getByText('Choose its file.').waitFor();
    await test_file(page, second);
    await heading(page, 'This kit is good').waitFor();
    await press(page, 'Done');
    await page.getByText('No kit of yours was tested yet.').waitFor({ state: 'detached' });
    assert.deepEqual(page.complaints, []);
  });
});

test('the browser’s Back asks before it takes a kit away that nobody kept', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await page.goto(`${own.service.origin}/trash`);
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Make a recovery kit' }).click();
    await make(page);
    const lines = await dialog(page).locator('pre').textContent();
    await page.goBack();
    await dialog(page).getByText('neither printed nor saved').waitFor();
    assert.equal(await dialog(page).locator('pre').textContent(), lines, 'it is the same kit');
    await press(page, 'Back to the kit');
    await page.goBack();
    await dialog(page).getByText('neither printed nor saved').waitFor();
    await press(page, 'Back to the kit');
    await save(page, own.folder);
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    // What was laid into the history is out of it again: one step leads to where one came from.
    await page.goBack();
    await page.getByRole('heading', { name: 'Trash' }).waitFor();
    assert.deepEqual(page.complaints, []);
  });
});
