import { describe, expect, test } from 'vitest';
import { type Client, openScene } from './support.ts';

describe('release', () => {
  test('gives the units of a held permit back', async () => {
    const scene = openScene({ limit: 5 });
    const a = scene.client('a');
    const heavy = await a.hold({ weight: 3 });
    const light = await a.hold();

    expect((await a.release(heavy.record)).answers).toEqual([true]);

    await scene.expectKeys({ permits: { [light.record]: light.expiresAtMs }, state: { held: 1 } });
  });

  test('leaves nothing but the state when the last permit goes', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    await a.release(held.record);

    await scene.expectKeys({ state: { held: 0, limit: 1, epoch: a.epoch } });
  });

  test('answers each of 500 records in its place', async () => {
    const scene = openScene({ limit: 250 });
    const a = scene.client('a');
    const records = a.requests(500).map(({ record }) => record);
    await a.acquire(
      records.slice(0, 250).map((record) => ({ record, weight: 1, leaseMs: 9_000, maxWaiting: 0 })),
    );

    const { answers } = await a.release(...records);

    expect(answers).toEqual(records.map((_record, i) => i < 250));
    await scene.expectKeys({ state: { held: 0 } });
  });

  test('is done once: the second finds nothing and changes nothing', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const other = await b.hold();

    expect((await a.release(held.record, held.record)).answers).toEqual([true, false]);
    expect((await a.release(held.record)).answers).toEqual([false]);

    await scene.expectKeys({ permits: { [other.record]: other.expiresAtMs }, state: { held: 1 } });
  });

  test('does not free the permit of another client', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();

    expect((await b.release(held.record)).answers).toEqual([false]);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1 },
    });
  });

  test('does not take the waiter of another client out of the line', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const waiting = await b.queue();

    expect((await a.release(waiting.record)).answers).toEqual([false]);

    expect((await scene.keys()).waiters).toEqual([waiting.record]);
  });

  test.each([
    ['of another weight', 'a/1/2/30000'],
    ['of another lease', 'a/1/1/30001'],
    ['of another request', 'a/2/1/30000'],
    ['that is none', 'nonsense'],
    ['that is empty', ''],
    ['with a client id that only begins like the own', 'ab/1/1/30000'],
  ])('does not free anything for a forged record %s', async (_what, forged) => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    expect((await a.release(forged)).answers).toEqual([false]);

    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs }, state: { held: 1 } });
  });

  test('does not count a permit as held whose lease has just expired, but takes its units back', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);

    expect((await a.release(held.record)).answers).toEqual([false]);

    await scene.expectKeys({ state: { held: 0 } });
  });

  test('of an expired permit does not free what was granted since', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const stale = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);
    const held = await b.hold();

    expect((await a.release(stale.record)).answers).toEqual([false]);

    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs }, state: { held: 1 } });
  });

  test('counts a permit as held to the last millisecond of its lease', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 1_000 });
    scene.advance(999);

    expect((await a.release(held.record)).answers).toEqual([true]);
  });

  test('opens the semaphore for a client that speaks of it first, and frees nothing', async () => {
    const scene = openScene({ limit: 4 });
    const a = scene.client('a');

    expect((await a.release('a/1/1/30000')).answers).toEqual([false]);

    await scene.expectKeys({ state: { limit: 4, declared: 4, held: 0, epoch: a.epoch } });
  });
});

describe('release of a waiter', () => {
  test('takes it out of the line, and answers that it held nothing', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const [gone, stays] = [await b.queue(), await b.queue()];

    expect((await b.release(gone.record)).answers).toEqual([false]);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [stays.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1 },
    });
  });

  test('that was granted meanwhile gives its permit on to the next', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold();
    const [cancelled, next] = [await b.queue(), await c.queue()];
    await a.release(held.record);

    expect((await b.release(cancelled.record)).answers).toEqual([true]);

    expect((await scene.keys()).permits).toEqual({ [next.record]: scene.nowMs + 10_000 });
  });

  test('that is heavy and at the head serves all its followers that fit', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold();
    const heavy = await b.queue({ weight: 3 });
    const [first, second, third] = [await c.queue(), await c.queue(), await c.queue()];

    await b.release(heavy.record);

    await scene.expectKeys({
      permits: {
        [held.record]: held.expiresAtMs,
        [first.record]: scene.nowMs + 10_000,
        [second.record]: scene.nowMs + 10_000,
      },
      waiters: [third.record],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { held: 3 },
    });
  });

  test('takes a late copy out too, which an acquire has queued after the release', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const first = await a.hold();
    await a.release(first.record);
    await b.hold();
    await a.acquire([first.request]); // a late copy of the acquire

    await a.release(first.record);

    expect((await scene.keys()).waiters).toEqual([]);
  });
});

