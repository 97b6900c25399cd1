import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { adaptIoredis } from '../../src/redis/ioredis.ts';
import { keysOf, shardChannelOf } from '../../src/redis/keys.ts';
import { nobody, SemaphoreStore } from '../../src/redis/store.ts';
import { type RedisServer, startRedis } from '../../support/redis/start-redis.ts';
import { type Client, openScene } from './support.ts';

/** Each script that changes something, sent by a client that has nothing to do with what happens. */
const anyScript: [string, (client: Client) => Promise<unknown>][] = [
  ['an acquire', (client) => client.acquire([client.request({ maxWaiting: 0 })])],
  ['a release of something unknown', (client) => client.release('nobody/1/1/30000')],
  ['a renewal of something unknown', (client) => client.renew(`${client.id}/99/1/30000`)],
  ['a beat', (client) => client.beat()],
  ['a resize', (client) => client.resize(1)],
  ['an added unit that is refused', (client) => client.gain(`${client.id}/98/0/0`)],
  ['a revocation of something unknown', (client) => client.revoke(`${client.id}/97/1/30000`)],
  ['a client that goes back to its places', (client) => client.restore({ lost: false })],
];

describe('whatever script comes first', () => {
  test.each(anyScript)('%s takes an expired permit back and serves the next', async (_what, send) => {
    const scene = openScene();
    const [a, b, other] = [scene.client('a'), scene.client('b'), scene.client('other', { bounded: true })];
    const inbox = await scene.listen(b);
    await other.beat();
    await a.hold({ leaseMs: 4_000 });
    const waiting = await b.queue();
    scene.advance(4_000);

    await send(other);

    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 1 } });
    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 6_000 });
    expect(await inbox.read()).toMatchObject([
      { grants: [{ record: waiting.record, expiresAtMs: scene.nowMs + 6_000 }] },
    ]);
  });

  test.each(anyScript)('%s gives all keys their TTL anew when an eighth has passed', async (_what, send) => {
    const scene = openScene({ retentionMs: 60_000 });
    const [a, b, other] = [scene.client('a'), scene.client('b'), scene.client('other', { bounded: true })];
    await other.beat();
    await a.hold();
    await b.queue();
    for (const name of Object.values(scene.names)) await scene.redis.pexpire(name, 50_000);
    scene.advance(7_500);

    await send(other);

    for (const ttlMs of Object.values((await scene.keys()).ttlMs)) {
      expect(ttlMs).toBeGreaterThan(60_000);
    }
  });

  test.each(anyScript)('%s is refused by data that its client does not know', async (_what, send) => {
    const scene = openScene();
    const [a, stranger] = [scene.client('a'), scene.client('stranger')];
    await a.hold({ leaseMs: 4_000 });
    await a.queue();
    scene.advance(4_000);
    stranger.epoch = a.epoch - 1;

    await expect(send(stranger)).rejects.toThrow('forgotten'); // that nothing changed is checked after each script
  });

  test.each(anyScript)('%s is refused by data that contradicts itself', async (_what, send) => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    await b.queue();
    await scene.lose('permits');

    await expect(send(b)).rejects.toThrow('forgotten');
  });

  test.each(anyScript.slice(0, -2))('%s leaves nothing behind that stays for ever', async (_what, send) => {
    const scene = openScene();
    await send(scene.client('a'));
    expect((await scene.keys()).ttlMs).toMatchObject({ state: expect.toSatisfy((ms: number) => ms > 0) });
  });
});

