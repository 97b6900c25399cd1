import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Detail, Hello, History, Look } from '../../src/cli/dashboard/messages.ts';
import { openClient, openProxy } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';
import { run } from './command.ts';
import { type Dashboard, startDashboard } from './dashboard-process.ts';

/** Names are looked for with rests, ten times as long as it took: on a busy machine that is a while. */
const patienceMs = 50_000;

interface Told {
  hello: Hello[];
  look: Look[];
  history: History[];
  detail: Detail[];
  end: null[];
}

/** What a stream has told so far, by event. */
async function listen({ url, token }: Dashboard, query = ''): Promise<Told> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`${url}/events${query}`, {
    signal: abort.signal,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const told: Told = { hello: [], look: [], history: [], detail: [], end: [] };
  const read = async () => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (text + chunk).split('\n\n');
      text = events.pop() ?? '';
      for (const one of events) {
        const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(one) ?? [];
        (told as unknown as Record<string, unknown[]>)[event]?.push(JSON.parse(data));
      }
    }
  };
  read().catch(() => {});
  await until('it says hello', () => told.hello.length > 0);
  return told;
}

/** A request that says what it likes about itself. */
function ask(
  { url, token }: Dashboard,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ hostname, port, method, path },
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
        agent: false,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const own = { 'x-parkade': '1', 'content-type': 'application/json' };

/** One semaphore of limit 2, full, with a line of one. */
async function scene() {
  const prefix = uniquePrefix();
  const client = openClient({ prefix, label: 'worker' });
  const api = client.semaphore('api', { limit: 2 });
  const permits = [await api.acquire(), await api.acquire()];
  const waiting = watch(api.acquire());
  await until('one waits', async () => (await client.inspect('api')).waiting === 1);
  return { prefix, client, api, permits, waiting };
}

