import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { channelOf, keysOf, type RecordParts, writeRecord } from '../../src/redis/keys.ts';
import { beatScript } from '../../src/redis/lua.generated.ts';
import {
  expectFree,
  onEach,
  openClient,
  openProxy,
  openRedis,
  openServer,
  sendTo,
  untilListening,
} from '../support/clients.ts';
import { ground, needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { unpackState } from '../support/state.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

/** So long, presence and lease, that nothing in a test is found by a beat: they come every third of the shorter. */
const noBeats = 60_000;
const one = { limit: 1, leaseMs: 300_000 };

/** A holder, and a client behind a proxy whose first request is in line behind it. */
async function holderAndWaiter({ presenceMs = noBeats, at = ground() } = {}) {
  const prefix = uniquePrefix();
  const proxy = await openProxy(at);
  const [holder, waiter] = [
    openClient({ prefix, presenceMs, at }),
    openClient({ prefix, presenceMs, at, through: proxy }),
  ];
  const held = await holder.semaphore('api', one).acquire();
  const semaphore = waiter.semaphore('api', one);
  const request = watch(semaphore.acquire());
  await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
  await untilListening(waiter, prefix, at);
  return { prefix, proxy, holder, waiter, held, semaphore, request };
}

describe('a waiter is served', () => {
  it.each(['api', 'a:b c/d"e\'f\\g', 'naïve 🚗 %d', '[1,2]'])(
    'by message, without any beat: %s',
    async (name) => {
      const prefix = uniquePrefix();
      const [holder, other] = [
        openClient({ prefix, presenceMs: noBeats }),
        openClient({ prefix, presenceMs: noBeats, label: 'pod "7"' }),
      ];
      const held = await holder.semaphore(name, one).acquire();
      const request = other.semaphore(name, one).acquire();
      await until('it waits', async () => (await holder.inspect(name)).waiting === 1);
      await held.release();
      expect((await request).isHeld).toBe(true);
    },
  );

  it('although its subscriber was killed between queueing and the hand-off', async () => {
    const server = await openServer();
    const { held, request } = await holderAndWaiter({ at: server });
    const redis = openRedis(server);
    await onEach(redis, (one) => one.client('KILL', 'TYPE', 'PUBSUB'));
    await held.release();
    await until('it is served', () => request.state === 'resolved');
  });

  it('although the hand-off came before it had subscribed', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const holder = openClient({ prefix, presenceMs: noBeats });
    const waiter = openClient({ prefix, presenceMs: noBeats, through: proxy });
    const held = await holder.semaphore('api', one).acquire();
    const semaphore = waiter.semaphore('api', one);
    await semaphore.tryAcquire();
    proxy.hold('requests');
    for (const open of proxy.connectionsOf('parkade')) open.resume(); // only those to come are held
    const { accepted } = proxy;
    const request = watch(semaphore.acquire());
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    await until('it is about to subscribe', () => proxy.accepted > accepted);
    await held.release();
    proxy.resume();
    await until('it is served', () => request.state === 'resolved');
  });

  it('within a beat although its subscriber died without a word, and that one is then replaced', async () => {
    const { proxy, holder, held, request, semaphore } = await holderAndWaiter({ presenceMs: 900 });
    const dead = proxy.connectionOf('subscribe');
    dead?.swallow('replies');
    dead?.swallow('requests');
    await held.release();
    const permit = await until('it is served', () => request.value);
    await until('another subscriber is there', () => {
      const now = proxy.connectionOf('subscribe');
      return now !== undefined && now !== dead;
    });
    await permit.release();

    // Now messages come again: with its other connection held up, nothing else can tell of the grant.
    const again = await holder.semaphore('api', one).acquire();
    const second = watch(semaphore.acquire());
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    proxy.connectionOf('evalsha')?.hold('replies');
    await again.release();
    await until('it is served', () => second.state === 'resolved');
  });

  it('when the lease before it ends, though its holder died without a word', async () => {
    const prefix = uniquePrefix();
    const [holder, waiter] = [
      openClient({ prefix, presenceMs: noBeats }),
      openClient({ prefix, presenceMs: noBeats }),
    ];
    await holder.semaphore('api', { limit: 1, leaseMs: 500, renew: false }).acquire();
    await holder.close({ release: false });
    const startMs = performance.now();
    await waiter.semaphore('api', one).acquire();
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});

describe('a message', () => {
  const grantOf = (name: string, epoch: number, parts: RecordParts, token: number, expiresAtMs: number) => {
    const record = writeRecord(parts).slice(parts.clientId.length + 1);
    return JSON.stringify([name, epoch, Date.now() * 1000, 1, [record, token, expiresAtMs]]);
  };

  it('of another epoch, or made up, grants nothing: it is only a reason to look', async () => {
    const { prefix, waiter, holder, held, request } = await holderAndWaiter();
    const redis = openRedis();
    const [place] = (await holder.inspect('api')).waiters;
    const [, requestNo, weight, leaseMs] = (place?.id ?? '').split('/').map(Number);
    const record = { clientId: waiter.id, requestNo, weight, leaseMs, firm: false } as RecordParts;
    const errors: string[] = [];
    waiter.on('error', ({ message }) => errors.push(message));
    const beyond = Date.now() + 60_000;
    const send = (text: string) => sendTo(redis, { prefix, client: waiter.id, text });
    await send(grantOf('api', 1, record, 7, beyond));
    await send(grantOf('nobody', 1, record, 7, beyond));
    for (const nonsense of ['', '{}', '[]', '[1,2,3]', '["api",1,1,1,"x"]', '["api",1,1,1,[1]]', 'null']) {
      await send(nonsense);
    }
    await until('all were read', () => errors.length >= 6);
    expect(request.state).toBe('pending');
    expect(await holder.inspect('api')).toMatchObject({ held: 1, waiting: 1 });
    await held.release();
    await until('it is served', () => request.state === 'resolved');
  });

  it('from a clock that was set forward since the last reply is only a reason to look: it would be relied on for too long', async () => {
    const { prefix, proxy, waiter, held, holder, request } = await holderAndWaiter();
    const redis = openRedis();
    const [place] = (await holder.inspect('api')).waiters;
    const epoch = unpackState(await redis.hgetallBuffer(keysOf(prefix, 'api').state))['epoch'] as number;
    const own = place?.id.slice(waiter.id.length + 1);
    const beats = proxy.count(beatScript.sha);
    const nowMs = Date.now() + 60_000;
    const forged = JSON.stringify(['api', epoch, nowMs * 1_000, 1, [own, nowMs * 1_000, nowMs + 60_000]]);
    await sendTo(redis, { prefix, client: waiter.id, text: forged });
    await until('it has looked', () => beats.count > 0);
    expect(request.state).toBe('pending');
    expect(await holder.inspect('api')).toMatchObject({ held: 1, waiting: 1 });
    await held.release();
    expect((await until('it is served', () => request.value)).isHeld).toBe(true);
  });

  it('that comes twice, or long after, changes nothing', async () => {
    const { prefix, waiter, holder, held, request } = await holderAndWaiter();
    const [subscriber, redis] = [openRedis(), openRedis()];
    const messages: string[] = [];
    subscriber.on('message', (_channel, text) => messages.push(text));
    await subscriber.subscribe(channelOf(prefix, waiter.id));
    await held.release();
    const permit = await until('it is served', () => request.value);
    const [message] = messages;
    const send = () => sendTo(redis, { prefix, client: waiter.id, text: message ?? '' });
    await send();
    expect(permit.isHeld).toBe(true);
    expect(await permit.release()).toBe(true);
    const other = await holder.semaphore('api', one).acquire();
    await send();
    await send();
    const next = watch(waiter.semaphore('api', one).acquire());
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    expect(next.state).toBe('pending');
    expect(other.isHeld).toBe(true);
    expect((await holder.inspect('api')).holders).toMatchObject([{ id: other.id }]);
  });
});

/** What the servers execute from now on that has this prefix in it: a sentinel, for one, sends messages of its own. */
async function commandsOf(redis: Redis, prefix: string): Promise<string[][]> {
  const heard: string[][] = [];
  const monitors = await onEach(redis, (server) => server.monitor());
  for (const monitor of monitors) {
    onTestFinished(() => monitor.disconnect());
    monitor.on('monitor', (_time: string, command: string[]) => {
      if (command.some((part) => part.includes(prefix))) heard.push(command);
    });
  }
  return heard;
}

describe('however many wait', () => {
  it('a client has two connections: ten thousand waiters of two semaphores', async () => {
    needs('two connections');
    const proxy = await openProxy();
    const client = openClient({ through: proxy });
    const many = { limit: 5_000, leaseMs: 300_000 };
    const semaphores = ['one', 'two'].map((name) => client.semaphore(name, many));
    const held = await Promise.all(semaphores.map((semaphore) => semaphore.acquire({ weight: 5_000 })));
    const waiters = semaphores.flatMap((semaphore) =>
      Array.from({ length: 5_000 }, () => semaphore.run(() => {})),
    );
    await until('all are in line', async () => {
      const lines = await Promise.all(semaphores.map((semaphore) => semaphore.inspect()));
      return lines.every(({ waiting }) => waiting === 5_000);
    });
    await until('messages are heard', () => proxy.connections.size === 2);
    await Promise.all(held.map((permit) => permit.release()));
    await Promise.all(waiters);
    expect(proxy.accepted).toBe(2);
    expect(proxy.connections.size).toBe(2);
    await expectFree(client, 'one', 5_000);
  });

  it('one release wakes one: 1,000 waiters in 20 clients, one script and one message', async () => {
    const server = await openServer();
    const redis = openRedis(server);
    const prefix = uniquePrefix();
    const clients = Array.from({ length: 20 }, () => openClient({ prefix, presenceMs: noBeats, at: server }));
    const holder = openClient({ prefix, presenceMs: noBeats, at: server });
    await (await holder.semaphore('api', one).acquire()).release(); // the server knows these scripts from now on
    const heard = await commandsOf(redis, prefix);
    const scriptsCalled = (sha: string) =>
      heard.filter(([command, script]) => /^evalsha$/i.test(command ?? '') && script?.includes(sha)).length;
    const held = await holder.semaphore('api', one).acquire();
    const requests = clients.flatMap((client) => {
      const semaphore = client.semaphore('api', one);
      return Array.from({ length: 50 }, () => watch(semaphore.acquire()));
    });
    await until('all wait', async () => (await holder.inspect('api')).waiting === 1_000);
    await until('all listen', async () => {
      const channels = await onEach(redis, (one) => one.pubsub('CHANNELS', `${prefix}:*`));
      return channels.length === 20;
    });
    await until('each has looked once, when it had subscribed', () => scriptsCalled(beatScript.sha) >= 20);
    await until('nobody asks anything any more', async () => {
      const before = heard.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return heard.length === before;
    });
    heard.length = 0;
    await held.release();
    await until('one is served', () => requests.some(({ state }) => state === 'resolved'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(scriptsCalled('')).toBe(1);
    expect(heard.filter(([command]) => /^s?publish$/i.test(command ?? ''))).toHaveLength(1);
    expect(requests.filter(({ state }) => state === 'resolved')).toHaveLength(1);
  });
});
