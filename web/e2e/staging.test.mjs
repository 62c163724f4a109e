// What operators order from the page: a kind of upkeep is paused, changes are staged and made by whoever saw them, and one
// target is left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, claim, fits, get, noise, picture, sound, visitor, world } from './world.mjs';

const DAY_MS = 86_400_000;

async function post(own, page, path, data) {
  const answer = await page.request.post(`${own.service.origin}/api/v1/${path}`, { data });
  assert.ok(answer.ok(), await answer.text());
  return answer.json();
}

/** A day as a field for days has it. */
function dayIn(days) {
  const at = new Date(Date.now() + days * DAY_MS);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** The same view in German, whose words are longer. */
async function inGerman(own, page, name, words) {
  const storageState = await page.context().storageState();
  const other = await visitor(own, { storageState, locale: 'de-DE', viewport: { width: 390, height: 1400 } });
  await other.goto(page.url());
  await other.getByText(words).first().waitFor();
  await fits(other);
  await picture(other, `${name}-german-narrow`);
  await other.setViewportSize({ width: 1280, height: 1400 });
  await picture(other, `${name}-german-wide`);
  assert.deepEqual(other.complaints, []);
  await other.context().close();
}

/** The only target of a firm, as it stands. */
async function targetOf(own, page, firm) {
  return (await get(own, page, 'fleet')).providers.find(({ name }) => name === firm).targets[0];
}

async function repairJob(own, page) {
  return (await get(own, page, 'fleet/jobs')).jobs.find(({ kind }) => kind === 'repair');
}

test('a kind of upkeep is paused from the page, and goes on', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await page.goto(`${own.service.origin}/fleet`);
    await page.getByRole('link', { name: /^All jobs/ }).click();
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    await page.getByText('Nothing is paused, silent or failed.').waitFor();
    await page.getByRole('button', { name: 'Pause: Repair' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pause: Repair' });
    await dialog.getByText('Nothing is made again until it is resumed').waitFor();
    await dialog.getByText('After 24 hours without it a notice reminds you.').waitFor();
    await sound(page, 'job-pause');
    assert.equal((await repairJob(own, page)).paused, null, 'to be asked is not to be paused');
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText(/Paused by alice since/).waitFor();
    assert.equal((await repairJob(own, page)).paused.by, 'alice');
    await sound(page, 'jobs');
    await inGerman(own, page, 'jobs', 'Angehalten von alice');
    await page.getByRole('button', { name: 'Resume: Repair' }).click();
    await page.getByText('Nothing is paused, silent or failed.').waitFor();
    assert.equal((await repairJob(own, page)).paused, null);
    assert.deepEqual(page.complaints, []);
  });
});

