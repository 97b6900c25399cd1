import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Semaphore, SemaphoreClient } from '../../src/index.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { expectFree, type OpenOptions, openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { rejection, timed, until, watch } from '../support/until.ts';
import { type Connection, countSubscribers, end, listenersOf } from './connections.ts';

/** A group of servers, as the promises need it. */
export interface Group {
  readonly nodes: readonly FleetNode[];
  /** Opens a connection; the caller closes it. */
  connect(): Connection;
}

const odd = ['a b', 'ü/€/💥', 'it\'s "quoted"', '%s%n*?[x]', 'a:b:c', '0', 'x'.repeat(200), '--'];

/** What every client promises, whatever its connection leads to. To be called inside a `describe`. */
export function corePromises(groupOf: () => Group): void {
  const lend = (): Connection => {
    const connection = groupOf().connect();
    onTestFinished(() => end(connection));
    return connection;
  };
  const open = (options: OpenOptions = {}): SemaphoreClient => openClient({ connection: lend(), ...options });

  /** Three clients with one semaphore. */
  const three = (limit: number): [Semaphore, Semaphore, Semaphore] => {
    const prefix = uniquePrefix();
    const handle = () => open({ prefix }).semaphore('api', { limit });
    return [handle(), handle(), handle()];
  };

  it('serves first come, first served, across clients', async () => {
    const handles = three(1);
    const first = await handles[0].acquire();
    const served: number[] = [];
    const all: Promise<void>[] = [];
    for (let i = 0; i < 9; i++) {
      const request = (handles[i % 3] as Semaphore).acquire();
      all.push(
        request.then(async (permit) => {
          served.push(i);
          await permit.release();
        }),
      );
      await until('it is in line', async () => (await handles[0].inspect()).waiting === i + 1);
    }
    await first.release();
    await Promise.all(all);
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('hands a released permit to the next in line at once, by message, long before it would look itself', async () => {
    const [one, two] = three(1);
    for (let i = 0; i < 3; i++) {
      const held = await one.acquire();
      const next = two.acquire();
      await until('it is in line', async () => (await one.inspect()).waiting === 1);
      // The subscriber may just be opening, and a message may come too early for it, the first time only.
      const releasedAt = performance.now();
      await held.release();
      const permit = await next;
      if (i > 0) expect(performance.now() - releasedAt).toBeLessThan(250);
      await permit.release();
    }
  });

  it('rejects what times out, in time, and leaves nothing of it behind', async () => {
    const [one, two] = three(1);
    const held = await one.acquire();
    const request = two.acquire({ timeoutMs: 200 });
    const tookMs = await timed(request);
    expect(await rejection(request)).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    expect(tookMs).toBeGreaterThanOrEqual(195);
    expect(tookMs).toBeLessThan(1_500);
    await until('it has left', async () => (await one.inspect()).waiting === 0);
    await held.release();
  });

  it('keeps a permit for as long as it is held, far beyond its lease', async () => {
    const client = open();
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 400 }).acquire();
    const start = performance.now();
    await until('three leases are over', () => performance.now() - start > 1_200);
    expect(permit.isHeld).toBe(true);
    expect(permit.signal.aborted).toBe(false);
    expect(await permit.release()).toBe(true);
    await expectFree(client, 'api', 1);
  });

  it('obeys a resize at once, in every client', async () => {
    const [one, two] = three(1);
    const held = await one.acquire();
    const waiting = [watch(two.acquire()), watch(two.acquire())];
    await until('both are in line', async () => (await one.inspect()).waiting === 2);
    await one.resize(3);
    await until('both are served', () => waiting.every(({ state }) => state === 'resolved'));
    expect(await two.inspect()).toMatchObject({ limit: 3, held: 3, available: 0, waiting: 0 });
    await held.release();
  });

  it('shows the same to every client: who holds, who waits', async () => {
    const [one, two] = three(1);
    const held = await one.acquire();
    watch(two.acquire());
    await until('it is in line', async () => (await one.inspect()).waiting === 1);
    const snapshots = await Promise.all([one.inspect(), two.inspect()]);
    for (const snapshot of snapshots) {
      expect(snapshot.holders.map(({ id }) => id)).toEqual([held.id]);
      expect(snapshot.waiters).toMatchObject([{ position: 0, weight: 1 }]);
    }
  });

  it('keeps many semaphores apart, wherever their keys are, and each within its limit', async () => {
    const prefix = uniquePrefix();
    const clients = [open({ prefix }), open({ prefix })];
    const names = Array.from({ length: 60 }, (_, i) => `many-${i}`);
    const inside = new Map<string, number>();
    let most = 0;
    const work = async (client: SemaphoreClient, name: string) => {
      await client.semaphore(name, { limit: 2 }).run(async () => {
        const count = (by: number) => {
          inside.set(name, (inside.get(name) ?? 0) + by);
          most = Math.max(most, inside.get(name) ?? 0);
        };
        count(1);
        await sleep(2);
        count(-1);
      });
    };
    const tasks = names.flatMap((name) =>
      clients.flatMap((client) => Array.from({ length: 4 }, () => work(client, name))),
    );
    await Promise.all(tasks);
    expect(most).toBeLessThanOrEqual(2);
    const left = await Promise.all(names.map((name) => clients[0]?.inspect(name)));
    expect(left.filter((snapshot) => snapshot?.held !== 0 || snapshot.waiting !== 0)).toEqual([]);
  });

  it.each(odd)('takes any name, also %j', async (name) => {
    const client = open();
    const semaphore = client.semaphore(name, { limit: 1 });
    const held = await semaphore.acquire();
    const next = semaphore.acquire();
    expect(await semaphore.tryAcquire()).toBeNull();
    await held.release();
    await (await next).release();
    await expectFree(client, name, 1);
  });

  it('refuses names that could lead elsewhere or are too long, before anything is sent', () => {
    const client = open();
    for (const name of ['', '{a}b', 'a}b', 'x'.repeat(10_240), 'a\0b', 'line\nbreak', '\ud800']) {
      expect(() => client.semaphore(name, { limit: 1 })).toThrowError(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }),
      );
    }
  });

  it('works under a key prefix, one with a hash tag included', async () => {
    for (const keyPrefix of ['app:', '{app}:']) {
      const connection = lend();
      const prefixed = connection.duplicate(
        ...('nodes' in connection ? [[], { keyPrefix }] : [{ keyPrefix }]),
      ) as Connection;
      prefixed.on('error', () => {});
      onTestFinished(() => end(prefixed));
      const prefix = uniquePrefix();
      const [one, two] = [open({ prefix, connection: prefixed }), open({ prefix, connection: prefixed })];
      const held = await one.semaphore('api', { limit: 1 }).acquire();
      const next = two.semaphore('api', { limit: 1 }).acquire();
      await until('it is in line', async () => (await one.inspect('api')).waiting === 1);
      await held.release();
      await (await next).release();
      const keys = await Promise.all(
        groupOf().nodes.map(({ redis }) => redis.keys(`${keyPrefix}${prefix}:*`)),
      );
      expect(keys.flat().length).toBeGreaterThan(0);
    }
  });

  it('works with automatic pipelines', async () => {
    const connection = lend();
    const options = { enableAutoPipelining: true };
    const piped = connection.duplicate(...('nodes' in connection ? [[], options] : [options])) as Connection;
    piped.on('error', () => {});
    onTestFinished(() => end(piped));
    const client = open({ connection: piped });
    const names = Array.from({ length: 20 }, (_, i) => `piped-${i}`);
    const permits = await Promise.all(names.map((name) => client.semaphore(name, { limit: 1 }).acquire()));
    expect(await Promise.all(permits.map((permit) => permit.release()))).toEqual(names.map(() => true));
  });

  it('goes on when the scripts were flushed on every server', async () => {
    const client = open();
    const semaphore = client.semaphore('api', { limit: 1 });
    for (let i = 0; i < 2; i++) {
      const held = await semaphore.acquire();
      await Promise.all(groupOf().nodes.map(({ redis }) => redis.call('SCRIPT', 'FLUSH')));
      const next = semaphore.acquire();
      await held.release();
      await (await next).release();
    }
    await expectFree(client, 'api', 1);
  });

  it('ends a client without a trace: the line is left, permits are released, the connection is as it was', async () => {
    const prefix = uniquePrefix();
    const connection = lend();
    await until('it is open', () => connection.ping().catch(() => undefined));
    const before = listenersOf(connection);
    const other = open({ prefix });
    await other.semaphore('api', { limit: 2 }).acquire();

    const client = openClient({ connection, prefix });
    const semaphore = client.semaphore('api', { limit: 2 });
    await semaphore.acquire();
    const waiting = watch(semaphore.acquire());
    await until('it is in line', async () => (await other.inspect('api')).waiting === 1);
    // A Sentinel of node-redis gives its connections no names, so there is nothing to count.
    const isCounted = !('isOpen' in connection);
    await until(
      'messages are heard',
      async () => !isCounted || (await countSubscribers(groupOf().nodes)) > 0,
    );
    await client.close();

    expect(waiting.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(await other.inspect('api')).toMatchObject({ held: 1, waiting: 0 });
    expect(listenersOf(connection)).toEqual(before);
    expect(await connection.ping()).toBe('PONG');
    end(connection);
    await other.close();
    await until('no subscriber is left', async () => (await countSubscribers(groupOf().nodes)) === 0);
  });
}