describe('release hands off', () => {
  test('to the head of the line, in the same script', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold();
    const [first, second] = [await b.queue(), await c.queue()];

    const { grants } = await a.release(held.record);

    expect(grants).toEqual([]);
    await scene.expectKeys({
      permits: { [first.record]: scene.nowMs + 10_000 },
      waiters: [second.record],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { held: 1 },
    });
  });

  test('to as many as fit, in the order of their tickets, whoever they are', async () => {
    const scene = openScene({ limit: 4 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ weight: 4 });
    const first = await b.queue({ weight: 2 });
    const second = await c.queue();
    const third = await b.queue();
    const fourth = await c.queue();

    await a.release(held.record);

    const { permits, waiters } = await scene.keys();
    expect(Object.keys(permits).sort()).toEqual([first.record, second.record, third.record].sort());
    expect(waiters).toEqual([fourth.record]);
  });

  test('to nobody behind a heavy head that does not fit yet', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const [one, two] = [await a.hold(), await a.hold({ weight: 2 })];
    const heavy = await b.queue({ weight: 3 });
    const light = await c.queue();

    await a.release(one.record);
    expect(await scene.keys()).toMatchObject({
      waiters: [heavy.record, light.record],
      state: { held: 2 },
    });

    await a.release(two.record);
    expect(await scene.keys()).toMatchObject({ waiters: [light.record], state: { held: 3 } });
  });

  test('to more than a hundred at once', async () => {
    const scene = openScene({ limit: 260 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ weight: 260 });
    await b.acquire(b.requests(261));

    await a.release(held.record);

    const { permits, waiters, state } = await scene.keys();
    expect(Object.keys(permits)).toHaveLength(260);
    expect(waiters).toEqual(['b/261/1/30000']);
    expect(state['held']).toBe(260);
  });

  test("to the caller's own waiters by its reply, with tokens in the order of the grants", async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ weight: 2 });
    const own = await a.queue({ leaseMs: 5_000 });
    await b.queue();
    const later = await a.queue();

    const { grants, lookAtMs } = await a.release(held.record);

    expect(lookAtMs).toBe(0);
    expect(grants).toEqual([
      { record: own.record, token: expect.any(Number), expiresAtMs: scene.nowMs + 5_000 },
    ]);
    expect((await scene.keys()).waiters).toEqual([later.record]);
  });
});

describe('the lease of a hand-off', () => {
  test("is the record's own where that is shorter than what is left of the client's presence", async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue({ leaseMs: 60_000, handOffLeaseMs: 4_000 });

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 4_000 });
  });

  test("ends with the client's presence where that is sooner", async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();
    await scene.advanceWithBeats(4_000, a);

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 6_000 });
  });

  test('is given in full to a waiter that nobody will renew', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue({ leaseMs: 60_000, firm: true });
    expect(waiting.record).toBe('b/1/1/60000!');

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 60_000 });
  });

  test('is judged for each client by its own presence', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ weight: 2 });
    const first = await b.queue();
    scene.advance(2_000);
    const second = await c.queue();
    scene.advance(1_000);

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({
      [first.record]: scene.nowMs + 7_000,
      [second.record]: scene.nowMs + 9_000,
    });
  });
});

describe('a waiter whose client is silent for longer than its presence', () => {
  test('leaves the line when it comes to the head, and the next is served in the same script', async () => {
    const scene = openScene();
    const [a, dead, c] = [scene.client('a'), scene.client('dead'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    await dead.queue();
    const next = await c.queue();
    await dead.queue();
    await scene.advanceWithBeats(10_000, c, true);

    await a.release(held.record);

    await scene.expectKeys({
      permits: { [next.record]: scene.nowMs + 10_000 },
      waiters: ['dead/2/1/30000'],
      clients: { c: scene.nowMs + 10_000, dead: scene.nowMs },
      state: { held: 1 },
    });
  });

  test('keeps its place up to the last millisecond', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    const waiting = await b.queue();
    await c.queue();
    await scene.advanceWithBeats(9_999, c, true);

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 1 });
  });

  test('stays in line, and is served, if its client comes back before its turn', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    const waiting = await b.queue();
    await c.queue();
    await scene.advanceWithReleases(15_000, c);
    await b.beat([waiting.record]);

    await a.release(held.record);

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 10_000 });
  });

  test('stays in line as long as there is no unit for it, wherever it stands', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, dead, c] = ['a', 'b', 'dead', 'c'].map((id) => scene.client(id)) as [
      Client,
      Client,
      Client,
      Client,
    ];
    const held = await a.hold({ weight: 2, leaseMs: 60_000 });
    const heavy = await b.queue({ weight: 2, firm: true });
    const away = await dead.queue();
    await scene.advanceWithBeats(10_000, b, true);
    const last = await c.queue();

    await a.release(held.record);
    expect((await scene.keys()).waiters).toEqual([away.record, last.record]);

    await dead.beat([away.record]);
    await b.release(heavy.record);
    expect((await scene.keys()).permits).toEqual({
      [away.record]: scene.nowMs + 10_000,
      [last.record]: scene.nowMs + 10_000,
    });
  });

  test('costs nobody a message: what is dropped is told to no one', async () => {
    const scene = openScene();
    const [a, dead, c] = [scene.client('a'), scene.client('dead'), scene.client('c')];
    const inbox = await scene.listen(dead);
    const held = await a.hold({ leaseMs: 60_000 });
    await dead.queue();
    await scene.advanceWithBeats(12_000, c);

    await a.release(held.record);

    expect(await inbox.read()).toEqual([]);
    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 0 } });
  });
});
