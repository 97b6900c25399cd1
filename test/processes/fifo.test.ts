import { expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import { openClient, openRedis, openServer } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';
import { openWorkers } from '../support/workers.ts';

refuseStrayErrors();

it('three processes are served strictly in the order in which they asked', async () => {
  const { workers, prefix } = await openWorkers(3);
  const client = openClient({ prefix });
  const held = await client.semaphore('api', { limit: 1 }).acquire();
  // Each process asks for ten at once; Redis decides who comes when.
  const asked = workers.map((worker) => {
    const semaphore = worker.semaphore('api', { limit: 1 });
    return Array.from({ length: 10 }, async () => {
      const permit = await semaphore.acquire();
      await permit.release();
      return permit;
    });
  });
  await until('thirty wait', async () => (await client.inspect('api')).waiting === 30);
  const { waiters } = await client.inspect('api');
  expect(new Set(waiters.map((waiter) => waiter.client)).size).toBe(3);
  await held.release();
  const permits = await Promise.all(asked.flat());
  permits.sort((a, b) => a.fencingToken - b.fencingToken);
  expect(permits.map(({ id }) => id)).toEqual(waiters.map(({ id }) => id));
});

it('whoever releases and asks again in a loop, in three processes, never overtakes who waits', async () => {
  const server = await openServer();
  const monitor = await openRedis(server.url).monitor();
  onTestFinished(() => monitor.disconnect());
  monitor.on('error', () => {});
  const { workers, prefix } = await openWorkers(3, { url: server.url });
  const keys = keysOf(prefix, 'api');
  const line: string[] = [];
  let handedOff = 0;
  let overtaken = 0;
  let atOnce = 0;
  const held = new Set<string>();
  // The server's own log: what each script writes into the line and into the permits.
  monitor.on('monitor', (_time: string, [command, key, ...args]: string[]) => {
    const added = (args[0] === 'NX' ? args.slice(1) : args).filter((_arg, i) => i % 2 === 1);
    if (command?.toUpperCase() === 'ZADD' && key === keys.waiters) {
      line.push(...added);
    } else if (command?.toUpperCase() === 'ZADD' && key === keys.permits) {
      for (const record of added) {
        if (held.has(record)) continue; // a renewal
        held.add(record);
        atOnce = Math.max(atOnce, held.size);
        if (line.includes(record)) {
          handedOff++;
          if (line.shift() !== record) overtaken++;
        } else if (line.length > 0) {
          overtaken++;
        }
      }
    } else if (command?.toUpperCase() === 'ZREM' && key === keys.permits) {
      for (const record of args) held.delete(record);
    }
  });
  const loops = await Promise.all(
    workers.flatMap((worker) => {
      const semaphore = worker.semaphore('api', { limit: 2 });
      return [semaphore.loop(150), semaphore.loop(150)];
    }),
  );
  const tokens = loops.flatMap((permits) => permits.map(({ fencingToken }) => fencingToken));
  expect(new Set(tokens).size).toBe(900);
  for (const permits of loops) {
    const own = permits.map(({ fencingToken }) => fencingToken);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }
  await until('the log is read', () => held.size === 0 && line.length === 0);
  expect(handedOff).toBeGreaterThan(300);
  expect(overtaken).toBe(0);
  expect(atOnce).toBe(2);
}, 60_000);

it('a heavy request of one process is served in its turn, though two others keep the semaphore busy', async () => {
  const { workers, prefix } = await openWorkers(3);
  const client = openClient({ prefix });
  const [heavy, ...busy] = workers.map((worker) => worker.semaphore('api', { limit: 4 }));
  const loops = busy.flatMap((semaphore) => [1, 2, 3].map(() => semaphore.loop(400)));
  // Of six who ask again at once, four hold at nearly any moment; that two wait is seen more rarely.
  await until('it is busy', async () => (await client.inspect('api')).held > 0);
  const permits = await heavy?.loop(10, { weight: 4 });
  expect(permits).toHaveLength(10);
  await Promise.all(loops);
  expect(await client.inspect('api')).toMatchObject({ held: 0, waiting: 0, available: 4 });
});
