import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Permit, SemaphoreClient } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import * as scripts from '../../src/redis/lua.generated.ts';
import { type RedisServer, startRedis } from '../../support/redis/start-redis.ts';
import { openClient, openRedis, untilListening } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';
import { makeUser, rightsOf, rulesOf } from './acl-rules.ts';

/*
 * Users of Redis with the rights in examples/acl/, no more and no fewer.
 */
refuseStrayErrors();

let server: RedisServer;
let admin: Redis;
let url: string;
beforeAll(async () => {
  server = await startRedis({ own: true });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  admin = openRedis(server.url);
  await admin.flushall();
  url = await makeUser(admin, server.url, 'service', rulesOf('service'));
});

/** The examples are for this prefix, the default. */
const prefix = 'parkade';

/** A client under which beats come often, so that what messages do not tell is found soon. */
function open(connection: string, presenceMs = 600): SemaphoreClient {
  return openClient({ connection, prefix, presenceMs, unavailableAfterMs: 3_000 });
}

const semaphoreOf = (client: SemaphoreClient, leaseMs = 20_000) =>
  client.semaphore('api', { limit: 1, leaseMs });

/** One holds 'api', and another waits for it and hears messages if it may. */
async function holdAndWait(holder: SemaphoreClient, waiter: SemaphoreClient, leaseMs?: number) {
  const held = await semaphoreOf(holder, leaseMs).acquire();
  const request = watch(semaphoreOf(waiter, leaseMs).acquire());
  await until('it waits', async () => {
    if (request.state === 'rejected') throw request.reason;
    return (await holder.inspect('api')).waiting === 1;
  });
  return { held, request };
}

/** The permit, or throws what the request was rejected with. */
async function served(request: { state: string; value?: Permit; reason?: unknown }): Promise<Permit> {
  await until('the request is answered', () => request.state !== 'pending');
  if (request.value === undefined) {
    throw request.reason;
  }
  return request.value;
}

/** Everything that a service does with a semaphore, its data lost in whole and in part in the middle. */
async function wholePath(a: SemaphoreClient, b: SemaphoreClient, leaseMs?: number): Promise<void> {
  const { held, request } = await holdAndWait(a, b, leaseMs);
  await held.release();
  const next = await served(request);
  await next.renew();
  await semaphoreOf(a, leaseMs).resize(2);
  const second = await semaphoreOf(a, leaseMs).acquire();
  await admin.flushall();
  await next.renew();
  await second.renew();
  expect((await a.inspect('api')).held).toBe(2);
  const third = watch(semaphoreOf(a, leaseMs).acquire());
  await until('it waits', async () => (await a.inspect('api')).waiting === 1);
  await admin.del(keysOf(prefix, 'api').clients);
  await next.renew();
  expect(await b.revoke('api', second.id)).toBe(true);
  await next.release();
  await (await served(third)).release();
}

