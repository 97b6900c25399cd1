import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Permit, SemaphoreClient } from '../../src/index.ts';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { type Connection, connectSentinel } from '../cluster/connections.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';

refuseStrayErrors();

const presenceMs = 1_500;

describeFleet('a failover to a replica that has missed the latest writes', () => {
  let group: SentinelGroup;
  const connections: Connection[] = [];
  const clients: SemaphoreClient[] = [];
  const prefix = uniquePrefix();
  const restored = new Map<string, number>();
  /** Grants to a newcomer, who knew nothing of the semaphore, while its only unit was held. */
  const intruders: { permit: Permit; atMs: number }[] = [];
  const served: string[] = [];
  const tokens: number[] = [];
  let lostHolder: Permit;
  let releasedAtMs = 0;

  const open = (label: string): SemaphoreClient => {
    const connection = connectSentinel(group, 6);
    connections.push(connection);
    const client = new SemaphoreClient(connection, { prefix, label, presenceMs, attemptTimeoutMs: 1_000 });
    client.on('error', () => {});
    client.on('restored', ({ semaphore }) => {
      if (!restored.has(semaphore)) restored.set(semaphore, performance.now());
    });
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    group = await startSentinel();
    const [one, two, newcomer] = [open('one'), open('two'), open('newcomer')];
    const limit = { limit: 1 };
    // What replicas know: that these exist, and who holds the line's only unit.
    for (const name of ['held', 'tokens']) await (await one.semaphore(name, limit).acquire()).release();
    const holder = await one.semaphore('line', limit).acquire();
    await group.synced();
    const goOn = await group.holdReplication();

    // What they miss.
    lostHolder = await one.semaphore('held', limit).acquire();
    const waiting: Promise<unknown>[] = [];
    for (const [i, client] of [two, one, two].entries()) {
      const request = client.semaphore('line', limit).acquire();
      waiting.push(
        request.then((permit) => {
          served.push(`${i}`);
          return permit.release();
        }),
      );
      await until('it is in line', async () => (await one.inspect('line')).waiting === i + 1);
    }
    const draw = async (client: SemaphoreClient) => {
      const permit = await client.semaphore('tokens', limit).acquire();
      tokens.push(permit.fencingToken);
      await permit.release();
    };
    for (let i = 0; i < 30; i++) await draw(i % 2 === 0 ? one : two);

    const victim = await group.primary();
    await victim.kill();
    await goOn();
    const intrusion = intrude(newcomer);
    await until('another primary serves', async () => (await group.primary()) !== victim, 20_000);
    for (let i = 0; i < 30; i++) await draw(i % 2 === 0 ? two : newcomer);
    await until('the loss is noticed', () => restored.has('held'));
    // To its client, a place that was lost looks like one that it lost by its own silence, if the outage was long.
    await until('the line is as it was', async () => (await one.inspect('line')).waiting === 3);
    await holder.release();
    await Promise.all(waiting);
    await until(
      'the closed window is over',
      () => performance.now() > (restored.get('held') ?? 0) + presenceMs,
    );
    releasedAtMs = performance.now();
    await intrusion.stop();
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    for (const connection of connections) connection.disconnect();
    await group?.stop();
  });

  /** Tries again and again to get what is held already. */
  function intrude(client: SemaphoreClient): { stop(): Promise<void> } {
    let stopped = false;
    const semaphore = client.semaphore('held', { limit: 1 });
    const trying = (async () => {
      while (!stopped) {
        const permit = await semaphore.tryAcquire().catch(() => null);
        if (permit !== null) intruders.push({ permit, atMs: performance.now() });
        await sleep(2);
      }
    })();
    return {
      stop() {
        stopped = true;
        return trying;
      },
    };
  }

  it('leaves a holder its permit, though nobody there knew of it: it is put back', async () => {
    expect(lostHolder.isHeld).toBe(true);
    const { holders } = await (clients[1] as SemaphoreClient).inspect('held');
    expect(holders.map(({ id }) => id)).toContain(lostHolder.id);
  });

  it('lets in no more than the limit once more, and only until the first holder has looked in', () => {
    expect(intruders.length).toBeLessThanOrEqual(1);
    const restoredAtMs = restored.get('held') ?? 0;
    // The two replies may cross on their way here.
    for (const { atMs } of intruders) expect(atMs).toBeLessThan(restoredAtMs + 250);
    expect(releasedAtMs).toBeGreaterThan(restoredAtMs + presenceMs);
  });

  it('serves who waited, though their places were lost, in the order of asking', () => {
    expect(served).toEqual(['0', '1', '2']);
  });

  it('never draws a fencing token again that was drawn in the lost time, nor a lower one', () => {
    expect(tokens).toHaveLength(60);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(60);
    for (const { permit } of intruders) expect(permit.fencingToken).toBeGreaterThan(lostHolder.fencingToken);
  });

  it('ends as it should: everybody releases what they hold, and the unit is free again', async () => {
    expect(await lostHolder.release()).toBe(true);
    for (const { permit } of intruders) expect(await permit.release()).toBe(true);
    const permit = await (clients[2] as SemaphoreClient).semaphore('held', { limit: 1 }).tryAcquire();
    expect(permit?.isHeld).toBe(true);
    await permit?.release();
  });
});
