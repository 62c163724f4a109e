// PDFs in the viewer: own ones, shared ones and those of a link; long ones piece by piece, broken and locked ones by a card.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { claim, fits, noise, row, violations, visitor, world } from './world.mjs';

/** A PDF of pages that say their numbers; each carries `ballast` bytes that nothing draws. */
function pdf(pages, { ballast = 0, trailer = '' } = {}) {
  const parts = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const places = [];
  let length = parts[0].length;
  const put = (bytes) => {
    parts.push(bytes);
    length += bytes.length;
  };
  const object = (head, stream) => {
    places.push(length);
    const data = stream === undefined ? [] : [Buffer.from('stream\n'), stream, Buffer.from('\nendstream\n')];
    put(Buffer.concat([Buffer.from(`${places.length} 0 obj\n${head}\n`), ...data, Buffer.from('endobj\n')]));
  };
  // As most programs write it: what pages there are stands together, and apart from what is on them.
  const kids = Array.from({ length: pages }, (_, at) => `${4 + at} 0 R`).join(' ');
  object('<< /Type /Catalog /Pages 2 0 R >>');
  object(`<< /Type /Pages /Count ${pages} /Kids [${kids}] >>`);
  object('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  for (let at = 0; at < pages; at += 1) {
    const own = 4 + pages + at * 2;
    object(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${own} 0 R /Resources << /Font << /F1 3 0 R >> /XObject << /B ${own + 1} 0 R >> >> >>`);
  }
  for (let at = 0; at < pages; at += 1) {
    const words = Buffer.from(`0.04 0.36 0.4 rg 72 700 200 40 re f 0 g BT /F1 28 Tf 72 640 Td (Leaf ${at + 1} of the book) Tj ET`);
    object(`<< /Length ${words.length} >>`, words);
    object(`<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Length ${ballast} >>`, noise(at + 1, ballast));
  }
  const table = length;
  const rows = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('');
  put(Buffer.from(`xref\n0 ${places.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${places.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${table}\n%%EOF\n`));
  return Buffer.concat(parts);
}

const hex = (byte, count) => `<${byte.repeat(count)}>`;
/** It wants a password that nobody has. */
const LOCK = `/ID [${hex('11', 16)} ${hex('11', 16)}] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O ${hex('ab', 32)} /U ${hex('cd', 32)} >>`;

async function put(own, page, path, data) {
  const headers = { 'Content-Type': 'application/pdf' };
  const answer = await page.request.put(`${own.service.origin}/api/v1/files/${path}`, { data, headers });
  assert.equal(answer.status(), 201, path);
}

/** Keeps a picture where HOLDFAST_PICTURES says, wide and narrow, by day and by night. */
async function pictures(page, name) {
  const folder = process.env.HOLDFAST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 375]) {
      await page.setViewportSize({ width, height: 800 });
      await page.locator('.sheet canvas').first().waitFor();
      await page.waitForTimeout(400);
      await fits(page);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}

const drawn = (page) => page.locator('.sheet canvas').count();
const leaf = (page, number) => page.getByRole('group', { name: `Page ${number}`, exact: true }).getByText(`Leaf ${number} of the book`);

/** What of a canvas is not white. */
const inked = (page) =>
  page.locator('.sheet canvas').first().evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] < 128) count += 1;
    return count;
  });

/** Notes what the content security policy forbids. */
function watched(page) {
  page.on('console', (said) => {
    if (/Content Security Policy|Refused to/.test(said.text())) page.complaints.push(said.text());
  });
  return page;
}

test('a PDF is looked at: its owner page by page, somebody it is shared with, and a guest', async () => {
  await world(async (own) => {
    const page = watched(await visitor(own));
    await claim(own, page);
    const book = pdf(40);
    await put(own, page, 'books/harbour.pdf', book);
    await put(own, page, 'books/broken.pdf', Buffer.concat([book.subarray(0, 500), noise(3, 4000)]));
    await put(own, page, 'books/locked.pdf', pdf(2, { trailer: LOCK }));
    await page.goto(`${own.service.origin}/files/books/`);

    await row(page, 'harbour.pdf').dblclick();
    await leaf(page, 1).waitFor();
    assert.ok((await inked(page)) > 1000, 'the page is drawn');
    await page.getByText('of 40').waitFor();
    assert.deepEqual(await violations(page), []);
    await pictures(page, 'pdf');
    await leaf(page, 1).waitFor();

    // Only what is near is drawn, wherever one is.
    await page.getByLabel('Page', { exact: true }).fill('31');
    await page.keyboard.press('Enter');
    await leaf(page, 31).waitFor();
    await leaf(page, 1).waitFor({ state: 'detached' });
    assert.ok((await drawn(page)) <= 4, `${await drawn(page)} pages are drawn`);
    await page.getByRole('region', { name: 'Pages of harbour.pdf' }).focus();
    await page.keyboard.press('Home');
    await leaf(page, 1).waitFor();
    await page.keyboard.press('End');
    await leaf(page, 40).waitFor();
    await page.waitForFunction(() => document.querySelector('[role=toolbar] input')?.value === '40');
    await page.keyboard.press('Home');
    await leaf(page, 1).waitFor();
    const narrow = (await page.locator('.sheet').first().boundingBox()).width;
    await page.keyboard.press('+');
    await page.getByTitle('As wide as the window (0)').getByText('125 %').waitFor();
    assert.ok((await page.locator('.sheet').first().boundingBox()).width > narrow);
    await page.keyboard.press('0');
    await page.getByText('100 %').waitFor();

    // What cannot be shown can be downloaded.
    await page.keyboard.press('ArrowRight');
    await page.getByText('It has a password of its own.').waitFor();
    await page.keyboard.press('ArrowLeft');
    await leaf(page, 1).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.getByText('It cannot be shown. Try to download it instead.').waitFor();
    await page.getByRole('dialog').getByRole('link', { name: 'Download' }).last().waitFor();
    await page.keyboard.press('Escape');

    const give = (data) => page.request.post(`${own.service.origin}/api/v1/shares`, { data }).then((answer) => answer.json());
    const guest = watched(await visitor(own));
    await guest.goto(`${own.service.origin}/s/${(await give({ path: '/books/harbour.pdf' })).code}`);
    await leaf(guest, 1).waitFor();
    assert.deepEqual(await violations(guest), []);
    await pictures(guest, 'pdf-guest');
    await guest.goto(`${own.service.origin}/s/${(await give({ path: '/books' })).code}?open=harbour.pdf`);
    await leaf(guest, 1).waitFor();
    await guest.goto(`${own.service.origin}/s/${(await give({ path: '/books/locked.pdf', downloads_max: 2 })).code}`);
    await guest.getByText('No preview, since each one would count as a download.').waitFor();

    const { code } = await (await page.request.post(`${own.service.origin}/api/v1/invitations`, { data: { role: 'user', days: 1 } })).json();
    const bob = watched(await visitor(own));
    await claim({ service: { page: `${own.service.origin}/join#${code}` } }, bob, 'bob');
    const grant = await page.request.post(`${own.service.origin}/api/v1/grants`, { data: { path: '/books', to: 'bob', rights: 'read' } });
    const { id } = await grant.json();
    await bob.goto(`${own.service.origin}/shared/${id}?open=harbour.pdf`);
    await leaf(bob, 1).waitFor();
    assert.deepEqual([...page.complaints, ...guest.complaints, ...bob.complaints], []);
  });
});

test('of a long PDF comes only what is looked at', async () => {
  await world(async (own) => {
    const page = watched(await visitor(own));
    await claim(own, page);
    const book = pdf(120, { ballast: 200_000 });
    await put(own, page, 'atlas.pdf', book);
    let came = 0;
    const pieces = [];
    page.on('response', (answer) => {
      if (!answer.url().includes('/api/v1/files/atlas.pdf') || answer.status() !== 206) return;
      pieces.push(answer.request().headers().range);
      came += Number(answer.headers()['content-length'] ?? 0);
    });
    await page.goto(`${own.service.origin}/?open=atlas.pdf`);
    await leaf(page, 1).waitFor();
    await page.getByLabel('Page', { exact: true }).fill('90');
    await page.keyboard.press('Enter');
    await leaf(page, 90).waitFor();
    assert.ok(pieces.length > 1, `asked for ${pieces}`);
    assert.ok(came < book.length / 2, `${came} of ${book.length} bytes came`);
    assert.ok((await drawn(page)) <= 4);
    assert.deepEqual(page.complaints, []);
  });
});
