import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NotReplicatedError } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { type ReplicatedServer, startReplicated } from '../../support/redis/replicated.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { makeUser, rulesOf } from '../security/acl-rules.ts';
import {
  expectFree,
  type OpenOptions,
  openClient,
  openProxy,
  restorationsOf,
  untilListening,
} from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { packState, unpackState } from '../support/state.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

describeFleet('a grant that replicas must acknowledge', () => {
  let server: ReplicatedServer;
  beforeAll(async () => {
    server = await startReplicated({ replicas: 2 });
  });
  afterAll(() => server?.stop());

  const open = (options: OpenOptions = {}) => openClient({ connection: server.primary.url, ...options });

  /** Stops replicas until the test ends, or until they are told to go on. */
  const stopReplicas = (count: number) => {
    const stopped = server.replicas.slice(0, count);
    const goOn = () => {
      for (const replica of stopped.splice(0)) replica.resume();
    };
    for (const replica of stopped) replica.pause();
    onTestFinished(goOn);
    return goOn;
  };

  const connectionsNamed = async (name: string): Promise<number> =>
    String(await server.primary.redis.client('LIST')).split(`name=${name} `).length - 1;

  it('is handed out when so many have it, and is there already on those', async () => {
    const prefix = uniquePrefix();
    const semaphore = open({ prefix }).semaphore('api', { limit: 1, minReplicas: 2 });
    for (let i = 0; i < 5; i++) {
      const permit = await semaphore.acquire();
      const key = `${prefix}:{api}:permits`;
      for (const { redis } of server.replicas) {
        expect(await redis.zrange(key, '0', '-1')).toEqual([permit.id]);
      }
      expect(permit.isHeld).toBe(true);
      expect(await permit.release()).toBe(true);
    }
  });

  it('is given back and reported when one is missing, by acquire, tryAcquire, run and map alike', async () => {
    stopReplicas(1);
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 400 });
    const never = () => expect.unreachable();
    for (const call of [
      () => semaphore.acquire(),
      () => semaphore.acquire({ timeoutMs: 0 }),
      () => semaphore.tryAcquire(),
      () => semaphore.run(never),
      () => semaphore.map([1, 2], never),
    ]) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(NotReplicatedError);
      expect(error).toMatchObject({
        code: 'NOT_REPLICATED',
        semaphore: 'api',
        wanted: 2,
        acknowledged: 1,
        timeoutMs: 400,
      });
      await until('the unit is back', async () => (await client.inspect('api')).held === 0);
    }
    await expectFree(client, 'api', 1);
  });

  it('is reported in time also when the server does not answer any more', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy(server.primary.url);
    const client = open({ prefix, connection: proxy.url });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 1, replicaTimeoutMs: 300 });
    await (await semaphore.acquire()).release();
    proxy.connectionOf('parkade-replicas')?.swallow('replies');
    expect(await rejection(semaphore.acquire())).toMatchObject({ code: 'NOT_REPLICATED', acknowledged: 0 });
    await until('the unit is back', async () => (await client.inspect('api')).held === 0);
    // The connection is given up, and those that come go over another one.
    const next = await until('the next one is served', () => semaphore.acquire().catch(() => undefined));
    expect(await next.release()).toBe(true);
  });

  it('is looked for again when the connection ends before the answer', async () => {
    const proxy = await openProxy(server.primary.url);
    const client = open({ connection: proxy.url });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 5_000 });
    await (await semaphore.acquire()).release();
    const goOn = stopReplicas(1);
    const request = watch(semaphore.acquire());
    await until('it is granted', async () => (await client.inspect('api')).held === 1);
    const waits = proxy.count('wait');
    for (let i = 1; i <= 3; i++) {
      proxy.connectionOf('parkade-replicas')?.cut();
      await until('it is asked again', () => waits.count >= i);
      expect(request.state).toBe('pending');
    }
    goOn();
    await until('it is served', () => request.state === 'resolved');
  });

  it('is put back first where Redis has lost it meanwhile: what no replica has is not acknowledged', async () => {
    const proxy = await openProxy(server.primary.url);
    const prefix = uniquePrefix();
    const client = open({ prefix, connection: proxy.url, presenceMs: 60_000 });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 50_000 });
    await (await semaphore.acquire()).release();
    const goOn = stopReplicas(1);
    const request = watch(semaphore.acquire());
    await until('it is granted', async () => (await client.inspect('api')).held === 1);
    const waits = proxy.count('wait');
    const { permits, state } = keysOf(prefix, 'api');
    const numbers = unpackState(await server.primary.redis.hgetallBuffer(state));
    const emptied = packState({ ...numbers, held: 0 });
    await server.primary.redis.multi().del(permits).hset(state, emptied).exec();
    goOn();
    proxy.connectionOf('parkade-replicas')?.cut();
    await until('it is asked again', () => waits.count > 0);

    const permit = await until('it is served', () => request.value, 40_000);

    expect(restored).toMatchObject([{ permits: 1 }]);
    for (const { redis } of server.replicas) {
      expect(await redis.zrange(permits, '0', '-1')).toEqual([permit.id]);
    }
  });

  it('is waited for behind a hand-off that another client has made', async () => {
    const prefix = uniquePrefix();
    const [holder, waiter] = [open({ prefix }), open({ prefix, presenceMs: 60_000 })];
    const held = await holder.semaphore('api', { limit: 1 }).acquire();
    const semaphore = waiter.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 10_000 });
    const request = watch(semaphore.acquire());
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    await untilListening(waiter, prefix, server.primary.url);
    const goOn = stopReplicas(1);
    await held.release();
    await until('it is asked for', async () => (await connectionsNamed('parkade-replicas')) > 0);
    await until('the replica that runs has it', async () => {
      const permits = await server.replicas[1]?.redis.zrange(`${prefix}:{api}:permits`, '0', '-1');
      return permits?.[0]?.startsWith(waiter.id);
    });
    expect(request.state).toBe('pending');
    goOn();
    await until('it is served', () => request.state === 'resolved');
  });

  it('that fails does not hold up the line: the next is served, which asks for less', async () => {
    stopReplicas(1);
    const prefix = uniquePrefix();
    const [one, two] = [open({ prefix }), open({ prefix })];
    const held = await one.semaphore('api', { limit: 1 }).acquire();
    const strict = watch(two.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 200 }).acquire());
    await until('it waits', async () => (await one.inspect('api')).waiting === 1);
    const next = watch(one.semaphore('api', { limit: 1, minReplicas: 1 }).acquire());
    await until('both wait', async () => (await one.inspect('api')).waiting === 2);
    await held.release();
    await until('the next is served', () => next.state === 'resolved');
    expect(strict.reason).toMatchObject({ code: 'NOT_REPLICATED' });
    await next.value?.release();
    await expectFree(one, 'api', 1);
  });

  it('ends with its request: a time-out or an abort in the meantime rejects at once and gives it back', async () => {
    stopReplicas(1);
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    expect(await rejection(semaphore.acquire({ timeoutMs: 100 }))).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    await until('the unit is back', async () => (await client.inspect('api')).held === 0);
    const controller = new AbortController();
    const request = watch(semaphore.acquire({ signal: controller.signal }));
    await until('it is granted', async () => (await client.inspect('api')).held === 1);
    controller.abort('enough');
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toBe('enough');
    await until('the unit is back', async () => (await client.inspect('api')).held === 0);
  });

  it('and is not yet, is given back when its client is closed, also where permits are left to their leases', async () => {
    stopReplicas(1);
    const prefix = uniquePrefix();
    const [client, other] = [open({ prefix }), open({ prefix })];
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const request = watch(semaphore.acquire());
    await until('it is granted', async () => (await other.inspect('api')).held === 1);
    await client.close({ release: false });
    expect(request.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    await expectFree(other, 'api', 1);
    await until('no connection is left', async () => (await connectionsNamed('parkade-replicas')) === 0);
  });

  it('and is not yet, is nobody’s to release, and no permit that is lost', async () => {
    stopReplicas(1);
    const client = open();
    let lost = 0;
    client.on('lost', () => lost++);
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 1_000 });
    const request = watch(semaphore.acquire({ leaseMs: 300, renew: false }));
    const id = await until('it is granted', async () => (await client.inspect('api')).holders[0]?.id);
    expect(await semaphore.release({ id })).toBe(false);
    await until('its lease is over', async () => (await client.inspect('api')).held === 0);
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'NOT_REPLICATED' });
    expect(lost).toBe(0);
  });

  it('can be revoked while it is waited for, and then its request is', async () => {
    stopReplicas(1);
    const prefix = uniquePrefix();
    const [client, other] = [open({ prefix }), open({ prefix })];
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const request = watch(semaphore.acquire());
    const id = await until('it is granted', async () => (await other.inspect('api')).holders[0]?.id);
    await other.revoke('api', id);
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'ACQUIRE_REVOKED' });
    await expectFree(other, 'api', 1);
  });

  it('can be revoked also when its client only hears of that where it asks for it again', async () => {
    stopReplicas(1);
    const prefix = uniquePrefix();
    const proxy = await openProxy(server.primary.url);
    const client = open({ prefix, connection: proxy.url, presenceMs: 60_000 });
    const other = open({ prefix });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const request = watch(semaphore.acquire());
    const id = await until('it is granted', async () => (await other.inspect('api')).holders[0]?.id);
    await until('it is waited for', () => proxy.connectionOf('parkade-replicas'));
    await other.revoke('api', id);
    expect(request.state).toBe('pending');
    proxy.connectionOf('parkade-replicas')?.cut();
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'ACQUIRE_REVOKED' });
  });

  it('whose lease has ended when they have it is not handed out, but asked for anew', async () => {
    const goOn = stopReplicas(1);
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const request = watch(semaphore.acquire({ leaseMs: 300, renew: false }));
    const id = await until('it is granted', async () => (await client.inspect('api')).holders[0]?.id);
    await until('its lease is over', async () => (await client.inspect('api')).held === 0);
    expect(request.state).toBe('pending');
    goOn();
    const permit = await until('it is served', () => request.value);
    expect(permit.id).not.toBe(id);
    expect(permit.isHeld).toBe(true);
  });

  it('stays valid while it is waited for, longer than its lease, since it is renewed', async () => {
    const goOn = stopReplicas(1);
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const request = watch(semaphore.acquire({ leaseMs: 300 }));
    const startMs = performance.now();
    await until('three leases are over', () => performance.now() - startMs > 900);
    expect((await client.inspect('api')).held).toBe(1);
    goOn();
    const permit = await until('it is served', () => request.value);
    expect(permit.isHeld).toBe(true);
    expect(permit.id).toMatch(/\/1\/1\/\d+$/); // the first request: it was not asked anew
  });

  it('does not hold up what else the client does, in the same semaphore or another', async () => {
    stopReplicas(1);
    const client = open({ attemptTimeoutMs: 60_000, unavailableAfterMs: 60_000 });
    const strict = client.semaphore('api', { limit: 2, minReplicas: 2, replicaTimeoutMs: 30_000 });
    const request = watch(strict.acquire());
    await until('it is waited for', async () => (await connectionsNamed('parkade-replicas')) === 1);
    for (let i = 0; i < 20; i++) {
      await (await client.semaphore('api', { limit: 2 }).acquire()).release();
      await (await client.semaphore('other', { limit: 1, minReplicas: 1 }).acquire()).release();
    }
    expect(request.state).toBe('pending');
  });

  it('costs one WAIT for all that were granted together', async () => {
    const client = open();
    const semaphore = client.semaphore('api', { limit: 100, minReplicas: 1 });
    await (await semaphore.acquire()).release();
    const waits = async () =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await server.primary.redis.info('commandstats'))?.[1] ?? 0);
    const before = await waits();
    const permits = await Promise.all(Array.from({ length: 100 }, () => semaphore.acquire()));
    expect((await waits()) - before).toBe(1);
    await Promise.all(permits.map((permit) => permit.release()));
  });

  it('shares the next WAIT with all others that come during one', async () => {
    const goOn = stopReplicas(1);
    const client = open();
    const semaphore = client.semaphore('api', { limit: 10, minReplicas: 2, replicaTimeoutMs: 20_000 });
    const requests = [watch(semaphore.acquire())];
    const waits = async () =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await server.primary.redis.info('commandstats'))?.[1] ?? 0);
    await until('it is waited for', async () => (await connectionsNamed('parkade-replicas')) === 1);
    await until('it waits', async () => /cmd=wait/.test(String(await server.primary.redis.client('LIST'))));
    const before = await waits();
    for (let held = 2; held <= 6; held++) {
      requests.push(watch(semaphore.acquire()));
      await until('it is granted', async () => (await client.inspect('api')).held === held);
    }
    goOn();
    await until('all are served', () => requests.every(({ state }) => state === 'resolved'));
    expect((await waits()) - before).toBeLessThanOrEqual(2); // a WAIT may be counted when it begins, or when it ends
  });

  it('costs nothing where nobody asks for it: no connection and no call', async () => {
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1 });
    await until('those of before are gone', async () => (await connectionsNamed('parkade-replicas')) === 0);
    const calls = async () => {
      const stats = await server.primary.redis.info('commandstats');
      return ['evalsha', 'wait'].map((command) =>
        Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
      );
    };
    await (await semaphore.acquire()).release();
    const [evals = 0, waits = 0] = await calls();
    await (await semaphore.acquire()).release();
    expect(await calls()).toEqual([evals + 2, waits]);
    expect(await connectionsNamed('parkade-replicas')).toBe(0);
  });

  it('is refused over node-redis, which cannot tell, and nothing is held then', async () => {
    const { createClient } = await import('redis');
    const connection = createClient({ url: server.primary.url });
    connection.on('error', () => {});
    onTestFinished(() => connection.destroy());
    const client = openClient({ connection });
    const error = await rejection(client.semaphore('api', { limit: 1, minReplicas: 1 }).acquire());
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining('minReplicas') });
    await until('the unit is back', async () => (await client.inspect('api')).held === 0);
  });

  it('needs of the user of Redis the right to WAIT, beside those in examples/acl/service.acl', async () => {
    const { redis, url } = server.primary;
    for (const [name, rights] of [
      ['service', []],
      ['replicated', ['+wait']],
    ] as const) {
      const connection = await makeUser(redis, url, name, [...rulesOf('service'), ...rights]);
      const client = openClient({ connection, prefix: 'parkade' });
      const request = client.semaphore(name, { limit: 1, minReplicas: 2 }).acquire();
      if (name === 'replicated') {
        expect(await (await request).release()).toBe(true);
      } else {
        expect(await rejection(request)).toMatchObject({ code: 'REDIS_REFUSED' });
      }
    }
  });

  it('is reported with the reason when the user of Redis may not WAIT', async () => {
    await server.primary.redis.call('ACL', 'SETUSER', 'hasty', 'on', '>x', '~*', '&*', '+@all', '-wait');
    const client = open({ connection: server.primary.url.replace('//', '//hasty:x@') });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 1 });
    const error = await rejection(semaphore.acquire());
    expect(error).toMatchObject({ code: 'REDIS_REFUSED', message: expect.stringContaining('NOPERM') });
    await until('the unit is back', async () => (await client.inspect('api')).held === 0);
  });
});

