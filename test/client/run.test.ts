import { describe, expect, it } from 'vitest';
import { type Permit, PermitLostError } from '../../src/index.ts';
import { expectFree, hashOf, openClient, openProxy } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until } from '../support/until.ts';

refuseStrayErrors();

describe('run', () => {
  it('resolves to what the task returns, holds the permit while it runs, and has released it then', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    let seen: Permit | undefined;
    const result = await semaphore.run(async (permit) => {
      seen = permit;
      expect(permit.isHeld).toBe(true);
      expect((await semaphore.inspect()).held).toBe(1);
      return 'done';
    });
    expect(result).toBe('done');
    expect(seen?.isHeld).toBe(false);
    await expectFree(client, 'api', 1);
  });

  it('takes a task that returns no promise', async () => {
    expect(
      await openClient()
        .semaphore('api', { limit: 1 })
        .run(() => 7),
    ).toBe(7);
  });

  it('releases when the task rejects or throws, and rejects with that', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    const failure = new Error('card refused');
    expect(await rejection(semaphore.run(() => Promise.reject(failure)))).toBe(failure);
    expect(
      await rejection(
        semaphore.run(() => {
          throw failure;
        }),
      ),
    ).toBe(failure);
    await expectFree(client, 'api', 1);
  });

  it('does not call the task when there is no permit in time', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    await semaphore.acquire();
    let called = false;
    const error = await rejection(
      semaphore.run(
        () => {
          called = true;
        },
        { timeoutMs: 50 },
      ),
    );
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    expect(called).toBe(false);
  });

  it('does not mind that the task released the permit itself', async () => {
    const client = openClient();
    const bounded = client.boundedSemaphore('db', { limit: 1 });
    expect(await bounded.run(async (permit) => permit.release())).toBe(true);
    await expectFree(client, 'db', 1);
  });

  it('rejects with PermitLostError when the lease was lost, after the task has ended', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 150, renew: false });
    let ended = false;
    const error = await rejection(
      semaphore.run(async (permit) => {
        await until('the signal aborts', () => permit.signal.aborted);
        await new Promise((resolve) => setTimeout(resolve, 20));
        ended = true;
        return 'too late';
      }),
    );
    expect(ended).toBe(true);
    expect(error).toBeInstanceOf(PermitLostError);
    expect(error).toMatchObject({ code: 'PERMIT_LOST', semaphore: 'api' });
  });

  it('rejects with PermitLostError also when the task did not look, or blocked the event loop', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 100, renew: false });
    const error = await rejection(
      semaphore.run(() => {
        const endMs = performance.now() + 150;
        while (performance.now() < endMs);
      }),
    );
    expect(error).toMatchObject({ code: 'PERMIT_LOST' });
  });

  it('tells what the task rejected with as the cause of PermitLostError, and rejects with the loss itself as it is', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 100, renew: false });
    const failure = new Error('connection closed');
    const other = await rejection(
      semaphore.run(async (permit) => {
        await until('it is lost', () => permit.signal.aborted);
        throw failure;
      }),
    );
    expect(other).toMatchObject({ code: 'PERMIT_LOST', cause: failure });
    let reason: unknown;
    const same = await rejection(
      semaphore.run(async (permit) => {
        await until('it is lost', () => permit.signal.aborted);
        reason = permit.signal.reason;
        permit.signal.throwIfAborted();
      }),
    );
    expect(same).toBe(reason);
  });

  it('resolves to the task’s result although the release could not be said: that is an error event', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy, unavailableAfterMs: 300 });
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    const result = await client.semaphore('api', { limit: 1 }).run(async () => {
      proxy.goAway();
      await until('the client knows', () => errors.length > 0);
      return 'charged';
    });
    expect(result).toBe('charged');
    expect(errors).toContainEqual(expect.objectContaining({ code: 'REDIS_UNAVAILABLE', semaphore: 'api' }));
    proxy.resume();
    const other = openClient({ prefix });
    await until('it is released when Redis is back', async () => (await other.inspect('api')).held === 0);
  });

  it('returns the result when the reply to its release was lost, and the unit is back', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy });
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.run(() => {});
    const dropped = proxy.dropReplyTo(hashOf.release);
    expect(await semaphore.run(() => 'done')).toBe('done');
    await dropped;
    await expectFree(client, 'api', 1);
  });
});
