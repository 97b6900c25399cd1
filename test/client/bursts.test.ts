import { describe, expect, it } from 'vitest';
import type { IoredisLike } from '../../src/redis/ioredis-like.ts';
import { expectFree, openClient, openRedis } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';

refuseStrayErrors();

/** A connection that knows how many calls, and how many records in them, are under way, and were at most. */
function countedRedis() {
  const redis = openRedis();
  const now = { calls: 0, records: 0 };
  const most = { calls: 0, records: 0, sum: 0 };
  const evalsha = redis.evalsha.bind(redis) as IoredisLike['evalsha'];
  redis.evalsha = (async (...args: Parameters<IoredisLike['evalsha']>) => {
    const records = args.filter((arg) => /^[^[].*\/\d+\/\d+\/\d+!?$/u.test(String(arg))).length;
    now.calls++;
    now.records += records;
    most.sum++;
    most.calls = Math.max(most.calls, now.calls);
    most.records = Math.max(most.records, now.records);
    try {
      return await evalsha(...args);
    } finally {
      now.calls--;
      now.records -= records;
    }
  }) as typeof redis.evalsha;
  return { redis, most };
}

describe('twenty thousand requests of one turn', () => {
  it('are not all under way at once, and are all served; so are their releases, and who asks behind them', async () => {
    const count = 20_000;
    const { redis, most } = countedRedis();
    const client = openClient({ connection: redis, unavailableAfterMs: 60_000 });
    const semaphore = client.semaphore('api', { limit: count + 1 });
    await (await semaphore.acquire()).release();

    const asked = Array.from({ length: count }, () => semaphore.acquire());
    const behind = semaphore.tryAcquire();
    const permits = await Promise.all(asked);
    expect(await behind).not.toBeNull();
    expect(new Set(permits.map(({ fencingToken }) => fencingToken)).size).toBe(count);
    // Four full calls, as far as acquires go; the first release may be under way beside them.
    expect(most.records).toBeLessThanOrEqual(2_500);
    expect(most.sum).toBeLessThan(100);

    expect(await Promise.all(permits.map((permit) => permit.release()))).toEqual(permits.map(() => true));
    expect(most.records).toBeLessThanOrEqual(2_500);
    await (await behind)?.release();
    await expectFree(client, 'api', count + 1);
  });

  it('that are called off are told so at once, sent or held back, and leave nothing', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 20_000 });
    const stop = new AbortController();
    const asked = Array.from({ length: 10_000 }, () => semaphore.acquire({ signal: stop.signal }));
    const settled = Promise.allSettled(asked);
    await asked[0];
    stop.abort(new Error('enough'));
    const outcomes = await settled;
    const granted = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
    expect(new Set(failed)).toEqual(new Set(['enough']));
    await Promise.all(granted.map((permit) => permit.release()));
    await expectFree(client, 'api', 20_000);
  });
});
