// The operator's face: name, colour, logo and terms are seen by everybody, and whoever may join does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, claim, fits, violations, visitor, world } from './world.mjs';

const NAME = 'Harbour of Hamburg';
// Too light for a light page, as many a firm's yellow is.
const COLOUR = '#ffd400';

const card = (page, heading) => page.locator('.card').filter({ has: page.getByRole('heading', { name: heading, exact: true }) });
const about = async (own, page) => (await page.request.get(`${own.service.origin}/api/v1/service`)).json();

async function save(page, heading) {
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith('/api/v1/service') && one.request().method() === 'PATCH'),
    card(page, heading).getByRole('button', { name: 'Save' }).click(),
  ]);
  assert.equal(answer.status(), 200, await answer.text());
}

/** A picture larger than the service takes. */
async function picture(page) {
  const text = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 600, height: 400 });
    const brush = canvas.getContext('2d');
    const data = brush.createImageData(600, 400);
    for (let at = 0, state = 1; at < data.data.length; at += 1) {
      state = (state * 48271) % 2147483647;
      data.data[at] = at % 4 === 3 ? 255 : state & 255;
    }
    brush.putImageData(data, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
  });
  return { name: 'logo.png', mimeType: 'image/png', buffer: Buffer.from(text, 'base64') };
}

/** Contrast of the main button's words to it, and of a link to what lies behind it. */
async function contrasts(page) {
  return page.evaluate(() => {
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
      const [red, green, blue] = parts(colour).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const ratio = (one, other) => Math.max(light(one) / light(other), light(other) / light(one));
    const button = getComputedStyle(document.querySelector('.button.main'));
    const paper = getComputedStyle(document.body).backgroundColor;
    return { words: ratio(button.color, button.backgroundColor), ground: ratio(button.backgroundColor, paper), colour: button.backgroundColor };
  });
}

