import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisUnavailableError, SemaphoreClient } from '../../src/index.ts';
import { openClient, openClients, openProxy, openRedis, openServer } from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, timed, until, watch } from '../support/until.ts';

refuseStrayErrors();

/** A loopback port on which nothing listens, or something that never says a word. */
async function deadEnd(kind: 'closed' | 'silent'): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  if (kind === 'closed') await close();
  else onTestFinished(async () => void (await close()));
  return `redis://127.0.0.1:${port}`;
}

describe('a Redis that is away from the start', () => {
  it.each(['closed', 'silent'] as const)(
    'makes every call reject in bounded time, with the address: %s',
    async (kind) => {
      const connection = await deadEnd(kind);
      const client = openClient({ connection, unavailableAfterMs: 500 });
      const semaphore = client.semaphore('api', { limit: 1 });
      const calls = {
        acquire: semaphore.acquire(),
        tryAcquire: semaphore.tryAcquire(),
        run: semaphore.run(() => 'never'),
        map: semaphore.map([1], () => 'never'),
        resize: semaphore.resize(2),
        release: semaphore.release(),
        inspect: semaphore.inspect(),
      };
      const took = await Promise.all(Object.values(calls).map(timed));
      expect(Math.max(...took)).toBeLessThan(2_500);
      for (const call of Object.values(calls)) {
        const error = await rejection(call);
        expect(error).toBeInstanceOf(RedisUnavailableError);
        expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE', semaphore: 'api' });
        expect((error as Error).message).toContain(new URL(connection).host);
      }
    },
  );

  it('is told with the reason, where the connection gave one', async () => {
    const client = openClient({ connection: await deadEnd('closed'), unavailableAfterMs: 300 });
    const error = (await rejection(client.semaphore('api', { limit: 1 }).acquire())) as RedisUnavailableError;
    expect(String(error.cause)).toContain('ECONNREFUSED');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('that asks for a password is told so, not that it is away', async () => {
    needs('plain url');
    const server = await openServer();
    await openRedis(server).config('SET', 'requirepass', 'secret');
    const url = new URL(server.clientUrls[0] as string);
    url.username = url.password = '';
    const client = openClient({ connection: url.href, unavailableAfterMs: 500 });
    const error = (await rejection(client.semaphore('api', { limit: 1 }).acquire())) as Error;
    expect(`${error.message} ${String(error.cause)}`).toMatch(/NOAUTH|WRONGPASS/);
  });

  it('gives way to a time-out that comes first, which does not say that the semaphore is in use', async () => {
    const client = openClient({ connection: await deadEnd('silent'), unavailableAfterMs: 5_000 });
    const request = client.semaphore('api', { limit: 1 }).acquire({ timeoutMs: 100 });
    expect(await timed(request)).toBeLessThan(1_500);
    expect(await rejection(request)).toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      message: "No permit of 'api' within 100 ms: Redis has not answered yet.",
    });
  });

  it('throws nothing where nobody listens for errors', async () => {
    const client = new SemaphoreClient(await deadEnd('closed'), { unavailableAfterMs: 200 });
    onTestFinished(() => client.close());
    await rejection(client.semaphore('api', { limit: 1 }).acquire());
  });

  it('and comes later is found, and who asked meanwhile is served', async () => {
    const proxy = await openProxy();
    proxy.refuse();
    const client = openClient({ through: proxy });
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    const request = watch(client.semaphore('api', { limit: 1 }).acquire());
    await until('it has tried', () => errors.length > 0);
    expect(request.state).toBe('pending');
    proxy.resume();
    await until('it is served', () => request.state === 'resolved');
  });
});

describe('a Redis that goes silent', () => {
  it('is given up after unavailableAfterMs, also when that is shorter than one attempt', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, unavailableAfterMs: 300, attemptTimeoutMs: 3_000 });
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    proxy.swallow('replies');
    const request = semaphore.acquire();
    expect(await timed(request)).toBeLessThan(1_500);
    expect(await rejection(request)).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    proxy.resume();
  });
});