describe('a user with the rights of examples/acl/service.acl', () => {
  it('has the right to every command that a script calls', () => {
    const texts = Object.values(scripts).map(({ text }) => text);
    const called = texts.flatMap((text) =>
      [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name),
    );
    const rights = rightsOf('service');
    const missing = called.filter((name) => !rights.includes(`+${name?.toLowerCase()}`));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('can do everything that a service does: wait, be handed to, renew, resize, inspect, put back, revoke', async () => {
    const [a, b] = [open(url), open(url)];
    const errors: Error[] = [];
    for (const client of [a, b]) client.on('error', (error) => errors.push(error));
    await wholePath(a, b);
    expect(errors).toEqual([]);
    expect(await a.inspect('api')).toMatchObject({ held: 0, waiting: 0 });
  });

  it('hears by message that its turn has come, not only by a beat', async () => {
    const [a, b] = [open(url), open(url, 60_000)];
    const { held, request } = await holdAndWait(a, b);
    await untilListening(b, prefix, server.url);
    await held.release();
    await served(request); // the next beat is 20 s away
  }, 10_000);

  it('cannot touch keys and channels of others, nor list semaphores, nor do anything to the server', async () => {
    const own = openRedis(url);
    for (const call of [
      () => own.call('HGET', 'other', 'field'),
      () => own.call('GET', 'parkade:{api}:state'),
      () => own.eval("return redis.call('ZCARD', KEYS[1])", 1, 'other'),
      () => own.call('SUBSCRIBE', 'other'),
      () => own.call('PUBLISH', 'other', 'message'),
      () => own.call('FLUSHALL'),
      () => own.call('KEYS', '*'),
      () => own.call('CONFIG', 'GET', '*'),
      () => own.call('SCRIPT', 'FLUSH'),
      () => own.call('ACL', 'WHOAMI'),
    ]) {
      expect(await rejection(call())).toMatchObject({
        message: expect.stringMatching(/NOPERM|No permissions/),
      });
    }
    const list = async () => {
      for await (const _name of open(url).list()) expect.unreachable();
    };
    expect(await rejection(list())).toMatchObject({ code: 'REDIS_REFUSED' });
  });

  it('is refused under another prefix, with an error that says so', async () => {
    const client = openClient({ connection: url, prefix: 'other' });
    const error = await rejection(semaphoreOf(client).acquire());
    expect(error).toMatchObject({ code: 'REDIS_REFUSED', message: expect.stringContaining('NOPERM') });
  });
});

/** Their lack shows otherwise; see below. */
const softRights = ['&parkade:*', '+publish', '+subscribe', '+info'];

describe('each right of a service is needed:', () => {
  it.each(rightsOf('service').filter((right) => !softRights.includes(right)))(
    'without %s, a call or the background is refused with RedisRefusedError, nothing hangs, and given it all works again',
    async (right) => {
      await admin.call('SCRIPT', 'FLUSH');
      const rules = rulesOf('service').filter((rule) => rule !== right);
      const poorUrl = await makeUser(admin, server.url, 'poor', rules);
      const [a, b] = [open(poorUrl), open(poorUrl)];
      const refused: unknown[] = [];
      for (const client of [a, b]) client.on('error', (error) => refused.push(error));
      const path = watch(wholePath(a, b, 1_000)); // what it can't give back ends soon
      await until('something is refused', () => refused.length > 0 || path.state === 'rejected');
      expect(refused[0] ?? path.reason).toMatchObject({ code: 'REDIS_REFUSED' });
      await Promise.all([a.close(), b.close()]);
      await until('nothing is under way', () => path.state === 'rejected');

      const richUrl = await makeUser(admin, server.url, 'poor', rulesOf('service'));
      const permit = await semaphoreOf(open(richUrl)).acquire({ timeoutMs: 10_000 });
      expect(await permit.release()).toBe(true);
    },
  );

  it.each(['+subscribe', '&parkade:*'])(
    'without %s, a client says that it hears nothing, and finds its turn by a beat',
    async (right) => {
      const rules = rulesOf('service').filter((rule) => rule !== right);
      const deafUrl = await makeUser(admin, server.url, 'deaf', rules);
      const [a, b] = [open(url), open(deafUrl)];
      const errors: Error[] = [];
      b.on('error', (error) => errors.push(error));
      const { held, request } = await holdAndWait(a, b);
      await until('it says so', () => errors.length > 0);
      expect(errors[0]).toMatchObject({
        code: 'REDIS_REFUSED',
        message: expect.stringContaining('hear messages: NOPERM'),
      });
      await held.release();
      await served(request);
    },
  );

  it('without +publish no message is sent, and the next finds its turn by a beat', async () => {
    const rules = rulesOf('service').filter((rule) => rule !== '+publish');
    const muteUrl = await makeUser(admin, server.url, 'mute', rules);
    const messages: string[] = [];
    const ear = openRedis(server.url);
    await ear.psubscribe(`${prefix}:*`);
    ear.on('pmessage', (_pattern, _channel, text) => messages.push(text));
    for (const [connection, count] of [
      [muteUrl, 0],
      [url, 1],
    ] as const) {
      const [a, b] = [open(connection), open(url)];
      const { held, request } = await holdAndWait(a, b);
      await held.release();
      await (await served(request)).release();
      await ear.ping(); // messages that were sent before this have come before its reply
      expect(messages.length).toBe(count);
    }
  });

  it('without +info everything works, but the version of the server is not checked', async () => {
    const rules = rulesOf('service').filter((rule) => rule !== '+info');
    const blindUrl = await makeUser(admin, server.url, 'blind', rules);
    await wholePath(open(blindUrl), open(blindUrl));
  });
});

describe('a user with the rights of examples/acl/reader.acl', () => {
  const look = async (client: SemaphoreClient) => {
    const names: string[] = [];
    for await (const name of client.list()) names.push(name);
    const { held } = await client.inspect('api');
    return { names, held };
  };

  it('can list and inspect, and change nothing: it gets an error that says so', async () => {
    const held = await semaphoreOf(open(url)).acquire();
    const reader = open(await makeUser(admin, server.url, 'reader', rulesOf('reader')));
    expect(await look(reader)).toEqual({ names: ['api'], held: 1 });
    for (const call of [
      () => semaphoreOf(reader).acquire(),
      () => semaphoreOf(reader).tryAcquire(),
      () => semaphoreOf(reader).resize(9),
      () => reader.revoke('api', held.id),
    ]) {
      expect(await rejection(call())).toMatchObject({ code: 'REDIS_REFUSED' });
    }
    await held.renew();
    expect(await look(reader)).toEqual({ names: ['api'], held: 1 });
    const redis = openRedis(await makeUser(admin, server.url, 'reader', rulesOf('reader')));
    expect(await rejection(redis.del(keysOf(prefix, 'api').state))).toMatchObject({
      message: expect.stringContaining('NOPERM'),
    });
  });

  it.each(rightsOf('reader').filter((right) => right !== '+info'))(
    'needs %s, and without it is refused with RedisRefusedError',
    async (right) => {
      await admin.call('SCRIPT', 'FLUSH');
      await (await semaphoreOf(open(url)).acquire()).release();
      const rules = rulesOf('reader').filter((rule) => rule !== right);
      const reader = open(await makeUser(admin, server.url, 'reader', rules));
      expect(await rejection(look(reader))).toMatchObject({ code: 'REDIS_REFUSED' });
    },
  );
});
