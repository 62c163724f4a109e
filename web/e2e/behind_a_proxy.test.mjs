// Where the page is served: by number over plain HTTP, and behind nginx with TLS below a path.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { PASSWORD, Service, choose, claim, noise, row, visitor, world } from './world.mjs';

const film = { name: 'film.bin', mimeType: 'application/octet-stream', buffer: noise(3, 3_000_000) };

test('by number and without TLS, a link is copied by hand where the browser does not let a page copy', async () => {
  await world(async (own) => {
    await own.service.kill();
    own.service = await Service.start(join(own.folder, 'other'), '127.0.0.2:0');
    const page = await visitor(own);
    await claim(own, page);
    assert.equal(await page.evaluate(() => globalThis.isSecureContext), true, 'a loopback address is trusted by Chromium');
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.secure, cookie.httpOnly, cookie.sameSite], ['holdfast', false, true, 'Lax']);
    await choose(page, [film]);
    await page.getByText('1 file uploaded').waitFor();
    await page.getByRole('button', { name: 'Copy link' }).first().click();
    await page.getByText('Link copied').or(page.locator('input[readonly]')).first().waitFor();
    assert.deepEqual(page.complaints, []);
  });
});

test('below a path behind nginx with TLS everything works, and the cookie is for this host alone', async () => {
  await world(async (own) => {
    const { port, certificate, end } = await nginx(own);
    try {
      const page = await visitor(own, { ignoreHTTPSErrors: true });
      const service = { ...own.service, page: own.service.page.replace(own.service.origin, `https://127.0.0.1:${port}/cloud`) };
      await claim({ service }, page);
      const [cookie] = await page.context().cookies();
      assert.deepEqual([cookie.name, cookie.secure, cookie.path], ['__Host-holdfast', true, '/']);
      await choose(page, [film]);
      await page.getByText('1 file uploaded').waitFor();
      await page.reload();
      await row(page, 'film.bin').waitFor();
      const bytes = await page.request.get(`https://127.0.0.1:${port}/cloud/api/v1/files/film.bin`);
      assert.ok((await bytes.body()).equals(film.buffer));
      // The commands find their way there as well.
      const home = join(own.folder, 'home');
      const env = { PATH: process.env.PATH, HOME: home, SSL_CERT_FILE: certificate };
      const holdfast = (args, input = '') => execFileSync(process.env.HOLDFAST_PROGRAM, args, { env, input, encoding: 'utf8' });
      const address = `https://127.0.0.1:${port}/cloud`;
      holdfast(['login', address, '--name', 'alice', '--password-stdin'], `${PASSWORD}\n`);
      assert.equal(holdfast(['ls']), 'film.bin\n');
      await writeFile(join(own.folder, 'more.bin'), noise(4, 2_000_000));
      holdfast(['put', join(own.folder, 'more.bin'), '/']);
      holdfast(['get', 'more.bin', join(own.folder, 'back.bin')]);
      assert.ok((await readFile(join(own.folder, 'back.bin'))).equals(noise(4, 2_000_000)));
      assert.match(holdfast(['share', 'add', 'more.bin']), new RegExp(`^${address}/s/`));
      holdfast(['logout']);
      await page.getByRole('link', { name: 'Shares' }).first().click();
      await page.waitForURL(`https://127.0.0.1:${port}/cloud/shares`);
      assert.deepEqual(page.complaints, []);
    } finally {
      await end();
    }
  });
});

async function nginx(own) {
  const folder = join(own.folder, 'nginx');
  await mkdir(folder);
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const ours = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '2', ...ours, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`);
  await writeFile(join(folder, 'nginx.conf'), `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; ${paths.join(' ')}
  server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;
    location /cloud/ {
      proxy_pass http://${own.service.listen}/; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Prefix /cloud;
    }
  }
}`);
  const path = `${process.env.PATH}:/usr/sbin`;
  const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], { stdio: 'inherit', env: { ...process.env, PATH: path } });
  await listening(port);
  const end = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { port, certificate, end };
}

/** A port below those that connections are given. */
async function freePort() {
  for (let port = 20_000 + (process.pid % 5_000); port < 32_000; port++) {
    const server = createServer();
    const free = await new Promise((done) => server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true)));
    if (!free) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
  throw new Error('no port is free');
}

async function listening(port) {
  for (let tries = 0; tries < 1_500; tries++) {
    const open = await new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => done(true)).once('error', () => done(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('nginx never listened');
}