describe('who waits keeps the place', () => {
  it('while Redis is restarted with its data, and is served in turn', async ({ skip }) => {
    needs('one server');
    const dir = await mkdtemp(join(tmpdir(), 'parkade-test-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const config = { appendonly: 'yes', appendfsync: 'always' };
    const server = await openServer({ dir, config }).catch((error: Error) => skip(error.message));
    const prefix = uniquePrefix();
    const clients = openClients(3, { prefix, at: server });
    const restored: unknown[] = [];
    for (const client of clients) client.on('restored', (what) => restored.push(what));
    const [first] = clients;
    const held = await first.semaphore('api', { limit: 1 }).acquire();
    const order: number[] = [];
    for (const [i, client] of clients.entries()) {
      watch(client.semaphore('api', { limit: 1 }).run(() => order.push(i)));
      await until('it waits', async () => (await first.inspect('api')).waiting === i + 1);
    }

    await server.stop();
    await server.startAgain();
    expect(await first.inspect('api')).toMatchObject({ held: 1, waiting: 3 });
    expect(held.isHeld).toBe(true);
    await held.release();
    await until('all are served', () => order.length === 3);
    expect(order).toEqual([0, 1, 2]);
    expect(restored).toEqual([]);
  });

  it('while Redis itself stands still for two presence times', async ({ skip }) => {
    needs('one server');
    const server = await openServer();
    const { pid } = server;
    if (pid === undefined) return skip('the server is no process here');
    const prefix = uniquePrefix();
    const clients = openClients(3, { prefix, presenceMs: 600, at: server });
    const [first] = clients;
    const held = await first.semaphore('api', { limit: 1 }).acquire();
    const order: number[] = [];
    for (const [i, client] of clients.entries()) {
      watch(client.semaphore('api', { limit: 1 }).run(() => order.push(i)));
      await until('it waits', async () => (await first.inspect('api')).waiting === i + 1);
    }
    process.kill(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    process.kill(pid, 'SIGCONT');
    await held.release();
    await until('all are served', () => order.length === 3);
    expect(order).toEqual([0, 1, 2]);
  });

  it('while nobody could be heard: after a silence everyone has a presence time to come back', async () => {
    const prefix = uniquePrefix();
    const [near, far] = [await openProxy(), await openProxy()];
    const presenceMs = 900;
    const holder = openClient({ prefix, presenceMs, through: near });
    const waiters = openClients(3, { prefix, presenceMs, through: far });
    const onlooker = openClient({ prefix, presenceMs });
    const held = await holder.semaphore('api', { limit: 1 }).acquire();
    const order: number[] = [];
    for (const [i, client] of waiters.entries()) {
      watch(client.semaphore('api', { limit: 1 }).run(() => order.push(i)));
      await until('it waits', async () => (await onlooker.inspect('api')).waiting === i + 1);
    }
    near.hold('requests');
    far.hold('requests');
    await new Promise((resolve) => setTimeout(resolve, 1.3 * presenceMs));
    near.resume();
    await held.release();
    const { holders, waiting } = await onlooker.inspect('api');
    expect(holders).toMatchObject([{ client: waiters[0]?.id }]);
    expect(waiting).toBe(2);
    far.resume();
    await until('all are served', () => order.length === 3);
    expect(order).toEqual([0, 1, 2]);
  });

  it('while it cannot reach Redis itself, though others go on: it is served before who came later', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const presenceMs = 600;
    const away = openClient({ prefix, presenceMs, through: proxy });
    const [holder, early, late] = openClients(3, { prefix, presenceMs });
    const semaphore = holder.semaphore('api', { limit: 1 });
    const held = await semaphore.acquire();
    const request = watch(away.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
    const next = watch(early.semaphore('api', { limit: 1 }).acquire());
    await until('two wait', async () => (await semaphore.inspect()).waiting === 2);

    proxy.goAway();
    const startMs = performance.now();
    await until('its presence is over', async () => {
      await held.renew(); // without a silence, after which Redis would give it another presence time
      return performance.now() - startMs > 1.3 * presenceMs;
    });
    await held.release();
    const theirs = await until('the next one is served', () => next.value);
    const last = watch(late.semaphore('api', { limit: 1 }).acquire());
    await until('a later one waits', async () => (await semaphore.inspect()).waiting === 1);
    proxy.resume();
    await until('it is in line again', async () => {
      const { waiters } = await semaphore.inspect();
      return waiters?.length === 2 && waiters[0]?.client === away.id;
    });
    await theirs.release();
    await until('it is served', () => request.state === 'resolved');
    expect(last.state).toBe('pending');
  });
});

it('however often the connection breaks, the client has two, and everyone is served', async () => {
  needs('two connections');
  const prefix = uniquePrefix();
  const proxy = await openProxy();
  const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
  const semaphore = client.semaphore('api', { limit: 2 });
  let served = 0;
  const line = Array.from({ length: 100 }, () => semaphore.run(() => served++));
  for (let i = 0; i < 10; i++) {
    const before = proxy.accepted;
    proxy.cut();
    await until('it is connected again', () => proxy.accepted > before);
  }
  await Promise.all(line);
  expect(served).toBe(100);
  await until('it has two connections', () => proxy.connections.size === 2);
  expect(await other.inspect('api')).toMatchObject({ held: 0, waiting: 0 });
});