describe('time', () => {
  test("is the server's own", async () => {
    const scene = openScene();
    const { redis, prefix } = scene;
    const connection = adaptIoredis(redis, false, { ready() {}, error() {} });
    const store = new SemaphoreStore(connection, scene.name, {
      prefix,
      clientId: 'a',
      presenceMs: 10_000,
      retentionMs: 60_000,
    });
    const timeUs = async () => {
      const [s, us] = await redis.time();
      return Number(s) * 1_000_000 + Number(us);
    };

    const beforeUs = await timeUs();
    const reply = await store.acquire({ ...nobody, limit: 1 }, 'error', [
      { record: 'a/1/1/5000', weight: 1, leaseMs: 5_000, maxWaiting: 0 },
    ]);
    const snapshot = await store.inspect(0, 10);
    const afterUs = await timeUs();
    await connection.close();

    if (reply.kind !== 'ok') throw new Error(reply.kind);
    expect(reply.nowMs * 1000).toBeGreaterThanOrEqual(beforeUs);
    expect(reply.nowMs * 1000).toBeLessThanOrEqual(afterUs);
    expect(reply.epoch).toBe(Math.round(reply.nowMs * 1000));
    expect(reply.answers).toEqual([
      { kind: 'granted', token: reply.epoch + 1, expiresAtMs: Math.floor(reply.nowMs) + 5_000 },
    ]);
    expect(snapshot.nowMs).toBeGreaterThanOrEqual(Math.floor(beforeUs / 1000));
    expect(snapshot.nowMs).toBeLessThanOrEqual(afterUs / 1000);
  });

  test('neither runs back nor stands still when the clock is set back, and leases still end', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ leaseMs: 10_000 });
    const waiting = await b.queue();
    const startMs = scene.nowMs;

    scene.advance(-3_600_000);
    const atOnce = await b.beat([waiting.record]);
    expect(atOnce.nowMs).toBe(startMs);
    scene.advance(4_000);
    const later = await b.beat([waiting.record]);
    expect(later.nowMs).toBe(startMs + 4_000);
    expect(later.answers).toMatchObject([{ kind: 'queued' }]);

    scene.advance(6_000);
    const served = await b.beat([waiting.record]);

    expect(served.answers).toMatchObject([{ kind: 'granted', expiresAtMs: startMs + 20_000 }]);
    expect((await a.renew(held.record)).answers).toEqual([0]);
    expect((await scene.keys()).state).toMatchObject({ lastMs: startMs + 10_000, held: 1 });
  });

  test('goes on evenly when the clock is set back again and again', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const startMs = Math.floor((await a.beat()).nowMs);

    for (let i = 1; i <= 5; i++) {
      scene.advance(-60_000);
      await a.beat();
      scene.advance(1_000);
      expect(Math.floor((await a.beat()).nowMs)).toBe(startMs + i * 1_000);
    }
  });

  test('set back is no silence: nobody absent comes to life', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ leaseMs: 60_000 });
    await b.queue();
    await scene.advanceWithBeats(9_000, a);
    scene.advance(-3_600_000);
    await a.beat();
    await scene.advanceWithBeats(3_000, a);

    await a.release(held.record);

    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 0 } });
  });
});

describe('tickets, tokens and epochs', () => {
  test('rise strictly over everything that draws one', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const numbers: number[] = [];
    const [one, two] = [await a.hold(), await a.hold()];
    const [three, four] = [await b.queue(), await b.queue()];
    numbers.push(a.epoch, one.token, two.token, three.ticket, four.ticket);
    const inbox = await scene.listen(b);
    await a.release(one.record, two.record);
    for (const { grants } of await inbox.read()) numbers.push(...grants.map(({ token }) => token));
    for (const answer of (await b.beat([three.record, four.record])).answers) {
      if (answer.kind === 'granted') numbers.push(answer.token);
    }
    for (const answer of (await b.acquire([three.request, four.request])).answers) {
      if (answer.kind === 'granted') numbers.push(answer.token);
    }

    expect(numbers).toHaveLength(11);
    expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
  });

  test('are not below the time in µs', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    await a.hold();
    scene.advance(1_000);
    expect((await a.hold()).token).toBe(scene.clock.nowUs);
  });

  test('rise above what any caller has seen, although that is ahead of the clock', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    b.seen = scene.clock.nowUs + 5_000_000;

    expect((await b.hold()).token).toBe(scene.clock.nowUs + 5_000_001);
    expect((await a.hold()).token).toBe(scene.clock.nowUs + 5_000_002);
    expect((await a.queue()).ticket).toBe(scene.clock.nowUs + 5_000_003);
  });

  test('are exact to the last digit far in the future', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a');
    a.seen = 2 ** 53 - 101;

    const [held, queued] = [await a.hold(), await a.queue()];

    expect(held.token).toBe(2 ** 53 - 99);
    expect(queued.ticket).toBe(2 ** 53 - 98);
    expect((await scene.keys()).tickets).toEqual({ [queued.record]: 2 ** 53 - 98 });
    expect((await a.acquire([queued.request])).answers).toEqual([{ kind: 'queued', ticket: 2 ** 53 - 98 }]);
  });
});

