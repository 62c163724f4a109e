// A film is seen from its middle, also while a firm is gone: the browser asks for what it shows, not for all of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { claim, row, visitor, world } from './world.mjs';

const run = promisify(execFile);

/** Twenty seconds of noise, a few megabytes each, whose index lies at the end as cameras write it. */
async function film(folder) {
  const path = join(folder, 'film.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=20', '-vf', 'noise=alls=90:allf=t'];
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '20M', '-pix_fmt', 'yuv420p', '-g', '25'];
  await run('ffmpeg', ['-v', 'error', ...picture, ...coded, '-threads', '2', path]);
  return readFile(path);
}

/** What the answers brought: first byte and whole size of each. */
function ranges(page) {
  const all = [];
  page.on('response', (response) => {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers()['content-range'] ?? '');
    if (range !== null) all.push({ status: response.status(), from: Number(range[1]), size: Number(range[2]) });
  });
  return all;
}

/** Goes to a second and waits until its picture is there. */
const seek = (page, second) =>
  page.locator('video').evaluate(
    (video, to) =>
      new Promise((done, failed) => {
        video.addEventListener('error', () => failed(new Error(video.error?.message)));
        video.addEventListener('seeked', () => done({ time: video.currentTime, state: video.readyState }), { once: true });
        video.currentTime = to;
      }),
    second,
  );

test('a film is seen from its middle, also while a firm is gone', async () => {
  await world(async (own) => {
    const page = await visitor(own);
    await claim(own, page);
    const bytes = await film(own.folder);
    assert.ok(bytes.length > 20_000_000, `${bytes.length} bytes`);
    const sent = await page.request.put(`${own.service.origin}/api/v1/files/film.mp4`, { data: bytes, headers: { 'Content-Type': 'video/mp4' } });
    assert.ok(sent.ok(), await sent.text());
    await page.reload();
    const asked = ranges(page);
    await row(page, 'film.mp4').dblclick();
    await page.locator('video').waitFor();
    await page.waitForFunction(() => document.querySelector('video')?.readyState >= 1);
    const length = await page.locator('video').evaluate((video) => video.duration);
    assert.ok(Math.abs(length - 20) < 0.2, `${length} s`);

    let seen = await seek(page, 15);
    assert.ok(seen.time >= 15 && seen.state >= 2, JSON.stringify(seen));
    assert.ok(
      asked.some(({ status, from, size }) => status === 206 && size === bytes.length && from > size / 2),
      JSON.stringify(asked),
    );

    await rm(join(own.service.data, 'providers', 'cedar'), { recursive: true });
    const before = asked.length;
    // A film that was never looked at: nothing of it is in the browser.
    await page.goto(own.service.origin);
    await row(page, 'film.mp4').dblclick();
    await page.waitForFunction(() => document.querySelector('video')?.readyState >= 1);
    seen = await seek(page, 8);
    assert.ok(seen.time >= 8 && seen.state >= 2, JSON.stringify(seen));
    assert.ok(asked.length > before, 'it was asked for anew');

    // A guest sees it in the same way.
    const { code } = await (await page.request.post(`${own.service.origin}/api/v1/shares`, { data: { path: '/film.mp4' } })).json();
    const guest = await visitor(own);
    await guest.goto(`${own.service.origin}/s/${code}`);
    await guest.locator('video').waitFor();
    seen = await seek(guest, 12);
    assert.ok(seen.time >= 12 && seen.state >= 2, JSON.stringify(seen));
    assert.deepEqual([...page.complaints, ...guest.complaints], []);
  });
});
