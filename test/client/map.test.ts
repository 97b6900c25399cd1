import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { expectFree, openClient, openClients } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What is alive, bytes. */
function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** The whole numbers below `count`, and how many of them were taken and whether the source was closed. */
function source(count: number) {
  const facts = { taken: 0, closed: false };
  function* items() {
    try {
      for (let i = 0; i < count; i++) {
        facts.taken++;
        yield i;
      }
    } finally {
      facts.closed = true;
    }
  }
  return { facts, items: items() };
}

describe('map', () => {
  it('resolves to the results in the order of the items, whichever ends first', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 4 });
    const results = await semaphore.map([40, 5, 20, 1, 10], async (ms, permit, index) => {
      expect(permit.isHeld).toBe(true);
      await sleep(ms);
      return `${index}: ${ms}`;
    });
    expect(results).toEqual(['0: 40', '1: 5', '2: 20', '3: 1', '4: 10']);
    await expectFree(client, 'api', 4);
  });

  it('of nothing resolves to nothing', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    expect(await semaphore.map([], () => 1)).toEqual([]);
  });

  it('runs no more at once than there are permits, over two clients', async () => {
    const prefix = uniquePrefix();
    let running = 0;
    let peak = 0;
    const task = async () => {
      peak = Math.max(peak, ++running);
      await sleep(2);
      running--;
    };
    const items = Array.from({ length: 40 });
    await Promise.all(
      [1, 2].map(() => openClient({ prefix }).semaphore('api', { limit: 3 }).map(items, task)),
    );
    expect(peak).toBe(3);
  });

  it('takes at most one item more than it has permits for', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    const { facts, items } = source(100);
    let ended = 0;
    await semaphore.map(items, async () => {
      expect(facts.taken - ended).toBeLessThanOrEqual(4);
      await sleep(1);
      ended++;
    });
    expect(facts).toEqual({ taken: 100, closed: true });
  });

  it('takes the next item of an async source only then, too', async () => {
    const semaphore = openClient().semaphore('api', { limit: 2 });
    let taken = 0;
    async function* pages() {
      for (let i = 0; i < 20; i++) {
        await sleep(1);
        taken++;
        yield `page ${i}`;
      }
    }
    let ended = 0;
    const results = await semaphore.map(pages(), async (page) => {
      expect(taken - ended).toBeLessThanOrEqual(3);
      await sleep(1);
      ended++;
      return page.toUpperCase();
    });
    expect(results).toHaveLength(20);
    expect(results.at(-1)).toBe('PAGE 19');
  });

  it('takes a million lazily made items in constant memory, and queues none of them', async () => {
    const count = 1_000_000;
    const semaphore = openClient().semaphore('api', { limit: 500 });
    const { facts, items } = source(count);
    let ended = 0;
    let ahead = 0;
    const heapAt: number[] = [];
    const mapping = watch(
      semaphore.map(items, (item) => {
        ahead = Math.max(ahead, facts.taken - ended);
        ended++;
        if (ended === 0.1 * count || ended === 0.9 * count) heapAt.push(heapInUse());
        return item;
      }),
    );
    let longest = 0;
    while (mapping.state === 'pending') {
      longest = Math.max(longest, (await semaphore.inspect({ pageSize: 1 })).waiting);
      await sleep(20);
    }
    expect(mapping.value).toHaveLength(count);
    expect(mapping.value?.every((result, i) => result === i)).toBe(true);
    expect(ahead).toBeLessThanOrEqual(501);
    expect(longest).toBeLessThanOrEqual(1);
    // Besides the list of results, which it is asked for: 8 bytes each, and twice that while the list grows.
    const [early, late] = heapAt as [number, number];
    expect((late - early) / (0.8 * count)).toBeLessThan(30);
  }, 300_000);

  it('asks for ever more in one turn as long as permits come without waiting', async () => {
    const semaphore = openClient().semaphore('api', { limit: 64 });
    const takenInTurn = [0];
    let isSameTurn = false;
    function* items() {
      for (let i = 0; i < 64; i++) {
        if (!isSameTurn) {
          isSameTurn = true;
          takenInTurn.push(0);
          setImmediate(() => {
            isSameTurn = false;
          });
        }
        takenInTurn.push((takenInTurn.pop() as number) + 1);
        yield i;
      }
    }
    let running = 0;
    await semaphore.map(items(), async () => {
      running++;
      await until('all permits are in use', () => running === 64);
    });
    expect(Math.max(...takenInTurn)).toBeGreaterThanOrEqual(8);
  });

  it('asks for one at a time again when others are in line, however many it asked for before', async () => {
    const prefix = uniquePrefix();
    const [mine, other] = openClients(2, { prefix });
    let running = 0;
    let isCrowded = false;
    const mapping = watch(
      mine.semaphore('api', { limit: 8 }).map(Array.from({ length: 40 }), async () => {
        running++;
        await until('others are in line', () => isCrowded);
        running--;
      }),
    );
    await until('it has all permits', () => running === 8);
    const others = Array.from({ length: 15 }, () => other.semaphore('api', { limit: 8 }).acquire());
    await until('they are in line', async () => (await other.inspect('api')).waiting >= 15);
    isCrowded = true;
    await Promise.all(others.slice(0, 7));
    await until('its only one in line has had its turn', async () => {
      const { waiters } = await other.inspect('api');
      const mineInLine = waiters.filter(({ client }) => client === mine.id);
      expect(mineInLine.length).toBeLessThanOrEqual(1);
      return mineInLine.some(({ position }) => position >= 7);
    });
    await Promise.all(others.map((permit) => permit.then((held) => held.release())));
    await until('it is done', () => mapping.state === 'resolved');
  });

  it('passes the options on to each acquire', async () => {
    const semaphore = openClient().semaphore('api', { limit: 4 });
    const weights = await semaphore.map([1, 2], (_item, permit) => permit.weight, { weight: 4 });
    expect(weights).toEqual([4, 4]);
    await semaphore.acquire({ weight: 4 });
    const error = await rejection(semaphore.map([1, 2], () => 'never', { timeoutMs: 30 }));
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  });
});