test('the operator gives the service a face, and somebody new joins by it', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const house = await visitor(own);
    await house.goto(own.service.origin);
    await house.getByText('Accounts are made by invitation.').waitFor();
    assert.equal(await house.getByRole('navigation', { name: 'About this service' }).count(), 0, 'what was not said is not linked');
    const { colour: teal } = await contrasts(house);

    await page.getByRole('link', { name: 'Service' }).click();
    await page.getByRole('heading', { name: 'Name and colour' }).waitFor();
    const face = card(page, 'Name and colour');
    await face.getByLabel('Name').fill(NAME);
    await face.getByLabel('A colour of your own').check();
    await face.getByLabel('Colour', { exact: true }).fill(COLOUR);
    await face.getByText('on light: contrast').waitFor();
    await save(page, 'Name and colour');
    await page.waitForFunction((name) => document.title === name, NAME);

    const logo = await picture(page);
    assert.ok(logo.buffer.length > 64 * 1024);
    await page.locator('input[type=file]').setInputFiles({ name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.getByText('This is no picture that this browser can read.').waitFor();
    await page.locator('input[type=file]').setInputFiles(logo);
    await page.getByAltText('The logo now, on light and on dark').waitFor();

    const words = card(page, 'Contact, imprint and terms');
    await words.getByLabel('Contact').fill('Ask jo@example.org.');
    const terms = words.getByRole('group', { name: 'Terms' });
    await terms.getByRole('textbox').fill('# Rules\n\nBe *kind*. <script>alert(1)</script>');
    await terms.getByRole('button', { name: 'Preview' }).click();
    await terms.frameLocator('iframe').getByRole('heading', { name: 'Rules' }).waitFor();
    await save(page, 'Contact, imprint and terms');
    const join = card(page, 'Who may join');
    await join.getByLabel('Anybody').check();
    await join.getByLabel('A limit').check();
    await join.getByLabel('At most').fill('2');
    await save(page, 'Who may join');
    const { sign_up, new_quota_bytes, colour, imprint } = await about(own, page);
    assert.deepEqual({ sign_up, new_quota_bytes, colour, imprint }, { sign_up: 'open', new_quota_bytes: 2e9, colour: COLOUR, imprint: null });

    // Whoever comes for the first time.
    const guest = await visitor(own);
    const asked = [];
    guest.on('request', (request) => request.url().endsWith('/api/v1/service') && asked.push(request.url()));
    await guest.goto(own.service.origin);
    await guest.getByRole('link', { name: 'Make an account' }).waitFor();
    assert.equal(asked.length, 1, 'it is asked for once');
    assert.equal(await guest.title(), NAME);
    await guest.locator('.brand', { hasText: NAME }).locator('img').waitFor();
    assert.ok(await guest.locator('.brand img').evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
    for (const scheme of ['light', 'dark']) {
      await guest.emulateMedia({ colorScheme: scheme });
      const { words: read, ground, colour: shade } = await contrasts(guest);
      assert.ok(read >= 4.5 && ground >= 4.5, `${scheme}: ${read} and ${ground}`);
      assert.notEqual(shade, teal);
      assert.deepEqual(await violations(guest), [], scheme);
    }
    const links = guest.getByRole('navigation', { name: 'About this service' });
    assert.deepEqual(await links.getByRole('link').allTextContents(), ['Terms', 'Contact']);
    await links.getByRole('link', { name: 'Terms' }).click();
    await guest.frameLocator('iframe').getByText('Be kind').waitFor();
    assert.match(guest.url(), /\/about\/terms$/);
    await guest.getByRole('link', { name: 'Contact' }).click();
    assert.equal(await guest.getByRole('link', { name: 'jo@example.org' }).getAttribute('href'), 'mailto:jo@example.org');
    await guest.goBack();
    await guest.goBack();

    await guest.getByRole('link', { name: 'Make an account' }).click();
    await guest.getByText('Your account holds up to 2 GB.').waitFor();
    await guest.setViewportSize({ width: 375, height: 740 });
    await fits(guest);
    assert.deepEqual(await violations(guest), []);
    await guest.getByLabel('Name').fill('bob');
    for (const field of await guest.locator('input[type=password]').all()) await field.fill(PASSWORD);
    await guest.getByRole('button', { name: 'Make account' }).click();
    const agree = guest.getByLabel('I agree to the terms');
    assert.ok(await agree.evaluate((box) => !box.validity.valid), 'nothing is made before that');
    await agree.check();
    await guest.getByRole('button', { name: 'Make account' }).click();
    await guest.getByText('Nothing here yet').waitFor();
    await guest.getByRole('heading', { name: 'Your files should come home even without us' }).waitFor();
    await guest.setViewportSize({ width: 1280, height: 800 });
    await guest.getByText('0 bytes of 2 GB used').waitFor();
    await guest.goto(`${own.service.origin}/account`);
    await guest.getByRole('navigation', { name: 'About this service' }).getByRole('link', { name: 'Terms' }).waitFor();

    // The next visit begins with name and colour, whenever the answer comes.
    await guest.route('**/api/v1/service', () => {});
    await guest.goto(own.service.origin);
    await guest.locator('.brand', { hasText: NAME }).locator('img').waitFor();
    assert.equal(await guest.title(), NAME);
    assert.notEqual((await contrasts(guest)).colour, teal);
    await guest.goto(`${own.service.origin}/service`);
    await guest.getByText('You may not do this.').waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints, ...house.complaints], []);
  });
});

test('a closed service says whom to ask, and takes the face off again', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const set = { name: NAME, colour: COLOUR, contact: 'Ask Jo, in the hall.', sign_up: 'closed' };
    const answer = await page.request.patch(`${own.service.origin}/api/v1/service`, { data: set });
    assert.equal(answer.status(), 200, await answer.text());
    const guest = await visitor(own);
    await guest.goto(own.service.origin);
    await guest.getByText('This service takes no new accounts now. Ask whoever runs it: Ask Jo, in the hall.').waitFor();
    assert.equal(await guest.getByRole('link', { name: 'Make an account' }).count(), 0);
    await guest.goto(`${own.service.origin}/join`);
    await guest.getByRole('heading', { name: 'No new accounts' }).waitFor();
    await guest.getByText('Ask Jo, in the hall.').waitFor();
    assert.deepEqual(await violations(guest), []);
    await guest.goto(`${own.service.origin}/about/imprint`);
    await guest.getByText('The operator of this service says nothing here.').waitFor();

    await page.goto(`${own.service.origin}/service`);
    const face = card(page, 'Name and colour');
    await face.getByLabel('The house colour').check();
    await save(page, 'Name and colour');
    await page.waitForFunction(() => document.documentElement.style.getPropertyValue('--own-light') === '');
    await page.getByRole('heading', { name: 'Who may join' }).waitFor();
    await card(page, 'Who may join').getByLabel('By invitation').check();
    await save(page, 'Who may join');
    await guest.goto(`${own.service.origin}/join`);
    await guest.getByRole('heading', { name: 'Accounts are made by invitation here' }).waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