describe('after a silence', () => {
  /** a holds for long, b and c wait; nobody says anything for a minute, as if Redis had been away. */
  async function silentScene() {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 600_000 });
    const [first, second] = [await b.queue(), await c.queue()];
    scene.advance(60_000);
    return { scene, a, b, c, held, first, second };
  }

  test('a live waiter keeps its place, although others are heard before it', async () => {
    const { scene, a, b, c, held, first, second } = await silentScene();
    await c.beat([second.record]);
    scene.advance(3_000);
    await b.beat([first.record]);
    await a.release(held.record);

    await scene.expectKeys({
      permits: { [first.record]: scene.nowMs + 10_000 },
      waiters: [second.record],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 7_000 },
      state: { held: 1 },
    });
  });

  test('a waiter that was not heard yet is served too, for as long as everyone has to come back', async () => {
    const { scene, a, held, first, second } = await silentScene();
    await a.beat();
    scene.advance(4_000);
    await a.release(held.record);

    expect(await scene.keys()).toMatchObject({ waiters: [second.record], state: { held: 1 } });
    expect((await scene.keys()).permits).toEqual({ [first.record]: scene.nowMs + 6_000 });
  });

  test('the very script that ends it gives everyone a presence time', async () => {
    const { scene, a, held, first } = await silentScene();
    await a.release(held.record);
    expect((await scene.keys()).permits).toEqual({ [first.record]: scene.nowMs + 10_000 });
  });

  test('a dead waiter goes after one presence time', async () => {
    const { scene, a, c, held, second } = await silentScene();
    await c.beat([second.record]);
    await scene.advanceWithBeats(9_999, c, true);
    await c.beat([second.record]);
    expect((await scene.keys()).clients).toHaveProperty('b');
    scene.advance(1);
    await c.beat([second.record]);
    scene.advance(1);
    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [second.record]: scene.nowMs + 9_999 });
  });

  test('a client in its grace is not deleted, and one that stayed away is, afterwards', async () => {
    const { scene, c, second } = await silentScene();
    await c.beat([second.record]);
    expect(Object.keys((await scene.keys()).clients).sort()).toEqual(['b', 'c']);
    await scene.advanceWithBeats(10_001, c, true);
    expect((await scene.keys()).clients).toEqual({ c: scene.nowMs + 10_000 });
  });

  test('who was absent before it gets nothing from it, deleted or not', async () => {
    for (const sign of ['beat', 'renewal'] as const) {
      const scene = openScene();
      const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
      const held = await a.hold({ leaseMs: 600_000 });
      await b.queue();
      const second = await c.queue();
      scene.advance(5_000);
      await c.beat([second.record]);
      scene.advance(5_000);
      await a.renew(held.record, 600_000); // deletes nobody, unlike a beat
      scene.advance(1);
      await (sign === 'beat' ? c.beat([second.record]) : a.renew(held.record, 600_000));
      scene.advance(60_000);
      await a.release(held.record);

      expect((await scene.keys()).permits).toEqual({ [second.record]: scene.nowMs + 10_000 });
    }
  });

  test('that comes again before all are back, everyone who was present at the first keeps its place', async () => {
    const { scene, a, b, c, held, first, second } = await silentScene();
    await c.beat([second.record]);
    scene.advance(9_000);
    await c.beat([second.record]);
    scene.advance(9_000);
    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [first.record]: scene.nowMs + 10_000 });
    expect((await b.beat([first.record])).answers).toMatchObject([{ kind: 'granted' }]);
  });

  test('that comes again and again, as with rare callers, a dead waiter is not kept for ever', async () => {
    for (const gapMs of [5_001, 6_000, 9_000, 11_000, 60_000]) {
      const scene = openScene();
      const [a, dead] = [scene.client('a'), scene.client('dead')];
      const held = await a.hold({ leaseMs: 600_000 });
      await dead.queue();
      for (let ms = 0; ms < 5 * scene.presenceMs || ms < 3 * gapMs; ms += gapMs) {
        await a.renew(held.record, 600_000);
        scene.advance(gapMs);
      }
      await a.release(held.record);

      expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 0 } });
    }
  });

  test('of half a presence time nobody gets a grace, and after a longer one everyone does', async () => {
    for (const [gapMs, kept] of [
      [5_000, false],
      [5_001, true],
    ] as const) {
      const scene = openScene();
      const [a, b] = [scene.client('a'), scene.client('b')];
      const held = await a.hold({ leaseMs: 600_000 });
      await b.queue();
      scene.advance(gapMs);
      await a.beat();
      scene.advance(5_000);
      await a.release(held.record);
      expect((await scene.keys()).state['held']).toBe(kept ? 1 : 0);
    }
  });
});

