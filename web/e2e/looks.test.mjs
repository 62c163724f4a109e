// What is true of every view: it fits a phone, a screen reader finds its way, and what users store never runs.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { choose, claim, link, row, visitor, world } from './world.mjs';

const axe = createRequire(import.meta.url)('axe-core').source;
const VIEWS = ['', 'search', 'shared', 'shares', 'trash', 'people', 'reports', 'fleet', 'fleet/notices', 'fleet/firms/amber', 'fleet/leases', 'fleet/ledger', 'service', 'account', 'account/webhooks', 'forgot', 'mail', 'oidc/no_account'];

/** Keeps a picture, for people, where HOLDFAST_PICTURES says. */
async function picture(page, name) {
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replaceAll('/', '-')}.png`) });
}

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(' ')}`);
}

test('every view fits a phone and can be read aloud', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const files = ['letter to nobody.txt', 'Fotos 2012.zip', 'an endlessly long name that no window is wide enough for, not even a very wide one.txt'];
    await choose(page, files.map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) })));
    await page.getByText('3 files uploaded').waitFor();
    await link(own, page, files[0]);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const view of VIEWS) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.goto(`${own.service.origin}/${view}`);
        await page.locator('h1').first().waitFor();
        await page.waitForLoadState('networkidle');
        await picture(page, `${view || 'files'}-${scheme}-wide`);
        assert.deepEqual(await violations(page), [], `${view} ${scheme}`);
        await page.setViewportSize({ width: 360, height: 740 });
        await picture(page, `${view || 'files'}-${scheme}-narrow`);
        const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= shown, `${view}: ${wide} px in a window of ${shown}`);
      }
    }
    assert.deepEqual(page.complaints, []);
  });
});

test('names and contents that would be scripts are names and contents', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    const dialogs = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
    await claim(own, page);
    const name = '<img src=x onerror=alert(1)>.svg';
    const script = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(2)</script></svg>');
    await choose(page, [
      { name, mimeType: 'image/svg+xml', buffer: script },
      { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>alert(3)</script>') },
    ]);
    await page.getByText('2 files uploaded').waitFor();
    await row(page, name).dblclick();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    for (const path of [encodeURIComponent(name), 'page.html']) {
      const answer = await page.request.get(`${own.service.origin}/api/v1/files/${path}`);
      assert.match(answer.headers()['content-disposition'], /^attachment/);
      assert.match(answer.headers()['content-security-policy'], /sandbox/);
    }
    assert.deepEqual(dialogs, []);
  });
});