describe('the first failure of a map', () => {
  const failure = new Error('page 2 is missing');

  it('is what it rejects with; no further item is taken, and the source is closed', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 2 });
    const { facts, items } = source(1000);
    const error = await rejection(
      semaphore.map(items, async (i) => {
        if (i === 2) throw failure;
      }),
    );
    expect(error).toBe(failure);
    expect(facts.taken).toBeLessThan(10);
    expect(facts.closed).toBe(true);
    await expectFree(client, 'api', 2);
  });

  it('aborts the signals of those that run, and waits for them to end', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    const reasons: unknown[] = [];
    let ended = 0;
    const error = await rejection(
      semaphore.map([0, 1, 2], async (i, { signal }) => {
        if (i === 2) throw failure;
        await until('it is called off', () => signal.aborted);
        reasons.push(signal.reason);
        await sleep(10);
        ended++;
      }),
    );
    expect(error).toBe(failure);
    expect(reasons).toEqual([failure, failure]);
    expect(ended).toBe(2);
  });

  it('is on the signal also for a task that looks at it only afterwards', async () => {
    const semaphore = openClient().semaphore('api', { limit: 2 });
    let failed = false;
    let aborted: boolean | undefined;
    await rejection(
      semaphore.map([0, 1], async (i, permit) => {
        if (i === 1) {
          failed = true;
          throw failure;
        }
        await until('the other has failed', () => failed);
        await sleep(5);
        aborted = permit.signal.aborted;
      }),
    );
    expect(aborted).toBe(true);
  });

  it('takes the item that waits out of the line, which is not started any more', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix }), openClient({ prefix })];
    await other.semaphore('api', { limit: 2 }).acquire();
    const semaphore = client.semaphore('api', { limit: 2 });
    const started: number[] = [];
    const error = await rejection(
      semaphore.map([0, 1], async (i) => {
        started.push(i);
        if (i > 0) return;
        await until('the next item waits', async () => (await other.inspect('api')).waiting === 1);
        throw failure;
      }),
    );
    expect(error).toBe(failure);
    await until('it has left the line', async () => (await other.inspect('api')).waiting === 0);
    await until('nothing of it is held', async () => (await other.inspect('api')).held === 1);
    expect(started).toEqual([0]);
  });

  it('may be the source’s own, and then those that run are called off as well', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    function* broken() {
      yield 1;
      throw failure;
    }
    let aborted = false;
    const error = await rejection(
      semaphore.map(broken(), async (_item, { signal }) => {
        await until('it is called off', () => signal.aborted);
        aborted = true;
      }),
    );
    expect(error).toBe(failure);
    expect(aborted).toBe(true);
  });

  it('ends the map although the source has nothing to say for a long time', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    async function* messages() {
      yield 'the first';
      await new Promise(() => {}); // a queue that stays empty
    }
    const mapping = watch(semaphore.map(messages(), () => Promise.reject(failure)));
    await until('it is rejected', () => mapping.state === 'rejected', 3_000);
    expect(mapping.reason).toBe(failure);
  });

  it('may be an abort of the caller’s signal, also when every item has its permit already', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    const controller = new AbortController();
    let started = 0;
    const mapping = watch(
      semaphore.map(
        [1, 2],
        async (_item, { signal }) => {
          started++;
          await until('it is called off', () => signal.aborted, 3_000);
        },
        { signal: controller.signal },
      ),
    );
    await until('both run', () => started === 2);
    controller.abort(failure);
    await until('it is over', () => mapping.state === 'rejected');
    expect(mapping.reason).toBe(failure);
  });
});