describe('parkade dashboard', () => {
  it('tells everything at first, then what each look has changed, over server-sent events', {
    timeout: patienceMs + 10_000,
  }, async () => {
    const { prefix, client, permits } = await scene();
    await (await client.semaphore('idle', { limit: 1 }).acquire()).release();
    const dashboard = await startDashboard(['--prefix', prefix, '--interval', '100ms']);
    const told = await listen(dashboard);
    const rows = () => [told.hello, told.look].flat().flatMap((it) => it.rows);
    await until('the semaphore is seen', () => rows().some(({ name }) => name === 'api'));
    expect(rows().find(({ name }) => name === 'api')).toMatchObject({
      ...{ name: 'api', limit: 2, held: 2, holding: 2, waiting: 1 },
      oldestWaitMs: expect.any(Number),
    });
    await permits[0]?.release();
    await until('the line is gone', () => rows().at(-1)?.waiting === 0);
    await client.semaphore('new', { limit: 7 }).acquire({ weight: 3 });
    await until(
      'a new one is found',
      () => rows().some((it) => it.name === 'new' && it.held === 3),
      patienceMs,
    );
    await until('it looked often', () => told.look.length > 12);
    // Once when it is found, once when its grants can be told.
    expect(rows().filter(({ name }) => name === 'idle').length).toBeLessThanOrEqual(2);
  });

  it('tells of one semaphore its history, who holds it for how long at least, and who waits', async () => {
    const { prefix, permits } = await scene();
    const dashboard = await startDashboard(['--prefix', prefix, '--interval', '100ms']);
    const first = await listen(dashboard);
    await until('it looked for a while', () => first.look.length > 5);
    const told = await listen(dashboard, '?open=api');
    const detail = await until('holders are told', () => told.detail.at(-1));
    expect(told.history[0]?.name).toBe('api');
    expect(told.history[0]?.held).toContain(2);
    expect(told.history[0]?.waiting).toContain(1);
    expect(detail).toMatchObject({ name: 'api', exists: true, limit: 2, held: 2, available: 0, waiting: 1 });
    expect(detail.holders.map(({ permit }) => permit).sort()).toEqual(permits.map(({ id }) => id).sort());
    expect(detail.holders.every(({ seenForMs, expiresInMs }) => seenForMs > 0 && expiresInMs > 0)).toBe(true);
    expect(detail.waiters).toMatchObject([
      { position: 0, weight: 1, client: expect.stringMatching(/^worker:/) },
    ]);
    const small = await listen(dashboard, '?open=api&size=1');
    const listed = await until('one holder is told', () => small.detail.at(-1));
    expect(listed).toMatchObject({ holding: 2, holders: [expect.anything()] });
    const nobody = await listen(dashboard, '?open=nothing');
    expect(await until('that there is none', () => nobody.detail.at(-1))).toMatchObject({ exists: false });
  });

  it('looks once for all browsers, and more rarely while there is none', async () => {
    const { prefix } = await scene();
    const proxy = await openProxy();
    const args = ['--redis', proxy.url, '--prefix', prefix, '--interval', '100ms', '--idle-interval', '0'];
    const dashboard = await startDashboard(args);
    const streams = await Promise.all([1, 2, 3, 4].map(() => listen(dashboard, '?open=api')));
    await until('all are told of a semaphore', () => streams.every((told) => told.detail.length > 3));
    const asked = proxy.count('evalsha');
    const [stream] = streams;
    const [before, looked] = [asked.count, stream?.look.length ?? 0];
    await until('ten looks more', () => (stream?.look.length ?? 0) >= looked + 10);
    // One of each semaphore and one for the open one, whoever asks; one look may be under way at either end.
    expect(asked.count - before).toBeLessThanOrEqual(2 * (10 + 2));
  });

  it('says that Redis is away, and goes on when it is back', async () => {
    const { prefix } = await scene();
    const proxy = await openProxy();
    const dashboard = await startDashboard(['--redis', proxy.url, '--prefix', prefix, '--interval', '100ms']);
    const told = await listen(dashboard, '?open=api');
    await until('it is seen', () => told.detail.length > 0);
    proxy.goAway();
    await until('the failure is told', () =>
      /did not answer|away|reach/.test(told.look.at(-1)?.failure ?? ''),
    );
    const since = told.look.at(-1)?.failingSinceMs;
    expect(since).toBeLessThanOrEqual(Date.now());
    proxy.resume();
    await until('it is back', () => told.look.at(-1)?.failure === null);
    expect(told.look.at(-1)?.failingSinceMs).toBeNull();
  });

  it('leaves out what is more than --max-semaphores, and says how many', async () => {
    const { prefix, client } = await scene();
    for (const name of ['b', 'c', 'd']) await client.semaphore(name, { limit: 1 }).acquire();
    const dashboard = await startDashboard([
      '--prefix',
      prefix,
      '--max-semaphores',
      '3',
      '--interval',
      '100ms',
    ]);
    const told = await listen(dashboard);
    await until('one is left out', () => told.look.at(-1)?.omitted === 1);
    const shown = new Set([...told.hello, ...told.look].flatMap(({ rows }) => rows.map(({ name }) => name)));
    expect(shown.size).toBe(3);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, and tells its browsers', async (signal) => {
    const dashboard = await startDashboard(['--prefix', uniquePrefix()]);
    const told = await listen(dashboard);
    dashboard.child.kill(signal);
    expect(await dashboard.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(told.end).toHaveLength(1);
  });

  it('says in one line that its port is taken, and what is wrong with an option', async () => {
    const { url } = await startDashboard(['--prefix', uniquePrefix()]);
    const second = await run(['dashboard', '--port', new URL(url).port]);
    expect(second).toMatchObject({ code: 69, stdout: '' });
    expect(second.stderr).toMatch(/^parkade: can't listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE.*\n$/);
    expect(await run(['dashboard', '--interval', '10ms'])).toMatchObject({ code: 64 });
    expect(await run(['dashboard', '--history', '1s'])).toMatchObject({ code: 64 });
    const weak = await run(['dashboard'], { PARKADE_DASHBOARD_TOKEN: 'short' });
    expect(weak).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/^parkade: the token has 5 .*\n$/),
    });
  });
});