describe('what is too much for one call is continued by the next', () => {
  /** More permits than one call reaps, all expired. */
  async function expiredScene(count: number) {
    const scene = openScene({ limit: count });
    const a = scene.client('a');
    const requests = a.requests(count, { leaseMs: 1_000 });
    for (let i = 0; i < count; i += 500) await a.acquire(requests.slice(i, i + 500));
    scene.advance(1_000);
    scene.unfinished = true;
    return { scene, a, requests, b: scene.client('b') };
  }

  test('more than 1,000 expired permits', async () => {
    const { scene, b } = await expiredScene(1_500);

    expect((await b.beat()).lookAtMs).toBe(scene.nowMs); // which is at once
    expect((await scene.keys()).state['held']).toBe(500);
    expect(Object.keys((await scene.keys()).permits)).toHaveLength(500);

    expect((await b.beat()).lookAtMs).toBe(0);
    await scene.expectKeys({ state: { held: 0 } });
  });

  test('more than 1,000 expired permits, and those not taken back yet are held by nobody', async () => {
    const { scene, a, requests } = await expiredScene(1_200);
    // Those with one expiry are taken back in the order of their text: these come last.
    const left = requests
      .map(({ record }) => record)
      .sort()
      .slice(-5);
    const [released, renewed, asked, resent] = left as [string, string, string, string];
    const copy = requests.find(({ record }) => record === resent);

    await a.beat();
    expect(Object.keys((await scene.keys()).permits)).toEqual(expect.arrayContaining(left));
    // 1,000 more expired permits keep these from being taken back by the calls that follow.
    await scene.redis.zadd(scene.names.permits, ...fillers(1_000));
    await scene.changeState(({ held = 0 }) => ({ held: held + 1_000 }));
    expect((await a.release(released)).answers).toEqual([false]);
    await scene.redis.zadd(scene.names.permits, ...fillers(1_000));
    await scene.changeState(({ held = 0 }) => ({ held: held + 1_000 }));
    expect((await a.renew(renewed)).answers).toEqual([0]);
    await scene.redis.zadd(scene.names.permits, ...fillers(1_000));
    await scene.changeState(({ held = 0 }) => ({ held: held + 1_000 }));
    expect((await a.beat([asked], false)).answers).toEqual([{ kind: 'unknown', refusedAtMs: 0 }]);
    await scene.redis.zadd(scene.names.permits, ...fillers(1_000));
    await scene.changeState(({ held = 0 }) => ({ held: held + 1_000 }));
    expect((await a.acquire(copy === undefined ? [] : [copy])).answers).toEqual([
      { kind: 'granted', token: expect.any(Number), expiresAtMs: scene.nowMs + 1_000 },
    ]);

    await a.beat();
    await scene.expectKeys({ permits: { [resent]: scene.nowMs + 1_000 }, state: { held: 1 } });
  });

  test('more than 1,000 expired permits, of which the last one is asked for again, and begins its key anew', async () => {
    const { scene, a, requests } = await expiredScene(1_001);
    const last = [...requests]
      .sort((x, y) => (x.record < y.record ? -1 : 1))
      .at(-1) as (typeof requests)[number];

    expect((await a.acquire([last])).answers).toMatchObject([{ kind: 'granted' }]);

    await scene.expectKeys({ permits: { [last.record]: scene.nowMs + 1_000 }, state: { held: 1 } });
    expect(await scene.redis.pttl(scene.names.permits)).toBeGreaterThan(0);
  });

  test('more than 500 waiters whose clients are gone', async () => {
    const scene = openScene();
    const [a, dead, c] = [scene.client('a'), scene.client('dead'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    await dead.acquire(dead.requests(500));
    await dead.acquire(dead.requests(100));
    await scene.advanceWithReleases(5_000, a);
    const waiting = await c.queue();
    await scene.advanceWithReleases(5_000, a);
    scene.unfinished = true;

    expect((await a.release(held.record)).lookAtMs).toBe(scene.nowMs);
    expect((await scene.keys()).waiters).toHaveLength(101);
    expect((await scene.keys()).state['held']).toBe(0);
    scene.unfinished = false;

    expect(await a.attempt()).toMatchObject({ kind: 'full', waiting: 0 });
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 5_000 },
      clients: { c: scene.nowMs + 5_000, dead: scene.nowMs },
      state: { held: 1 },
    });
  });

  test('more than 500 waiters whose clients are gone, when a beat finds them', async () => {
    const scene = openScene();
    const [a, dead] = [scene.client('a'), scene.client('dead')];
    const held = await a.hold({ leaseMs: 60_000 });
    await dead.acquire(dead.requests(500));
    await dead.acquire(dead.requests(100));
    await scene.advanceWithReleases(10_000, a);

    expect((await a.beat([held.record], false)).lookAtMs).toBe(scene.nowMs);
    expect((await scene.keys()).waiters).toHaveLength(100);
    expect((await a.beat([held.record], false)).lookAtMs).toBe(0);
    expect((await scene.keys()).waiters).toEqual([]);
  });

  test('more than 500 waiters whose clients are gone, and nobody overtakes meanwhile', async () => {
    const scene = openScene();
    const [a, dead, c] = [scene.client('a'), scene.client('dead'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    for (let i = 0; i < 3; i++) await dead.acquire(dead.requests(400));
    await scene.advanceWithReleases(5_000, a);
    await c.queue();
    await scene.advanceWithReleases(5_000, a);
    scene.unfinished = true;

    await a.release(held.record);
    expect(await a.attempt()).toMatchObject({ kind: 'full', waiting: 201 });
    await a.queue();
    expect((await scene.keys()).permits).toEqual({ 'c/1/1/30000': scene.nowMs + 5_000 });
  });

  test('more than 500 waiters that fit', async () => {
    const scene = openScene({ limit: 600 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ weight: 600 });
    await b.acquire(b.requests(500));
    await b.acquire(b.requests(100));
    scene.unfinished = true;

    expect((await a.release(held.record)).lookAtMs).toBe(scene.nowMs);
    expect((await scene.keys()).state['held']).toBe(500);
    scene.unfinished = false;
    expect((await a.beat()).lookAtMs).toBe(0);
    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 600 } });
  });
});

