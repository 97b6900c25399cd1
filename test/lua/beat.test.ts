import { describe, expect, test } from 'vitest';
import { openScene } from './support.ts';

describe('beat', () => {
  test('marks a client that waits present, for a presence time from now', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();
    scene.advance(4_000);

    await b.beat([waiting.record]);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
    });
  });

  test('does not mark a client that only looks in', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    await a.beat([held.record], false);

    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs } });
  });

  test('answers for each record whether it waits, holds or is unknown', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    const held = await a.hold();
    await a.hold({ leaseMs: 5_000 });
    const waiting = await a.queue();

    const { answers } = await a.beat([waiting.record, 'a/9/1/30000', held.record, 'nonsense']);

    expect(answers).toEqual([
      { kind: 'queued', ticket: waiting.ticket },
      { kind: 'unknown', refusedAtMs: 0 },
      { kind: 'granted', token: expect.any(Number), expiresAtMs: held.expiresAtMs },
      { kind: 'unknown', refusedAtMs: 0 },
    ]);
  });

  test('answers granted with a fresh, higher token each time, and the same expiry', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    const first = await a.beat([held.record], false);
    const second = await a.beat([held.record], false);

    const answer = { kind: 'granted', token: expect.any(Number), expiresAtMs: held.expiresAtMs };
    expect([...first.answers, ...second.answers]).toEqual([answer, answer]);
    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs }, state: { held: 1 } });
  });

  test('finds a grant whose message was lost', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();
    await a.release(held.record);
    scene.advance(3_000);

    const { answers, grants } = await b.beat([waiting.record]);

    expect(grants).toEqual([]);
    expect(answers).toEqual([
      { kind: 'granted', token: expect.any(Number), expiresAtMs: scene.nowMs + 7_000 },
    ]);
  });

  test('answers unknown for an expired permit, and takes its units back', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);

    expect((await a.beat([held.record], false)).answers).toEqual([{ kind: 'unknown', refusedAtMs: 0 }]);

    await scene.expectKeys({ state: { held: 0 } });
  });

  test('answers unknown for a waiter that was dropped', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    const waiting = await b.queue();
    await scene.advanceWithBeats(12_000, c);
    await a.release(held.record);

    expect((await b.beat([waiting.record])).answers).toEqual([{ kind: 'unknown', refusedAtMs: 0 }]);
  });

  test('serves its own waiters when a lease has ended, and says so in the reply', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 4_000 });
    const waiting = await b.queue();
    scene.advance(4_000);

    const { answers, grants } = await b.beat([waiting.record]);

    // The beat counts first: the hand-off lease is a whole presence time.
    expect(grants).toMatchObject([{ record: waiting.record, expiresAtMs: scene.nowMs + 10_000 }]);
    expect(answers).toMatchObject([{ kind: 'granted', expiresAtMs: scene.nowMs + 10_000 }]);
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 10_000 },
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1 },
    });
  });

  test('brings a client back that was away for long, before the line is judged', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    await a.hold({ leaseMs: 14_000 });
    const waiting = await b.queue();
    await scene.advanceWithReleases(12_000, c);
    scene.advance(2_000);

    const { answers } = await b.beat([waiting.record]);

    expect(answers).toMatchObject([{ kind: 'granted' }]);
  });

  test('deletes clients that are gone, and keeps those that are present', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    await b.queue();
    const stays = await c.queue();
    await scene.advanceWithBeats(10_000, c, true);
    expect((await scene.keys()).clients).toEqual({ b: scene.nowMs, c: scene.nowMs + 10_000 });
    scene.advance(1);
    await a.beat([held.record], false);
    expect((await scene.keys()).clients).toEqual({ b: scene.nowMs - 1, c: scene.nowMs + 9_999 });

    await c.beat([stays.record]);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [stays.record],
      clients: { c: scene.nowMs + 10_000 },
    });
  });

  test('deletes all clients that are gone when nobody waits any more, but not the last while somebody does', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ leaseMs: 60_000 });
    const waiting = await b.queue();
    await scene.advanceWithReleases(10_001, a);
    expect(await scene.keys()).toMatchObject({
      waiters: [waiting.record],
      clients: { b: scene.nowMs - 1 },
    });

    await a.beat([held.record], false);
    expect(await scene.keys()).toMatchObject({ waiters: [], clients: { b: scene.nowMs - 1 } });
    await a.beat([held.record], false);

    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs } });
  });

  test('takes those whose clients are gone from the head of the line although there is no room', async () => {
    const scene = openScene();
    const [a, dead, c] = [scene.client('a'), scene.client('dead'), scene.client('c')];
    const inbox = await scene.listen(dead);
    const held = await a.hold({ leaseMs: 60_000 });
    await dead.queue();
    await dead.queue();
    await scene.advanceWithReleases(5_000, a);
    const next = await c.queue();
    scene.advance(1);
    const behind = await dead.take({ maxWaiting: 9 });
    await scene.redis.zadd(scene.names.clients, scene.nowMs - 5_001, dead.id); // that sign of life did not count
    await scene.advanceWithReleases(5_000, a);

    await a.beat([held.record], false);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [next.record, behind.record],
      clients: { c: scene.nowMs + 4_999, dead: scene.nowMs - 10_001 },
      state: { held: 1 },
    });
    expect(await inbox.read()).toEqual([]);
  });

  test('refuses those at the head of the line that can never fit although there is no room', async () => {
    const scene = openScene({ limit: 5 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const inbox = await scene.listen(b);
    const held = await a.hold({ weight: 5 });
    const heavy = await b.queue({ weight: 4 });
    const next = await c.queue();
    await a.resize(3);
    expect(await inbox.read()).toEqual([]);

    await c.beat([next.record]);

    expect(await inbox.read()).toMatchObject([{ grants: [{ record: heavy.record, token: 0 }] }]);
    expect(await scene.keys()).toMatchObject({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [next.record],
    });
  });

  test('leaves everyone in line who waits for a limit of 0 to be raised', async () => {
    const scene = openScene({ limit: 0 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const waiting = await b.queue({ weight: 3 });

    await a.beat();
    await b.beat([waiting.record]);

    expect((await scene.keys()).waiters).toEqual([waiting.record]);
  });

  test('that comes twice changes nothing more', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const waiting = await b.queue();
    await b.beat([waiting.record]);
    const { state: _, ttlMs: __, ...once } = await scene.keys();

    await b.beat([waiting.record]);

    expect(await scene.keys()).toMatchObject(once);
  });

  test('answers 500 records in one call', async () => {
    const scene = openScene({ limit: 250 });
    const a = scene.client('a');
    const requests = a.requests(500);
    await a.acquire(requests);

    const { answers } = await a.beat(requests.map(({ record }) => record));

    expect(answers.map(({ kind }) => kind)).toEqual(
      requests.map((_request, i) => (i < 250 ? 'granted' : 'queued')),
    );
  });

  test('tells the head of the line when the next lease ends, and nobody else', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    await a.hold({ leaseMs: 20_000 });
    await a.hold({ leaseMs: 5_000 });
    const [head, second] = [await b.queue(), await c.queue()];

    expect((await b.beat([head.record])).lookAtMs).toBe(scene.nowMs + 5_000);
    expect((await c.beat([second.record])).lookAtMs).toBe(0);
    expect((await b.beat([], false)).lookAtMs).toBe(0);

    await b.release(head.record);
    expect((await c.beat([second.record])).lookAtMs).toBe(scene.nowMs + 5_000);
  });

  test('tells the limit in force', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    await b.resize(4);

    expect(await a.beat()).toMatchObject({ limit: 4, nowMs: scene.clock.nowUs / 1000, epoch: a.epoch });
  });
});
