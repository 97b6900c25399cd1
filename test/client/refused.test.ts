import { expect, it } from 'vitest';
import { RedisRefusedError } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import {
  expectFree,
  onEach,
  openClient,
  openClients,
  openRedis,
  openServer,
  untilListening,
} from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

it('a full Redis grants nothing new, and says so; who holds can renew and release, and the line moves up', async () => {
  const server = await openServer();
  const redis = openRedis(server);
  const prefix = uniquePrefix();
  const [client, other] = openClients(2, { prefix, at: server });
  const semaphore = client.semaphore('api', { limit: 1 });
  const permit = await semaphore.acquire();
  const next = watch(other.semaphore('api', { limit: 1 }).acquire());
  await until('it waits', async () => (await semaphore.inspect()).waiting === 1);

  await onEach(redis, (one) => one.config('SET', 'maxmemory', '1'));
  const error = (await rejection(semaphore.acquire())) as RedisRefusedError;
  expect(error).toBeInstanceOf(RedisRefusedError);
  expect(error).toMatchObject({ code: 'REDIS_REFUSED', semaphore: 'api' });
  // Before Redis 7 the error of a script begins with where in it that was.
  expect((error.cause as Error).message).toMatch(/^(ERR Error running script .*)?OOM command not allowed/);
  expect(error.message).toMatch(/refused to acquire: (ERR Error running script .*)?OOM command not allowed/);
  await permit.renew();
  expect(await permit.release()).toBe(true);
  await until('the next is served', () => next.value);
  await semaphore.resize(2);
  expect(await next.value?.release()).toBe(true);

  await onEach(redis, (one) => one.config('SET', 'maxmemory', '0'));
  expect((await semaphore.acquire({ weight: 2 }))?.isHeld).toBe(true);
});

it('a key that holds something else is not touched, and the error names what was wrong', async () => {
  const prefix = uniquePrefix();
  const redis = openRedis();
  const key = keysOf(prefix, 'api').state;
  await redis.set(key, 'mine');
  const semaphore = openClient({ prefix }).semaphore('api', { limit: 1 });
  const error = (await rejection(semaphore.acquire())) as RedisRefusedError;
  expect(error).toMatchObject({ code: 'REDIS_REFUSED', cause: expect.any(Error) });
  expect((error.cause as Error).message).toContain('WRONGTYPE');
  expect(await redis.get(key)).toBe('mine');
  await redis.del(key);
  expect((await semaphore.acquire()).isHeld).toBe(true);
});

it('a releaser that may not publish hands the permit on all the same; the next one finds it by a beat', async () => {
  needs('plain url');
  const server = await openServer();
  const redis = openRedis(server);
  await redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', 'resetchannels');
  const prefix = uniquePrefix();
  const url = new URL(server.url);
  [url.username, url.password] = ['app', 'secret'];
  const [mute, other] = [
    openClient({ prefix, connection: url.href }),
    openClient({ prefix, at: server, presenceMs: 900 }),
  ];
  const held = await mute.semaphore('api', { limit: 1 }).acquire();
  const next = watch(other.semaphore('api', { limit: 1 }).acquire());
  await untilListening(other, prefix, server);
  expect(await held.release()).toBe(true);
  const permit = await until('it is served', () => next.value);

  // Nor may it listen: it is told so, and served by beats as well.
  const errors: string[] = [];
  mute.on('error', ({ message }) => errors.push(message));
  const waiting = watch(mute.semaphore('api', { limit: 1 }).acquire());
  await until('it waits', async () => (await other.inspect('api')).waiting === 1);
  await permit.release();
  await until('it is served', () => waiting.state === 'resolved');
  expect(errors).toContainEqual(expect.stringContaining('NOPERM'));
  await waiting.value?.release();
  await expectFree(other, 'api', 1);
});