describe('who may look at parkade dashboard', () => {
  it('asks for no token on loopback while it only shows', async () => {
    const dashboard = await startDashboard(['--prefix', uniquePrefix()]);
    expect(dashboard.token).toBeUndefined();
    expect((await fetch(`${dashboard.url}/session`)).status).toBe(204);
  });

  it.each([
    ['where changes are allowed', ['--allow-changes']],
    ['elsewhere than on loopback', ['--host', '0.0.0.0']],
  ])('asks for a token %s', async (_where, args) => {
    const dashboard = await startDashboard(['--prefix', uniquePrefix(), ...args]);
    expect(dashboard.token?.length).toBeGreaterThanOrEqual(32);
    const open = { ...dashboard, token: undefined };
    for (const path of ['/events', '/session', '/anything']) {
      expect((await ask(open, 'GET', path, {})).status).toBe(401);
      expect((await ask(open, 'GET', path, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect(
        (await ask(open, 'GET', path, { cookie: `parkade-${new URL(open.url).port}=wrong` })).status,
      ).toBe(401);
    }
    expect((await ask(open, 'POST', '/resize', own, {})).status).toBe(401);
    expect((await ask(dashboard, 'GET', '/session', {})).status).toBe(204);
    expect((await ask(open, 'GET', '/', {})).text).not.toContain(dashboard.token);
  });

  it('gives a cookie for the token, which no script can read and no other site makes the browser send', async () => {
    const token = 'correct horse battery staple';
    const dashboard = await startDashboard(['--prefix', uniquePrefix(), '--allow-changes'], {
      PARKADE_DASHBOARD_TOKEN: token,
    });
    expect(decodeURIComponent(dashboard.token ?? '')).toBe(token);
    const open = { ...dashboard, token: undefined };
    expect((await ask(open, 'POST', '/session', own, { token: `${token}!` })).status).toBe(401);
    const { status, headers } = await ask(open, 'POST', '/session', own, { token });
    expect(status).toBe(204);
    const [cookie = ''] = headers['set-cookie'] as string[];
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toContain('horse');
    const sent = { cookie: cookie.split(';')[0] as string };
    expect((await ask(open, 'GET', '/session', sent)).status).toBe(204);
  });

  it('is not served under a name that is not its own: a page of another site could be of our origin then', async () => {
    const dashboard = await startDashboard(['--prefix', uniquePrefix(), '--allow-host', 'Parkade.example']);
    const asked = async (host: string) => (await ask(dashboard, 'GET', '/', { host })).status;
    const { port } = new URL(dashboard.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'parkade.example']) {
      expect(await asked(host)).toBe(200);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      'parkade.example.evil',
    ]) {
      expect(await asked(host)).toBe(421);
    }
  });

  it("answers nothing to another site's page", async () => {
    const dashboard = await startDashboard(['--prefix', uniquePrefix()]);
    for (const site of ['cross-site', 'same-site']) {
      const asked = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' };
      expect((await ask(dashboard, 'GET', '/events', asked)).status).toBe(403);
      expect((await ask(dashboard, 'GET', '/page.js', asked)).status).toBe(403);
      const link = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      expect((await ask(dashboard, 'GET', '/', link)).status).toBe(200);
    }
  });

  it('serves its page with a policy that lets nothing in but its own files', async () => {
    const { url } = await startDashboard(['--prefix', uniquePrefix()]);
    const page = await fetch(url);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc="page\.js")|<style|\sstyle=|\son\w+=|https?:/);
    for (const [, file] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const answer = await fetch(`${url}/${file}`);
      expect(answer.status).toBe(200);
      const etag = answer.headers.get('etag') ?? '';
      expect((await fetch(`${url}/${file}`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    }
  });
});

describe('changes by parkade dashboard', () => {
  it('are refused unless --allow-changes was given', async () => {
    const { prefix, client, permits } = await scene();
    const dashboard = await startDashboard(['--prefix', prefix]);
    const resize = { name: 'api', limit: 5, limitBefore: 2 };
    expect(await ask(dashboard, 'POST', '/resize', own, resize)).toMatchObject({ status: 403 });
    const revoke = { name: 'api', permit: permits[0]?.id };
    expect(await ask(dashboard, 'POST', '/revoke', own, revoke)).toMatchObject({ status: 403 });
    expect(await client.inspect('api')).toMatchObject({ limit: 2, held: 2, waiting: 1 });
  });

  it('are refused to whoever is not its own page', async () => {
    const { prefix, client } = await scene();
    const dashboard = await startDashboard(['--prefix', prefix, '--allow-changes']);
    const order = { name: 'api', limit: 5, limitBefore: 2 };
    const asked = async (headers: Record<string, string>, method = 'POST') =>
      (await ask(dashboard, method, '/resize', headers, order)).status;
    expect(await asked({ 'content-type': 'application/json' })).toBe(403);
    expect(await asked({ ...own, origin: 'http://evil.example' })).toBe(403);
    expect(await asked({ ...own, origin: 'null' })).toBe(403);
    expect(await asked({ ...own, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await asked({ 'x-parkade': '1', 'content-type': 'text/plain' })).toBe(415);
    expect(await asked(own, 'PUT')).toBe(404);
    expect((await client.inspect('api')).limit).toBe(2);
    expect(await asked({ ...own, origin: dashboard.url })).toBe(200);
    expect((await client.inspect('api')).limit).toBe(5);
  });

  it('resize and revoke, are told to all who look, and are written down', async () => {
    const { prefix, client, permits, waiting } = await scene();
    const dashboard = await startDashboard(['--prefix', prefix, '--allow-changes', '--interval', '1h']);
    const told = await listen(dashboard, '?open=api');
    await until('it is seen', () => told.detail.at(-1)?.waiting === 1);
    const [permit] = permits;
    const revoked = await ask(dashboard, 'POST', '/revoke', own, { name: 'api', permit: permit?.id });
    expect(revoked).toMatchObject({ status: 200 });
    await until('the next is served', () => waiting.state === 'resolved');
    await until('the holder is told', () => permit?.signal.aborted);
    await until('those who look are told', () => told.detail.at(-1)?.waiting === 0);
    await ask(dashboard, 'POST', '/resize', own, { name: 'api', limit: 9, limitBefore: 2 });
    await until('those who look are told', () => told.detail.at(-1)?.limit === 9);
    expect((await client.inspect('api')).limit).toBe(9);
    expect(dashboard.said()).toContain(`parkade: api: revoked ${permit?.id}\nparkade: api: limit 2 → 9\n`);
  });

  it('say what is wrong: another limit by now, no such permit, no such semaphore, bad orders', async () => {
    const { prefix, client } = await scene();
    const dashboard = await startDashboard(['--prefix', prefix, '--allow-changes']);
    const status = async (path: string, body: unknown) =>
      (await ask(dashboard, 'POST', path, own, body)).status;
    expect(await status('/resize', { name: 'api', limit: 9, limitBefore: 3 })).toBe(409);
    expect(await status('/resize', { name: 'none', limit: 9, limitBefore: 3 })).toBe(404);
    expect(await status('/resize', { name: 'a{b}', limit: 9, limitBefore: 3 })).toBe(400);
    expect(await status('/resize', { name: 'api', limit: -1, limitBefore: 2 })).toBe(400);
    expect(await status('/resize', { name: 'api', limit: 1.5, limitBefore: 2 })).toBe(400);
    expect(await status('/resize', 'nonsense')).toBe(400);
    expect(await status('/revoke', { name: 'api', permit: 'worker:x/1/1/1000' })).toBe(404);
    expect(await status('/revoke', { name: 'api' })).toBe(400);
    expect(await status('/revoke', { name: 'api', permit: 'x'.repeat(20_000) })).toBe(413);
    expect(await client.inspect('api')).toMatchObject({ limit: 2, held: 2, waiting: 1 });
  });
});
