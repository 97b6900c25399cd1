import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Bottleneck from 'bottleneck';
import { MultiSemaphore, Semaphore } from 'redis-semaphore';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRedis } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { root } from './pages.ts';

// What docs/comparison.md says of others and can be tried here. A test that fails with a new version of theirs means
// that the page, and the table in the README, have to be corrected.

describe('redis-semaphore', () => {
  it('serves who comes at the right moment, ahead of who waits', async () => {
    const redis = openRedis();
    const name = uniquePrefix();
    const semaphore = () => new Semaphore(redis, name, 1);
    const [first, waiter] = [semaphore(), semaphore()];
    await first.acquire();
    const served: string[] = [];
    const waiting = waiter.acquire().then(() => served.push('who waited'));
    // One after the other on one connection, so that no attempt of the waiter comes in between.
    await first.release();
    await first.acquire();
    const released = first.release();
    const newcomer = semaphore();
    await Promise.all([released, newcomer.acquire().then(() => served.push('newcomer'))]);
    await newcomer.release();
    await waiting;
    await waiter.release();
    expect(served).toEqual(['newcomer', 'who waited']);
  });

  it('has no limit that all agree on: who names a higher one is served', async () => {
    const redis = openRedis();
    const name = uniquePrefix();
    const [one, five] = [new Semaphore(redis, name, 1), new MultiSemaphore(redis, name, 5, 4)];
    await one.acquire();
    expect(await five.tryAcquire()).toBe(true);
    await Promise.all([one.release(), five.release()]);
  });

  it('grants anew when its key is gone, and the holder does not know before its next refresh', async () => {
    const redis = openRedis();
    const [slow, quick] = [uniquePrefix(), uniquePrefix()];
    const told: string[] = [];
    const onLockLost = (error: Error) => told.push(error.message);
    const unaware = new Semaphore(redis, slow, 1, { refreshInterval: 60_000, onLockLost });
    const aware = new Semaphore(redis, quick, 1, { refreshInterval: 50, onLockLost });
    await Promise.all([unaware.acquire(), aware.acquire()]);
    await redis.del(`semaphore:${slow}`, `semaphore:${quick}`);
    const other = new Semaphore(redis, slow, 1);
    expect(await other.tryAcquire()).toBe(true);
    await until('one is told', () => told.length > 0);
    expect(told).toEqual([`Lost semaphore for key semaphore:${quick}`]);
    expect([unaware.isAcquired, aware.isAcquired]).toEqual([true, false]);
    await Promise.all([unaware.release(), other.release()]);
  });

  it('says nothing of a second release, and without refreshes takes an expired lock for held', async () => {
    const redis = openRedis();
    const name = uniquePrefix();
    const [late, next] = [100, 10_000].map(
      (lockTimeout) => new Semaphore(redis, name, 1, { lockTimeout, refreshInterval: 0 }),
    ) as [Semaphore, Semaphore];
    await late.acquire();
    await next.acquire();
    expect(late.isAcquired).toBe(true);
    await next.release();
    expect(await next.release()).toBeUndefined();
  });

  it('ends the process when a refresh fails because the connection is closed', async () => {
    const program = `
      const { Semaphore } = require('redis-semaphore');
      const { Redis } = require('ioredis');
      const redis = new Redis('${redisUrl()}');
      const semaphore = new Semaphore(redis, '${uniquePrefix()}', 1, { refreshInterval: 50 });
      semaphore.acquire().then(() => redis.disconnect());
      setTimeout(() => console.log('still there'), 20_000);`;
    const child = spawn(process.execPath, ['-e', program], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill());
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code).toBe(1);
    expect(said).toContain(join('redis-semaphore', 'lib'));
  });
});

describe('bottleneck', () => {
  it('refuses all further jobs when its settings are gone, on Redis 7 and newer', async ({ skip }) => {
    const redis = openRedis();
    const [, major = ''] = /redis_version:(\d+)/.exec(await redis.info('server')) ?? [];
    skip(Number(major) < 7, 'older ones put no ERR before the error that it waits for');
    const limiter = () =>
      new Bottleneck({
        id,
        datastore: 'ioredis',
        maxConcurrent: 1,
        clearDatastore: false,
        clientOptions: redisUrl(),
      });
    const id = uniquePrefix();
    const [first, second] = [limiter(), limiter()];
    onTestFinished(() => Promise.all([first.disconnect(false), second.disconnect(false)]).then(() => {}));
    let end = () => {};
    const running = first.schedule(() => new Promise<void>((resolve) => (end = resolve)));
    await until('it runs', async () => (await first.running()) === 1);
    const keys = await redis.keys(`b_${id}*`);
    await redis.del(...keys);
    await expect(second.schedule(() => Promise.resolve())).rejects.toThrow('SETTINGS_KEY_NOT_FOUND');
    end();
    await running.catch(() => {});
  });
});
