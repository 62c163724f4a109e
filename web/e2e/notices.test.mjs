// A firm gives notice and is left: it files at its desk, the operator takes note, everything is moved away by the date and
// certified, and the firm's receipt is checked without the service. And the ledger, which has all of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, get, noise, picture, sound, visitor, world } from './world.mjs';

const DAY_MS = 86_400_000;

const post = (own, page, path, data) => page.request.post(`${own.service.origin}/api/v1/${path}`, { data });

async function settled(own, page) {
  for (;;) {
    const fleet = await get(own, page, 'fleet');
    if (fleet.files_below_settled + fleet.packs_below_settled + fleet.records_below_settled === 0) return fleet;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What a press on a button or a link gives to keep. */
async function kept(page, press, own, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  const path = join(own.folder, name);
  await download.saveAs(path);
  return path;
}

/** The command, without any service. */
const holdfast = (...args) => execFileSync(process.env.HOLDFAST_PROGRAM, args, { encoding: 'utf8' });

/** A day as a field for days has it. */
function dayIn(days) {
  const at = new Date(Date.now() + days * DAY_MS);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** The operator adds a lease of a firm with one server, and opens a desk; the address that the firm is given. */
async function lease(own, page, firm) {
  await page.goto(`${own.service.origin}/fleet/leases`);
  await page.getByText('No lease is on record').waitFor();
  await page.getByRole('button', { name: 'Add a lease' }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('combobox', { name: 'Firm' }).selectOption(firm);
  await form.getByLabel(/^Contract/).fill('A-17');
  await form.getByLabel('Ends').fill(dayIn(300));
  await form.getByLabel('Days of notice').fill('60');
  await form.getByLabel('What a month costs').fill('49.90');
  await form.getByLabel('Currency').fill('EUR');
  await form.getByRole('button', { name: 'Add a server' }).click();
  await form.getByLabel('Name, as the firm calls it').fill('s1');
  await form.getByLabel('Site').fill('AMS');
  await form.getByRole('group', { name: 'Targets on it' }).getByRole('checkbox').check();
  await sound(page, 'lease-form');
  await form.getByRole('button', { name: 'Save' }).click();
  const card = page.getByRole('article', { name: 'A-17' });
  await card.getByText('s1 · AMS').waitFor();
  await card.getByRole('button', { name: 'Open a desk for A-17' }).click();
  const made = page.getByRole('dialog');
  const address = await made.getByLabel('Address of its desk').inputValue();
  await page.keyboard.press('Escape');
  await made.getByText('Copy the address or the token first').waitFor();
  await sound(page, 'lease-desk');
  await made.getByLabel('I have kept it').check();
  await made.getByRole('button', { name: 'Done' }).click();
  await card.getByText('The firm has a desk since').waitFor();
  await sound(page, 'leases');
  return address;
}

/** The firm files at its desk, on a phone; what it keeps is checked with the command alone. */
async function files(own, firm, address, letter) {
  const asked = [];
  firm.on('request', (request) => asked.push(request.url()));
  const doors = () => new Set(asked.filter((url) => url.includes('/api/v1/')).map((url) => url.split('/api/v1/')[1].split('/')[0]));
  await firm.goto(address.split('#')[0]);
  await firm.getByLabel('Token').fill('hfd_guess');
  await firm.getByRole('button', { name: 'Open' }).click();
  await firm.getByText('does not open this desk').waitFor();
  await sound(firm, 'desk-closed');
  await firm.goto('about:blank');
  await firm.goto(address);
  await firm.getByText('For amber, about servers that').waitFor();
  await firm.getByLabel('Only these').check();
  await firm.getByLabel('s1').check();
  await firm.getByLabel('From which day on').fill(dayIn(30));
  await firm.getByLabel('Your notice').fill('We take s1 back.\nThe building is sold.');
  await firm.getByLabel('A document').setInputFiles({ name: 'letter.pdf', mimeType: 'application/pdf', buffer: letter });
  await sound(firm, 'desk');
  await firm.getByRole('button', { name: 'File the notice' }).click();
  await firm.getByRole('heading', { name: 'Your notice is filed' }).waitFor();
  await firm.getByText('The document came.').waitFor();
  await firm.getByText('byte by byte').waitFor();
  await sound(firm, 'desk-receipt');
  const receipt = await kept(firm, () => firm.getByRole('button', { name: 'Download the receipt' }).click(), own, 'receipt.json');
  const content = await kept(firm, () => firm.getByRole('button', { name: 'Download what you sent' }).click(), own, 'filed.json');
  const key = await firm.getByLabel('Key', { exact: true }).inputValue();
  assert.match(holdfast('ledger', 'receipt', receipt, '--content', content, '--key', key), /is what was filed/);
  const token = address.split('#')[1];
  assert.ok(token.startsWith('hfd_') && asked.every((url) => !url.includes(token)), 'no address that is asked for has the token');
  assert.deepEqual([...doors()].sort(), ['desk', 'service'], 'a firm’s page asks for nothing that is the operator’s');
}

test('a firm gives notice at its desk, and is left by the date', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [['letter.txt', 40_000], ['film.bin', 9_000_000]].map(([name, length], seed) => ({ name, mimeType: 'application/octet-stream', buffer: noise(seed + 1, length) })));
    await page.getByText('2 files uploaded').waitFor();
    await settled(own, page);
    const address = await lease(own, page, 'amber');
    const firm = await visitor(own, { viewport: { width: 390, height: 800 } });
    const letter = Buffer.from('%PDF we take it back');
    await files(own, firm, address, letter);

    // The operator sees that something waits, wherever they are.
    await page.goto(`${own.service.origin}/trash`);
    await page.getByRole('link', { name: /^Fleet\s*1$/ }).click();
    await page.getByRole('link', { name: '1 notice waits for somebody to take note.' }).waitFor();
    const tile = page.getByRole('article').filter({ has: page.getByRole('button', { name: 'amber', exact: true }) });
    await tile.getByText(/^Lease ends .* in 300 days$/).waitFor();
    await sound(page, 'console-noticed');
    await tile.getByRole('link', { name: '1 open notice of amber' }).click();
    await page.getByRole('heading', { name: 'Notices of amber' }).waitFor();
    await sound(page, 'notices');
    await page.getByRole('link', { name: 'amber filed it at its desk' }).click();
    await page.getByText('The building is sold.').waitFor();
    await page.getByText('A firm filed a notice').waitFor();
    await sound(page, 'notice');
    const document = await kept(page, () => page.getByRole('link', { name: /letter\.pdf/ }).click(), own, 'letter.pdf');
    assert.ok((await readFile(document)).equals(letter), 'what the firm attached');
    await page.getByRole('button', { name: 'Take note' }).click();
    await page.getByText('Somebody took note of a notice').waitFor();
    await page.getByRole('link', { name: 'Fleet', exact: true }).waitFor();

    // It is left by a date, which is said to be met or missed, and certified.
    await page.getByRole('link', { name: 'Move everything away from amber' }).click();
    await page.getByRole('button', { name: 'Move everything away…' }).click();
    await page.getByLabel('By when').fill(dayIn(29));
    await sound(page, 'firm-leave');
    await page.getByRole('dialog').getByRole('button', { name: 'Move everything away' }).click();
    await page.getByText(/Everything is being moved away by|Everything is proven to stand without it/).first().waitFor();
    await picture(page, 'firm-moving');
    await page.getByRole('heading', { name: 'Certificate' }).waitFor();
    await sound(page, 'firm-certified');
    const certificate = JSON.parse(await readFile(await kept(page, () => page.getByRole('button', { name: 'Download the certificate' }).click(), own, 'certificate.json')));
    const order = (await get(own, page, 'fleet')).providers.find(({ name }) => name === 'amber').targets[0].evacuation;
    assert.deepEqual([certificate.order, certificate.certificate], [order.order, order.certificate]);

    await page.getByRole('button', { name: 'Read everything without it' }).click();
    await page.getByText('everything that was asked for could be read').waitFor();
    await page.getByRole('button', { name: 'Retire it…' }).click();
    const end = page.getByRole('dialog');
    await end.getByText(/at 1 target will be deleted/).waitFor();
    await end.getByLabel(/Type “amber”/).fill('birch');
    assert.ok(await end.getByRole('button', { name: 'Retire amber' }).isDisabled(), 'another firm’s name retires nobody');
    await sound(page, 'firm-retire');
    await end.getByLabel(/Type “amber”/).fill('amber');
    await end.getByRole('button', { name: 'Retire amber' }).click();
    await page.getByText('Its end was ordered').waitFor();

    // A desk that is closed opens no more.
    await page.goto(`${own.service.origin}/fleet/leases`);
    await page.getByRole('button', { name: 'Close the desk of A-17' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close the desk' }).click();
    await page.getByText('The firm has no desk').waitFor();
    await firm.reload();
    await firm.getByText('does not open this desk').waitFor();
    assert.deepEqual([...page.complaints, ...firm.complaints], []);
  });
});

test('what came by letter is entered, and the whole ledger is read and verified', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    // More entries than one answer of the service has.
    for (let batch = 0; batch < 11; batch++) {
      const said = Array.from({ length: 20 }, (_, one) => post(own, page, 'fleet/providers', { name: 'birch', labels: { note: `${batch}-${one}` } }));
      for (const answer of await Promise.all(said)) assert.ok(answer.ok(), await answer.text());
    }
    await page.goto(`${own.service.origin}/fleet/notices`);
    await page.getByText('Nothing waits for you.').waitFor();
    await page.getByRole('button', { name: 'Enter a notice' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('We state something to a firm').check();
    await form.getByRole('combobox', { name: 'Firm' }).selectOption('birch');
    await form.getByLabel('Its words').fill('Preserve these servers while proceedings are pending.');
    await form.getByLabel('The letter itself').setInputFiles({ name: 'statement.txt', mimeType: 'text/plain', buffer: Buffer.from('signed') });
    await sound(page, 'notice-form');
    await form.getByRole('button', { name: 'Enter it' }).click();
    await page.getByRole('heading', { name: 'You to birch' }).waitFor();
    await page.getByRole('link', { name: /statement\.txt/ }).waitFor();
    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByText('A statement to a firm was released').waitFor();

    await page.getByRole('link', { name: 'Ledger' }).click();
    await page.getByRole('heading', { name: 'Entries' }).waitFor();
    const lines = page.locator('ol > li');
    await lines.first().getByText('A statement to a firm was released').waitFor();
    assert.equal(await lines.count(), 200);
    await lines.first().locator('summary').click();
    await sound(page, 'ledger');
    await page.getByRole('button', { name: 'Earlier entries' }).click();
    await page.getByText('That was the first one.').waitFor();
    const { size, key } = await get(own, page, 'ledger/checkpoint');
    assert.equal(await lines.count(), size, 'each entry once');
    assert.equal(await page.getByLabel('Key that signatures').inputValue(), key);
    const whole = await kept(page, () => page.getByRole('link', { name: 'Download the whole ledger' }).click(), own, 'ledger.txt');
    assert.match(holdfast('ledger', 'verify', whole, '--key', key), new RegExp(`${size} entries`));
    await writeFile(whole, (await readFile(whole, 'utf8')).replace('note=3-7', 'note=3-8'));
    assert.throws(() => holdfast('ledger', 'verify', whole, '--key', key), /was changed/);
    assert.deepEqual(page.complaints, []);
  });
});