describe('the options of acknowledgement', () => {
  it.each([
    [{ minReplicas: -1 }, 'minReplicas is -1, allowed is an integer ≥ 0'],
    [{ minReplicas: 1.5 }, 'minReplicas is 1.5, allowed is an integer'],
    [{ replicaTimeoutMs: 0 }, 'replicaTimeoutMs is 0, allowed is an integer ≥ 10'],
  ])('%j are refused', (options, problem) => {
    const client = openClient();
    expect(() => client.semaphore('api', { limit: 1, ...options })).toThrow(problem);
  });
});

describeFleet('a failover while a grant waits for its replicas', () => {
  /** A connection that finds the primary anew each time that it connects, as one that asks Sentinel does. */
  async function redirected(port: number) {
    const { Redis } = await import('ioredis');
    const place = { port };
    class Redirected extends Redis {
      override connect(callback?: () => void): Promise<void> {
        this.options.port = place.port;
        return super.connect(callback as never);
      }
    }
    const connection = new Redirected(port, '127.0.0.1', {
      retryStrategy: () => 20,
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      maxRetriesPerRequest: null,
    });
    connection.on('error', () => {});
    onTestFinished(() => connection.disconnect());
    return { connection, place };
  }

  it('hands it out from the new primary, once it is there and acknowledged', async () => {
    await using server = await startReplicated({ replicas: 2 });
    const [heir, follower] = server.replicas as [FleetNode, FleetNode];
    const { connection, place } = await redirected(server.primary.port);
    const client = openClient({ connection, presenceMs: 900 });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 1, replicaTimeoutMs: 20_000 });
    await (await semaphore.acquire()).release();
    heir.pause();
    follower.pause();
    const request = watch(semaphore.acquire());
    await until('it is granted', async () => (await client.inspect('api')).held === 1);
    await server.primary.kill(); // the replicas have never heard of the grant
    heir.resume();
    follower.resume();
    await server.promote(heir);
    place.port = heir.port;
    const permit = await until('it is served', () => request.value, 20_000);
    expect(permit.isHeld).toBe(true);
    expect((await client.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
    expect(await permit.release()).toBe(true);
  });

  it('leaves a primary that became a replica, although that keeps the connection open', async () => {
    await using server = await startReplicated({ replicas: 2 });
    const [heir] = server.replicas as [FleetNode];
    const { connection, place } = await redirected(server.primary.port);
    const client = openClient({ connection, presenceMs: 900 });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 1, replicaTimeoutMs: 20_000 });
    await (await semaphore.acquire()).release();
    await server.promote(heir);
    place.port = heir.port;
    const permit = await semaphore.acquire();
    expect(String(await heir.redis.client('LIST'))).toContain('name=parkade-replicas');
    expect(await permit.release()).toBe(true);
  });
});