function fillers(count: number): (string | number)[] {
  return Array.from({ length: count }, (_, i) => [1_000, `A/${i}/1/1000`]).flat();
}

describe('what is published', () => {
  test('is one message for each client and script, with all its grants in their order', async () => {
    const scene = openScene({ limit: 4 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const [inboxB, inboxC] = [await scene.listen(b), await scene.listen(c)];
    const held = await a.hold({ weight: 4 });
    const first = await b.queue({ weight: 2, leaseMs: 7_000 });
    const second = await c.queue({ leaseMs: 6_000, firm: true });
    const third = await b.queue();
    await c.queue();
    scene.advance(1_000);

    const { grants } = await a.release(held.record);

    expect(grants).toEqual([]);
    const [messagesB, messagesC] = [await inboxB.read(), await inboxC.read()];
    const common = { semaphore: scene.name, epoch: a.epoch, nowMs: scene.clock.nowUs / 1000, limit: 4 };
    expect(messagesB).toEqual([
      {
        ...common,
        grants: [
          { record: first.record, token: expect.any(Number), expiresAtMs: scene.nowMs + 7_000 },
          { record: third.record, token: expect.any(Number), expiresAtMs: scene.nowMs + 9_000 },
        ],
      },
    ]);
    expect(messagesC).toEqual([
      {
        ...common,
        grants: [{ record: second.record, token: expect.any(Number), expiresAtMs: scene.nowMs + 6_000 }],
      },
    ]);
    const [one, three] = messagesB[0]?.grants ?? [];
    const [two] = messagesC[0]?.grants ?? [];
    const tokens = [one, two, three].map((grant) => grant?.token ?? 0);
    expect(tokens).toEqual([...new Set(tokens)].sort((x, y) => x - y));
    expect(Math.min(...tokens)).toBeGreaterThan(third.ticket);
  });

  test('is nothing to the caller, whose grants are in the reply', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const [inboxA, inboxB] = [await scene.listen(a), await scene.listen(b)];
    const held = await a.hold({ weight: 2 });
    const [own, other] = [await a.queue(), await b.queue()];

    const { grants } = await a.release(held.record);

    expect(grants.map(({ record }) => record)).toEqual([own.record]);
    expect(await inboxA.read()).toEqual([]);
    expect((await inboxB.read()).map((message) => message.grants[0]?.record)).toEqual([other.record]);
  });

  test('is nothing when nothing was granted', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const inbox = await scene.listen(b);
    const held = await a.hold();
    const waiting = await b.queue({ weight: 2 });
    await a.hold({ maxWaiting: 5 }).catch(() => {});
    await a.renew(held.record);
    await b.beat([waiting.record]);
    await a.beat();

    expect(await inbox.read()).toEqual([]);
  });

  test('goes to the shard channel of a client with that mark, and to it alone, if that hears it', async ({
    skip,
  }) => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b+')];
    const ears = scene.redis.duplicate();
    onTestFinished(() => ears.disconnect());
    const heard: string[] = [];
    ears.on('smessage', (_channel, text: string) => heard.push(text));
    const channel = shardChannelOf(scene.prefix, scene.name, b.id);
    await ears.ssubscribe(channel).catch((error) => skip(`This server has no shard channels: ${error}`));
    const inbox = await scene.listen(b);
    const held = await a.hold();
    const waiting = await b.queue();

    await a.release(held.record);

    expect(await inbox.read()).toEqual([]);
    await expect.poll(() => heard, { interval: 1, timeout: 10_000 }).toHaveLength(1);
    expect(heard[0]).toContain(`"${waiting.record.slice('b+/'.length)}"`);
  });

  test('goes the usual way if the shard channel of a client with that mark hears nothing', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b+')];
    const inbox = await scene.listen(b);
    const held = await a.hold();
    const waiting = await b.queue();

    await a.release(held.record);

    expect(await inbox.read()).toMatchObject([{ grants: [{ record: waiting.record }] }]);
  });

  test('goes the usual way to a client without that mark, whoever hears its shard channel', async ({
    skip,
  }) => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const ears = scene.redis.duplicate();
    onTestFinished(() => ears.disconnect());
    await ears
      .ssubscribe(shardChannelOf(scene.prefix, scene.name, b.id))
      .catch((error) => skip(`This server has no shard channels: ${error}`));
    const inbox = await scene.listen(b);
    const held = await a.hold();
    await b.queue();

    await a.release(held.record);

    expect(await inbox.read()).toHaveLength(1);
  });

  test('tells a waiter with token 0 that its weight exceeds the limit now', async () => {
    const scene = openScene({ limit: 5 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const inbox = await scene.listen(b);
    const held = await a.hold({ weight: 2 });
    const heavy = await b.queue({ weight: 4 });

    await a.resize(3);

    expect(await inbox.read()).toMatchObject([
      { limit: 3, grants: [{ record: heavy.record, token: 0, expiresAtMs: 0 }] },
    ]);
    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 2 },
    });
  });
});

