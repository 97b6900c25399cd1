import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openClient, openRedis } from '../support/clients.ts';
import { oneServer, type StartedServers } from '../support/kinds-of-servers.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection } from '../support/until.ts';

refuseStrayErrors();

let server: StartedServers | undefined;
let whyNot: string | undefined;

beforeAll(async () => {
  try {
    server = await oneServer({ tls: true })({});
  } catch (error) {
    whyNot = String(error).split('\n')[0];
    console.log(`Tests of TLS are skipped, for want of openssl or of a server that speaks it: ${whyNot}`);
  }
});
afterAll(() => server?.stop());

/** With the user and password of a service. */
const urlOf = ({ clientUrls: [url = ''] }: StartedServers) => url.replace('//', '//app:s3cret@');

it('a connection with the certificate of the CA is used, with user and password, for calls and messages', async (test) => {
  if (server === undefined) return test.skip(whyNot);
  await openRedis(server.adminUrls[0]).call('ACL', 'SETUSER', 'app', 'on', '>s3cret', '~*', '&*', '+@all');
  const connection = new Redis(urlOf(server), { tls: { ca: server.certificate?.ca } });
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
  const client = openClient({ connection: urlOf(server), unavailableAfterMs: 500 });
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
