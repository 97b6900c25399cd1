import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../support/redis/start-redis.ts';
import { openClient, openRedis } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection } from '../support/until.ts';

refuseStrayErrors();

const folder = mkdtempSync(join(tmpdir(), 'parkade-tls-'));
const [key, ca] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
let server: RedisServer | undefined;
let port = 0;
let whyNot: string | undefined;

beforeAll(async () => {
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', ca],
      ],
      { stdio: 'pipe' },
    );
    port = await freePort();
    const files = { 'tls-cert-file': ca, 'tls-key-file': key, 'tls-ca-cert-file': ca };
    server = await startRedis({ config: { 'tls-port': `${port}`, 'tls-auth-clients': 'no', ...files } });
  } catch (error) {
    whyNot = String(error).split('\n')[0];
    console.log(`Tests of TLS are skipped, for want of openssl or of a server that speaks it: ${whyNot}`);
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}

it('a connection with the certificate of the CA is used, with user and password, for calls and messages', async (test) => {
  if (server === undefined) return test.skip(whyNot);
  await openRedis(server.url).call('ACL', 'SETUSER', 'app', 'on', '>s3cret', '~*', '&*', '+@all');
  const connection = new Redis(`rediss://app:s3cret@127.0.0.1:${port}`, { tls: { ca: readFileSync(ca) } });
  onTestFinished(() => connection.disconnect());
  const [a, b] = ['a', 'b'].map((label) =>
    openClient({ connection, prefix: 'tls', label, presenceMs: 60_000 }),
  );
  const held = await a?.semaphore('api', { limit: 1 }).acquire();
  const next = b?.semaphore('api', { limit: 1 }).acquire();
  await held?.release();
  expect(await (await next)?.release()).toBe(true);
});

it('a server whose CA is unknown is refused: the error names the reason, and never the password', async (test) => {
  if (server === undefined) return test.skip(whyNot);
  const url = `rediss://app:s3cret@127.0.0.1:${port}`;
  const client = openClient({ connection: url, unavailableAfterMs: 500 });
  const seen: unknown[] = [];
  client.on('error', (error) => seen.push(error));
  const error = await rejection(client.semaphore('api', { limit: 1 }).acquire());
  expect(error).toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: expect.stringMatching(/self-signed certificate/),
  });
  for (const one of [error, ...seen]) {
    expect(`${(one as Error).stack}${JSON.stringify(one)}`).not.toContain('s3cret');
  }
});
