import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { connectSentinel } from '../cluster/connections.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { openClient } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';

refuseStrayErrors();

describeFleet('a primary that is demoted while its connections stay open', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await startSentinel();
  });
  afterAll(() => group?.stop());

  it('answers READONLY, and the client waits until the connection leads to the new one', async () => {
    const connection = connectSentinel(group, 6);
    onTestFinished(() => connection.disconnect());
    const client = openClient({ connection, unavailableAfterMs: 20_000 });
    const semaphore = client.semaphore('api', { limit: 1 });
    const held = await semaphore.acquire();
    const next = semaphore.acquire();
    await until('it is in line', async () => (await semaphore.inspect()).waiting === 1);
    await group.synced();

    const old = await group.primary();
    const heir = group.nodes.find((node) => node !== old);
    await heir?.redis.call('REPLICAOF', 'NO', 'ONE');
    await old.redis.call('REPLICAOF', '127.0.0.1', String(heir?.port));
    expect(await held.release()).toBe(true);
    const permit = await next;
    expect(permit.fencingToken).toBeGreaterThan(held.fencingToken);
    expect(await permit.release()).toBe(true);
  });
});
