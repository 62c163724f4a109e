// Resumable uploads, beside the server that the protocol's authors wrote: one list of requests goes to both, and what a client
// goes by is the same in both answers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
// The page's own.
import { Upload } from 'tus-js-client';
import { noise, Service } from './world.mjs';

const run = promisify(execFile);
const TUS = { 'Tus-Resumable': '1.0.0' };
const BYTES = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };
/** What a client goes by. */
const HEADERS = ['tus-resumable', 'upload-offset', 'upload-length', 'upload-defer-length'];

/** The server of the protocol's authors, on a free port. */
async function reference(folder) {
  const tus = new Server({ path: '/files', datastore: new FileStore({ directory: folder }) });
  const server = createServer((request, response) => void tus.handle(request, response));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${server.address().port}/files` };
}

/** Asks one of both, and says of the answer what a client goes by. */
async function ask(side, { method, headers = {}, body, at }) {
  const address = at === undefined ? side.url : side.made[at];
  const answer = await fetch(address, { method, headers: { ...side.headers, ...headers }, body, redirect: 'manual' });
  await answer.arrayBuffer();
  const location = answer.headers.get('location');
  if (answer.status === 201) side.made.push(new URL(location, side.url).href);
  const facts = { status: answer.status, refused: answer.status >= 400 && answer.status < 500, located: answer.status === 201 && location !== null };
  for (const name of HEADERS) facts[name] = answer.headers.get(name);
  return facts;
}

const named = (name) => ({ 'Upload-Metadata': `filename ${Buffer.from(name).toString('base64')}` });
const whole = noise(5, 100_000);
const part = (from, to) => whole.subarray(from, to);
const create = (name, length) => ({ method: 'POST', headers: { ...TUS, ...named(name), 'Upload-Length': `${length}` } });
const append = (at, offset, body) => ({ method: 'PATCH', at, headers: { ...BYTES, 'Upload-Offset': `${offset}` }, body });
const stand = (at) => ({ method: 'HEAD', at, headers: TUS });

/** `same`: what of the answers is compared; none: all that theirs says, for ours may say more. */
const STEPS = [
  ['an upload is made', create('one', 100_000)],
  ['it stands at its beginning', stand(0)],
  ['a part comes', append(0, 0, part(0, 40_000))],
  ['it stands behind that', stand(0)],
  ['the same part does not come twice', append(0, 0, part(0, 40_000)), ['status']],
  ['a part from beyond does not come', append(0, 70_000, part(70_000, 100_000)), ['status']],
  // Theirs says 400 to this and to another protocol; the protocol 415 and 412, as ours does.
  ['bytes of another type do not come', { ...append(0, 40_000, part(40_000, 50_000)), headers: { ...TUS, 'Upload-Offset': '40000', 'Content-Type': 'text/plain' } }, ['refused']],
  ['it stands where it stood', stand(0)],
  ['the rest comes', append(0, 40_000, part(40_000, 100_000))],
  // For who did not hear of it.
  ['and stands at its end', stand(0)],
  ['one comes with its first bytes', { ...create('two', 100_000), headers: { ...BYTES, ...named('two'), 'Upload-Length': '100000' }, body: part(0, 30_000) }, ['status', 'located', 'upload-offset', 'tus-resumable']],
  ['that one stands behind them', stand(1)],
  ['one whose length is said later', { method: 'POST', headers: { ...TUS, ...named('three'), 'Upload-Defer-Length': '1' } }],
  ['that one has no length', stand(2), ['status', 'upload-offset', 'upload-length', 'upload-defer-length']],
  ['its length comes with bytes', { ...append(2, 0, part(0, 10_000)), headers: { ...BYTES, 'Upload-Offset': '0', 'Upload-Length': '20000' } }],
  ['and is known', stand(2), ['status', 'upload-offset', 'upload-length', 'upload-defer-length']],
  ['no length at all', { method: 'POST', headers: { ...TUS, ...named('four') } }, ['status']],
  ['a length that is none', create('five', 'many'), ['status']],
  ['a client of another protocol', { method: 'POST', headers: { 'Tus-Resumable': '0.1.0', ...named('six'), 'Upload-Length': '1' } }, ['refused']],
  ['an upload is given up', { method: 'DELETE', at: 1, headers: TUS }, ['status']],
];

test('uploads behave as those of the protocol’s authors do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'));
  const theirs = { ...(await reference(join(folder, 'reference'))), made: [], headers: {} };
  const service = await Service.start(join(folder, 'data'));
  try {
    const token = await run(process.env.HOLDFAST_PROGRAM, ['token', 'create', '--data', service.data, '--account', 'owner']);
    const headers = { Authorization: `Bearer ${token.stdout.trim()}` };
    const ours = { url: `http://${service.listen}/api/v1/uploads/`, made: [], headers };
    for (const [what, request, same] of STEPS) {
      const [wanted, got] = [await ask(theirs, request), await ask(ours, request)];
      const compares = (name) => same?.includes(name) ?? wanted[name] !== null;
      const compared = (facts) => Object.fromEntries(Object.entries(facts).filter(([name]) => compares(name)));
      assert.deepEqual(compared(got), compared(wanted), what);
    }
    // Gone is gone, by whichever of both words.
    for (const side of [theirs, ours]) assert.ok([404, 410].includes((await ask(side, stand(1))).status));
    const kept = await fetch(`http://${service.listen}/api/v1/files/one`, { headers });
    assert.ok(Buffer.from(await kept.arrayBuffer()).equals(whole), 'the bytes are those that were sent');
    // What both speak; we speak more.
    const spoken = await Promise.all([theirs, ours].map(async (side) => (await fetch(side.url, { method: 'OPTIONS', headers: TUS })).headers.get('tus-extension').split(',')));
    assert.deepEqual(['creation', 'creation-with-upload', 'creation-defer-length', 'termination'].filter((one) => !spoken.every((all) => all.includes(one))), []);
  } finally {
    theirs.server.close();
    await service.kill().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
});

test('the protocol’s client sends a file over several connections, and it becomes one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'));
  const service = await Service.start(join(folder, 'data'));
  try {
    const token = await run(process.env.HOLDFAST_PROGRAM, ['token', 'create', '--data', service.data, '--account', 'owner']);
    const headers = { Authorization: `Bearer ${token.stdout.trim()}` };
    const bytes = noise(6, 5_000_000);
    await new Promise((onSuccess, onError) => {
      const endpoint = `http://${service.listen}/api/v1/uploads/`;
      new Upload(bytes, { endpoint, headers, parallelUploads: 3, metadata: { filename: 'film' }, onSuccess, onError }).start();
    });
    const { entries } = await (await fetch(`http://${service.listen}/api/v1/files/`, { headers })).json();
    assert.deepEqual(entries.map(({ name, size }) => [name, size]), [['film', bytes.length]]);
    const kept = await fetch(`http://${service.listen}/api/v1/files/film`, { headers });
    assert.ok(Buffer.from(await kept.arrayBuffer()).equals(bytes), 'the bytes are those that were sent');
  } finally {
    await service.kill().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
});