describe('names', () => {
  test.each([
    ' spaced  out ',
    'colons:and::more:',
    'ünïcödé 停车场 🚗🅿️',
    'quotes " and \' and \\ backslashes \\"',
    'percent %s %d %.0f %%',
    'patterns .*+-?[]^$()',
    'slashes/and/1/1/30000',
    `two ${'\u2028'}line separators${'\u2029'}`,
    'ز'.repeat(200),
  ])('like %j are as good as any', async (name) => {
    const scene = openScene({ name });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const inbox = await scene.listen(b);
    const held = await a.hold();
    const waiting = await b.queue();
    await a.release(held.record);

    expect(await inbox.read()).toMatchObject([{ semaphore: name, grants: [{ record: waiting.record }] }]);
    expect(await b.inspect()).toMatchObject({ held: 1, permits: [{ record: waiting.record }] });
    expect(await scene.redis.exists(`${scene.prefix}:{${name}}:permits`)).toBe(1);
  });

  test.each([
    'host.name:12345:V1StGXR8_Z5jdHi6B-myT',
    ' a "label" with \\ and %d:1',
    '停车场🚗',
    '^(.*)$%d+[a-z]',
    'with/slash/1/1/30000',
  ])('of clients like %j are as good as any', async (id) => {
    const scene = openScene();
    const [a, b] = [scene.client(id), scene.client(`${id}!`)];
    const inbox = await scene.listen(b);
    const held = await a.hold({ leaseMs: 20_000, firm: true });
    const waiting = await b.queue();
    expect((await b.release(held.record)).answers).toEqual([false]);
    expect((await a.renew(held.record)).answers).toEqual([scene.nowMs + 30_000]);
    expect((await a.release(held.record)).answers).toEqual([true]);

    expect(await inbox.read()).toMatchObject([{ grants: [{ record: waiting.record }] }]);
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 10_000 },
      clients: { [b.id]: scene.nowMs + 10_000 },
    });
  });

  test('of different semaphores and prefixes never share a key', () => {
    const all = ['a', 'a:permits', 'b'].flatMap((name) =>
      ['p', 'p:q'].flatMap((prefix) => Object.values(keysOf(prefix, name))),
    );
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('on a server of its own', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis({ own: true });
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  /** How often each command was called while this ran. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await redis.config('RESETSTAT');
    await work();
    const stats = await redis.info('commandstats');
    const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)]
      .map(([, command = '', count]) => [command, Number(count)] as const)
      .filter(([command]) => !/config|info|evalsha/.test(command));
    return Object.fromEntries(calls);
  }

  /** A release that hands off to the head of a line of this length. */
  async function handOffBefore(length: number) {
    const scene = openScene({ redis });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    for (let left = length; left > 0; left -= 500) await b.acquire(b.requests(Math.min(left, 500)));
    const commands = await commandsOf(() => a.store.release(a.caller(), [held.record]));
    expect((await scene.keys()).waiters).toHaveLength(length - 1);
    return commands;
  }

  test('a hand-off takes as many commands, and one message, however long the line is', async () => {
    await handOffBefore(2); // the first loads the script
    const short = await handOffBefore(2);
    const long = await handOffBefore(2_000);

    expect(long).toEqual(short);
    expect(long).toMatchObject({ publish: 1 });
  });

  test('a look takes as many commands, and returns no more than its page, however much there is', async () => {
    const look = async (count: number) => {
      const scene = openScene({ redis, limit: count });
      const a = scene.client('a');
      for (let left = 2 * count; left > 0; left -= 500) await a.acquire(a.requests(Math.min(left, 500)));
      await a.inspect();
      return commandsOf(async () => {
        const { permits, waiters, held } = await a.inspect(0, 10);
        expect([permits.length, waiters.length, held]).toEqual([10, 10, count]);
      });
    };

    expect(await look(2_000)).toEqual(await look(10));
  });

  describe('that lets the user publish nothing', () => {
    let muted: Redis;

    beforeAll(async () => {
      await redis.call('ACL', 'SETUSER', 'muted', 'on', '>secret', '~*', '+@all', 'resetchannels');
      muted = redis.duplicate({ username: 'muted', password: 'secret' });
    });

    afterAll(() => {
      muted?.disconnect();
    });

    test('everything is done all the same, messages left out', async () => {
      await expect(muted.publish('any', 'thing')).rejects.toThrow('NOPERM');
      const scene = openScene({ redis: muted, limit: 2 });
      const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
      const held = await a.hold({ weight: 2 });
      const [first, second, third] = [await b.queue(), await c.queue(), await b.queue()];

      expect((await a.release(held.record)).answers).toEqual([true]);
      expect((await scene.keys()).permits).toEqual({
        [first.record]: scene.nowMs + 10_000,
        [second.record]: scene.nowMs + 10_000,
      });
      scene.advance(4_000);
      await c.resize(3);

      expect((await b.beat([third.record])).answers).toMatchObject([{ kind: 'granted' }]);
      expect((await scene.keys()).state['held']).toBe(3);
    });
  });

  describe('that is out of memory', () => {
    /** a and a2 hold, b waits, all scripts are known; then there is no room for anything more. */
    async function fullScene() {
      const scene = openScene({ redis, limit: 2 });
      const [a, b] = [scene.client('a'), scene.client('b')];
      const [held, other] = [await a.hold(), await a.hold({ leaseMs: 5_000 })];
      const waiting = await b.queue();
      await redis.config('SET', 'maxmemory', '1');
      await expect(redis.set('any', 'thing')).rejects.toThrow('OOM');
      return { scene, a, b, held, other, waiting };
    }

    const roomAgain = async () => {
      await redis.config('SET', 'maxmemory', '0');
    };

    async function inFullScene(work: (full: Awaited<ReturnType<typeof fullScene>>) => Promise<void>) {
      try {
        await work(await fullScene());
      } finally {
        await roomAgain();
      }
    }

    test('an acquire is refused, and changes nothing', async () => {
      await inFullScene(async ({ b, scene }) => {
        const request = b.request();
        await expect(b.acquire([request])).rejects.toThrow(/^OOM/);
        await expect(b.attempt()).rejects.toThrow(/^OOM/);
        await expect(scene.client('new').acquire([request])).rejects.toThrow(/^OOM/);
      });
    });

    test('an acquire that comes twice is refused, and can be repeated later', async () => {
      await inFullScene(async ({ a, b, held, waiting }) => {
        await expect(a.acquire([held.request])).rejects.toThrow(/^OOM/);
        await expect(b.acquire([waiting.request])).rejects.toThrow(/^OOM/);
        await roomAgain();
        expect((await a.acquire([held.request])).answers).toMatchObject([{ kind: 'granted' }]);
        expect((await b.acquire([waiting.request])).answers).toMatchObject([{ kind: 'queued' }]);
      });
    });

    test('an acquire of a semaphore that nobody used is refused, and leaves nothing behind', async () => {
      await inFullScene(async () => {
        const other = openScene({ redis });
        await expect(other.client('a').take()).rejects.toThrow(/^OOM/);
        await other.expectKeys({});
      });
    });

    test('an acquire is refused or done in full when there is something to take back first', async () => {
      await inFullScene(async ({ scene, b, waiting }) => {
        scene.advance(5_000);
        const request = b.request();
        const done = await b.acquire([request]).catch((error: Error) => error);
        if (!(done instanceof Error)) {
          expect(await scene.keys()).toMatchObject({ waiters: [request.record], state: { held: 2 } });
        } else {
          expect(done.message).toMatch(/^OOM/);
          expect(await scene.keys()).toMatchObject({ waiters: [waiting.record], state: { held: 2 } });
        }
      });
    });

    test('a release is done, and serves the next', async () => {
      await inFullScene(async ({ scene, a, held, other, waiting }) => {
        expect((await a.release(held.record)).answers).toEqual([true]);
        expect((await scene.keys()).permits).toEqual({
          [other.record]: other.expiresAtMs,
          [waiting.record]: scene.nowMs + 10_000,
        });
      });
    });

    test('a renewal is done', async () => {
      await inFullScene(async ({ scene, a, held }) => {
        scene.advance(1_000);
        expect((await a.renew(held.record)).answers).toEqual([scene.nowMs + 30_000]);
      });
    });

    test('a beat keeps waiters present, and serves them', async () => {
      await inFullScene(async ({ scene, b, waiting }) => {
        scene.advance(5_000);
        expect((await b.beat([waiting.record])).answers).toMatchObject([{ kind: 'granted' }]);
        expect((await scene.keys()).clients).toEqual({ b: scene.nowMs + 10_000 });
      });
    });

    test('a resize is done', async () => {
      await inFullScene(async ({ scene, a, waiting }) => {
        await a.resize(3);
        await a.gain('a/99/0/0');
        expect(await scene.keys()).toMatchObject({ waiters: [], state: { limit: 4, held: 3 } });
        expect(Object.keys((await scene.keys()).permits)).toContain(waiting.record);
      });
    });

    test('what was lost is put back', async () => {
      await inFullScene(async ({ scene, a, b, held, waiting }) => {
        await scene.lose();
        await a.restore({ permits: [{ record: held.record, remainingMs: 9_000 }] });
        await b.restore({ waiters: [{ record: waiting.record, ticket: waiting.ticket }] });
        expect(await scene.keys()).toMatchObject({ waiters: [waiting.record], state: { held: 1 } });
      });
    });
  });
});