test('changes are staged, looked at and applied; an older number is refused; one target is left', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    await choose(page, [{ name: 'film.bin', mimeType: 'application/octet-stream', buffer: noise(1, 9_000_000) }]);
    await page.getByText('1 file uploaded').waitFor();
    const at = (path) => page.goto(`${own.service.origin}/${path}`);
    await at('fleet/stage');
    await page.getByText('Nothing is staged.').waitFor();
    await page.getByText('always', { exact: true }).waitFor();
    await sound(page, 'stage-empty');

    // Labels that two firms share, said on their pages, and the constraint that makes them one: nothing of it is done yet.
    for (const firm of ['amber', 'birch']) {
      await at(`fleet/firms/${firm}`);
      await page.getByLabel('Label', { exact: true }).fill('country');
      await page.getByLabel('Value', { exact: true }).fill('NL');
      await page.getByRole('button', { name: 'Stage it', exact: true }).click();
      await page.getByText(/staged, and not done yet/).waitFor();
    }
    await sound(page, 'firm-labels');
    await at('fleet/stage');
    await page.getByText('amber: the label country becomes NL').waitFor();
    await page.getByRole('button', { name: /^Make these 2 changes/ }).click();
    await page.getByText('Nothing is staged.').waitFor();
    await page.getByLabel('Label that becomes a constraint').fill('country');
    await page.getByRole('button', { name: 'Stage it', exact: true }).click();
    await page.getByText('country becomes a constraint: firms that share it count as one').waitFor();
    await page.getByRole('rowheader', { name: 'Count as one firm' }).waitFor();
    await sound(page, 'stage-constraint');
    await inGerman(own, page, 'stage-constraint', 'country');
    assert.deepEqual((await get(own, page, 'fleet/constraints')).as_one, []);
    await page.getByRole('button', { name: /^Make this change/ }).click();
    await page.getByText('Count as one now: amber and birch.').waitFor();
    assert.deepEqual((await get(own, page, 'fleet/constraints')).as_one, [['amber', 'birch']]);
    await page.getByRole('button', { name: 'country: a constraint no longer' }).click();
    await page.getByRole('button', { name: /^Make this change/ }).click();
    await page.getByText('Nothing is staged.').waitFor();
    assert.deepEqual((await get(own, page, 'fleet/constraints')).as_one, []);

    // Staged from a button, and from a dialog; nothing is done yet.
    await at('fleet/firms/amber');
    await page.getByRole('checkbox', { name: /^Stage it/ }).check();
    await page.getByRole('button', { name: 'Take nothing new' }).click();
    await page.getByText('1 change is staged, and not done yet.').waitFor();
    await at('fleet/firms/birch');
    await page.getByRole('button', { name: 'Move everything away…' }).click();
    const leave = page.getByRole('dialog');
    await leave.getByLabel('By when').fill(dayIn(29));
    await leave.getByRole('checkbox', { name: /^Stage it/ }).check();
    await sound(page, 'stage-instead');
    await leave.getByRole('button', { name: 'Stage it' }).click();
    await page.getByText('2 changes are staged, and not done yet.').waitFor();
    assert.equal((await targetOf(own, page, 'amber')).cordoned, false);
    assert.equal((await targetOf(own, page, 'birch')).evacuation, null);
    await at('fleet');
    await page.getByRole('link', { name: '2 changes are staged, and not done yet.' }).click();

    // The effect is what the service says.
    await page.getByText('amber takes nothing new').waitFor();
    await page.getByText(/^Everything is moved away from birch by/).waitFor();
    const { effect } = await get(own, page, 'fleet/stage');
    const line = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'Firms that take new shards' }) });
    const [now, then] = await line.getByRole('cell').allInnerTexts();
    assert.deepEqual([parseInt(now, 10), parseInt(then, 10)], [effect.before.firms, effect.after.firms]);
    assert.equal(effect.after.firms, effect.before.firms - 2);
    await page.getByRole('heading', { name: 'If one firm were lost' }).waitFor();
    await sound(page, 'stage');
    await inGerman(own, page, 'stage', 'amber nimmt nichts Neues');

    // Somebody adds to it: whoever saw the list before is told, and nothing is done.
    const other = await page.context().newPage();
    await other.goto(`${own.service.origin}/fleet/stage`);
    await other.getByRole('button', { name: /^Make these 2 changes/ }).waitFor();
    const { address } = await targetOf(own, page, 'cedar');
    const { number } = await post(own, page, 'fleet/stage', { changes: [{ verb: 'cordon', target: address }] });
    await other.getByRole('button', { name: /^Make these 2 changes/ }).click();
    await other.getByText(`It changed meanwhile: this is stage ${number} now.`).waitFor();
    assert.equal((await targetOf(own, page, 'amber')).cordoned, false);
    await sound(other, 'stage-changed');
    await other.getByRole('button', { name: `Make these 3 changes (stage ${number})` }).click();
    await other.getByText('3 changes are made').waitFor();
    assert.equal((await targetOf(own, page, 'amber')).cordoned, true);
    assert.equal((await targetOf(own, page, 'cedar')).cordoned, true);
    assert.ok((await targetOf(own, page, 'birch')).evacuation);
    await page.getByRole('button', { name: /^Make these 2 changes/ }).click();
    await page.getByText('Nothing is staged any more').waitFor();

    // One target alone, with the same dialogs as its firm.
    await post(own, page, 'fleet/orders', { provider: 'birch', order: 'cancel' });
    await post(own, page, 'fleet/orders', { provider: 'amber', order: 'uncordon' });
    await at('fleet/firms/cedar');
    const part = page.getByRole('listitem').filter({ hasText: address }).first();
    await part.locator('summary').click();
    await part.getByRole('button', { name: 'Look at it now' }).click();
    await page.getByText(`${address}: up`).waitFor();
    await part.getByRole('button', { name: 'Take new shards again' }).click();
    await part.getByRole('button', { name: 'Move everything away…' }).click();
    await page.getByRole('dialog', { name: `Move everything away from ${address}` }).getByLabel('By when').fill(dayIn(29));
    await page.getByRole('dialog').getByRole('button', { name: 'Move everything away' }).click();
    await part.getByText(/Everything is being moved away by|Everything is proven to stand without it/).first().waitFor();
    assert.ok((await targetOf(own, page, 'cedar')).evacuation);
    await part.getByRole('button', { name: 'Take it back' }).waitFor();
    await sound(page, 'firm-target');
    await inGerman(own, page, 'firm-target', 'Ziele');
    assert.deepEqual(page.complaints, []);
  });
});
