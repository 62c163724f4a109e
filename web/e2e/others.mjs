// Those that a service speaks to: a mail server, a sign-in elsewhere, and a program that is called. Each on a free port.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

/** Waits until `find` finds something; the test's own limit ends it. */
async function until(find) {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise((go) => setTimeout(go, 100));
  }
}

/** Starts the service again with more in its configuration; `text` begins with tables of their own. */
export async function configure(own, text) {
  await own.service.kill();
  await appendFile(join(own.service.data, 'holdfast.toml'), `\n# story\n${text}`);
  own.service = await own.service.again();
}

/** A mail server without TLS, for this machine alone. It takes everything, but for addresses that begin with `refused`. */
export async function mailbox() {
  const mails = [];
  const open = new Set();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    const say = (line) => socket.write(`${line}\r\n`);
    let [to, data, pending] = [[], null, ''];
    const line = (text) => {
      if (data !== null) {
        if (text !== '.') return void data.push(text.replace(/^\./, ''));
        mails.push({ to, text: plain(data.join('\n')) });
        [to, data] = [[], null];
        return void say('250 kept');
      }
      const verb = text.slice(0, 4).toUpperCase();
      if (verb === 'EHLO' || verb === 'HELO') return void socket.write('250-story\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n');
      if (verb === 'RCPT') {
        const address = /<(.*)>/.exec(text)?.[1] ?? '';
        if (address.startsWith('refused')) return void say('550 no such mailbox here');
        to.push(address);
      }
      if (verb === 'RSET') to = [];
      if (verb === 'DATA') {
        data = [];
        return void say('354 go on');
      }
      say(verb === 'QUIT' ? '221 bye' : '250 fine');
      if (verb === 'QUIT') socket.end();
    };
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (pending + text).split(/\r?\n/);
      pending = lines.pop();
      for (const one of lines) line(one);
    });
    say('220 story');
  });
  const port = await listening(server);
  return {
    port,
    mails,
    /** The newest mail to an address that says something, once it is there. */
    mail: (to, words) => until(() => mails.findLast((one) => one.to.includes(to) && words.test(one.text))),
    end: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** What a mail says, of its parts and encodings only what these stories need. */
function plain(text) {
  const folded = text.replace(/=\n/g, '');
  const bytes = folded.replace(/((?:=[0-9A-F]{2})+)/g, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'));
  // A part in base64 is read too; lines of words do not look like one.
  return bytes.replace(/(?:^[A-Za-z0-9+/]{40,}={0,2}\n?)+(?:^[A-Za-z0-9+/]+={0,2}$)?/gm, (part) => Buffer.from(part, 'base64').toString('utf8'));
}

/** An OpenID Connect issuer that asks whoever comes who they are. */
export async function issuer(secret) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'story', use: 'sig', alg: 'RS256' };
  const codes = new Map();
  let own = '';
  const json = (answer, status, body) => answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const server = http.createServer(async (request, answer) => {
    const url = new URL(request.url, own);
    const query = url.searchParams;
    if (url.pathname === '/.well-known/openid-configuration') {
      return void json(answer, 200, {
        issuer: own,
        authorization_endpoint: `${own}/authorize`,
        token_endpoint: `${own}/token`,
        jwks_uri: `${own}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      });
    }
    if (url.pathname === '/keys') return void json(answer, 200, { keys: [key] });
    if (url.pathname === '/authorize' && !query.has('as')) {
      const as = (who) => `${own}/authorize?${query}&as=${who}`.replaceAll('&', '&amp;');
      answer.writeHead(200, { 'content-type': 'text/html' });
      return void answer.end(`<!doctype html><title>School</title><h1>Who are you?</h1><a href="${as('ada')}">Ada</a> <a href="${as('eve')}">Eve</a> <a href="${as('')}">Nobody</a>`);
    }
    if (url.pathname === '/authorize') {
      const back = new URL(query.get('redirect_uri'));
      back.searchParams.set('state', query.get('state'));
      const who = query.get('as');
      const code = randomBytes(16).toString('hex');
      if (who === '') back.searchParams.set('error', 'access_denied');
      else back.searchParams.set('code', code);
      codes.set(code, { who, nonce: query.get('nonce'), challenge: query.get('code_challenge'), client: query.get('client_id') });
      return void answer.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/token') {
      const form = new URLSearchParams(await read(request));
      const given = codes.get(form.get('code'));
      codes.delete(form.get('code'));
      const shown = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      const basic = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
      const known = form.get('client_secret') === secret || decodeURIComponent(basic.split(':')[1] ?? '') === secret;
      if (!given || !known || shown !== given.challenge) return void json(answer, 400, { error: 'invalid_grant' });
      const now = Math.floor(Date.now() / 1000);
      const name = given.who === 'ada' ? 'Ada Lovelace' : 'Eve';
      const claims = { iss: own, sub: `id-of-${given.who}`, aud: given.client, iat: now, auth_time: now, exp: now + 300, nonce: given.nonce, name, preferred_username: given.who };
      const signed = `${part({ alg: 'RS256', kid: 'story', typ: 'JWT' })}.${part(claims)}`;
      const signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url');
      return void json(answer, 200, { access_token: 'unused', token_type: 'Bearer', expires_in: 300, id_token: `${signed}.${signature}` });
    }
    answer.writeHead(404).end();
  });
  own = `http://127.0.0.1:${await listening(server)}`;
  return {
    address: own,
    end: () => {
      server.closeAllConnections();
      server.close();
    },
    /** The table of a configuration that names it. */
    table: async (folder, more = '') => {
      const file = join(folder, 'oidc-secret');
      await writeFile(file, secret, { mode: 0o600 });
      return `[oidc]\nissuer = "${own}"\nclient_id = "holdfast"\nclient_secret_file = "${file}"\nname = "School login"\n${more}`;
    },
  };
}

/** A program that is called: it keeps what it hears, and answers as it is told. */
export async function receiver() {
  const heard = [];
  let status = 200;
  const server = http.createServer(async (request, answer) => {
    heard.push({ headers: request.headers, body: await read(request) });
    answer.writeHead(status).end();
  });
  const address = `http://127.0.0.1:${await listening(server)}/hook`;
  return {
    address,
    heard,
    answer: (next) => (status = next),
    until: (words) => until(() => heard.find((one) => words.test(one.body))),
    end: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
