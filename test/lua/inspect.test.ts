import { describe, expect, test } from 'vitest';
import { openScene } from './support.ts';

describe('inspect', () => {
  test('tells who holds and who waits, in one snapshot', async () => {
    const scene = openScene({ limit: 5 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const longer = await a.hold({ weight: 3, leaseMs: 20_000 });
    const shorter = await b.hold({ leaseMs: 10_000 });
    const [first, second] = [await c.queue({ weight: 2 }), await a.queue()];

    expect(await c.inspect()).toEqual({
      nowMs: scene.nowMs,
      nowUs: scene.nowMs * 1000 + 617, // the µs of the test clock
      headTicket: first.ticket,
      limit: 5,
      held: 4,
      holding: 2,
      waiting: 2,
      permits: [
        { record: shorter.record, expiresAtMs: shorter.expiresAtMs },
        { record: longer.record, expiresAtMs: longer.expiresAtMs },
      ],
      waiters: [
        { record: first.record, ticket: first.ticket },
        { record: second.record, ticket: second.ticket },
      ],
    });
  });

  test('tells that there is no such semaphore, and makes none', async () => {
    const scene = openScene();

    expect(await scene.client('a').inspect()).toEqual({
      nowMs: scene.nowMs,
      nowUs: scene.nowMs * 1000 + 617, // the µs of the test clock
      headTicket: 0,
      limit: -1,
      held: 0,
      holding: 0,
      waiting: 0,
      permits: [],
      waiters: [],
    });
    await scene.expectKeys({});
  });

  test('tells the limit in force, not the one declared', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    await a.hold();
    await a.resize(7);

    expect((await a.inspect()).limit).toBe(7);
  });

  test('leaves out what has expired, reaped or not', async () => {
    const scene = openScene({ limit: 4 });
    const a = scene.client('a');
    await a.hold({ weight: 2, leaseMs: 1_000 });
    const held = await a.hold({ leaseMs: 1_001 });
    scene.advance(1_000);

    expect(await a.inspect()).toMatchObject({
      held: 1,
      holding: 1,
      permits: [{ record: held.record, expiresAtMs: held.expiresAtMs }],
    });
    scene.advance(1);
    expect(await a.inspect()).toMatchObject({ held: 0, holding: 0, permits: [] });
  });

  test('lists the page that was asked for, and counts everything', async () => {
    const scene = openScene({ limit: 300 });
    const a = scene.client('a');
    const held = a.requests(300).map((request, i) => ({ ...request, leaseMs: 10_000 + i }));
    const waiting = a.requests(200);
    await a.acquire([...held, ...waiting]);

    const page = await a.inspect(40, 20);

    expect(page).toMatchObject({ held: 300, holding: 300, waiting: 200 });
    expect(page.permits.map(({ record }) => record)).toEqual(held.slice(40, 60).map(({ record }) => record));
    expect(page.waiters.map(({ record }) => record)).toEqual(
      waiting.slice(40, 60).map(({ record }) => record),
    );

    const last = await a.inspect(190, 20);
    expect(last.permits).toHaveLength(20);
    expect(last.waiters).toHaveLength(10);
    expect(await a.inspect(300, 20)).toMatchObject({ holding: 300, waiting: 200, permits: [], waiters: [] });
  });

  test('counts pages from the first permit that is valid', async () => {
    const scene = openScene({ limit: 3 });
    const a = scene.client('a');
    await a.hold({ leaseMs: 1_000 });
    const [second, third] = [await a.hold({ leaseMs: 2_000 }), await a.hold({ leaseMs: 3_000 })];
    scene.advance(1_500);

    expect((await a.inspect(0, 1)).permits).toMatchObject([{ record: second.record }]);
    expect((await a.inspect(1, 1)).permits).toMatchObject([{ record: third.record }]);
  });

  test('only reads: no key changes, and none lives longer for it', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 1_000 });
    await b.queue();
    scene.advance(60_000);
    await scene.redis.pexpire(scene.names.permits, 40_000);
    const { ttlMs: _, ...before } = await scene.keys();

    await a.inspect();

    const { ttlMs, ...after } = await scene.keys();
    expect(after).toEqual(before);
    expect(ttlMs.permits).toBeLessThanOrEqual(40_000);
  });

  test('goes by the same time as the other scripts after the clock was set back', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 10_000 });
    const { nowMs } = scene;
    scene.advance(-3_600_000);

    expect(await a.inspect()).toMatchObject({ nowMs, held: 1 });
    await a.beat();
    scene.advance(4_000);
    expect(await a.inspect()).toMatchObject({ nowMs: nowMs + 4_000, permits: [{ record: held.record }] });
    scene.advance(6_000);
    expect(await a.inspect()).toMatchObject({ nowMs: nowMs + 10_000, held: 0, permits: [] });
  });
});
