import { describe, expect, test } from 'vitest';
import { openScene } from './support.ts';

describe('resize', () => {
  test('serves waiters at once when there is more, as many as fit', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ weight: 2 });
    const [first, second, third] = [await b.queue(), await c.queue({ weight: 2 }), await b.queue()];

    const { answers, limit } = await c.resize(5);

    expect(answers).toEqual([true]);
    expect(limit).toBe(5);
    await scene.expectKeys({
      permits: {
        [held.record]: held.expiresAtMs,
        [first.record]: scene.nowMs + 10_000,
        [second.record]: scene.nowMs + 10_000,
      },
      waiters: [third.record],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { limit: 5, declared: 2, held: 5 },
    });
  });

  test('to less takes nothing away, and grants nothing before enough was given back', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = [await a.hold(), await a.hold(), await a.hold()];
    const waiting = await b.queue();

    await b.resize(1);
    expect(await scene.keys()).toMatchObject({
      waiters: [waiting.record],
      state: { limit: 1, declared: 3, held: 3 },
    });
    expect(await b.attempt()).toMatchObject({ kind: 'full' });

    await a.release(held[0]?.record ?? '');
    await a.release(held[1]?.record ?? '');
    expect(await scene.keys()).toMatchObject({ waiters: [waiting.record], state: { held: 1 } });

    await a.release(held[2]?.record ?? '');
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 10_000 },
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1 },
    });
  });

  test('to less refuses waiters that can never fit now, as soon as it is their turn', async () => {
    const scene = openScene({ limit: 5 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ weight: 2 });
    const heavy = await b.queue({ weight: 4 });
    const light = await c.queue();

    const reply = await b.resize(3);

    expect(reply.grants).toEqual([{ record: heavy.record, token: 0, expiresAtMs: 0 }]);
    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs, [light.record]: scene.nowMs + 10_000 },
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { held: 3, limit: 3 },
    });
    scene.advance(1_000);
    expect((await b.beat([heavy.record])).answers).toEqual([
      { kind: 'unknown', refusedAtMs: scene.nowMs - 1_000 },
    ]);
  });

  test('to 0 lets waiters wait, and nobody else in', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const heavy = await b.queue({ weight: 2 });

    await b.resize(0);
    await a.release(held.record);

    await scene.expectKeys({
      waiters: [heavy.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { limit: 0, held: 0 },
    });
    expect(await a.attempt()).toMatchObject({ kind: 'full', waiting: 1 });
    await a.resize(2);
    expect((await scene.keys()).permits).toEqual({ [heavy.record]: scene.nowMs + 10_000 });
  });

  test('that comes twice is done once', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    await b.queue();
    await a.resize(2);
    const { state: _, ttlMs: __, ...once } = await scene.keys();

    expect((await a.resize(2)).answers).toEqual([true]);

    expect(await scene.keys()).toMatchObject(once);
    expect((await scene.keys()).state).toMatchObject({ limit: 2, held: 2 });
  });

  test('judges expired permits before it hands off', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ weight: 2, leaseMs: 4_000 });
    const waiting = await b.queue({ weight: 2 });
    scene.advance(4_000);

    await a.resize(2);

    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 6_000 },
      clients: { b: scene.nowMs + 6_000 },
      state: { held: 2 },
    });
  });

  test('is allowed where a bounded handle exists', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a', { bounded: true });

    expect((await a.resize(3)).answers).toEqual([true]);
    expect((await scene.keys()).state).toMatchObject({ limit: 3, bounded: 1 });
  });
});

describe('a unit that is added', () => {
  test('raises the limit by one, for everyone, and serves the line', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();

    const { answers, limit } = await a.gain('a/7/0/0', 60_000);

    expect(answers).toEqual([true]);
    expect(limit).toBe(2);
    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs, [waiting.record]: scene.nowMs + 10_000 },
      clients: { 'a/7/0/0': scene.nowMs + 60_000, b: scene.nowMs + 10_000 },
      state: { limit: 2, declared: 1, held: 2 },
    });
  });

  test('is added once, however often the call comes, until it is forgotten', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.gain('a/7/0/0', 60_000);
    expect((await a.gain('a/7/0/0', 60_000)).answers).toEqual([true]);
    await scene.advanceWithBeats(60_000, b);
    expect((await a.gain('a/7/0/0', 60_000)).answers).toEqual([true]);

    await scene.expectKeys({
      clients: { 'a/7/0/0': scene.nowMs },
      state: { limit: 2, held: 0 },
    });
  });

  test('is added for each call of its own', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a');
    await a.gain('a/7/0/0');
    await a.gain('a/8/0/0');

    expect((await scene.keys()).state).toMatchObject({ limit: 3, held: 0 });
  });

  test('leaves nothing behind when its memory has ended', async () => {
    const scene = openScene();
    const a = scene.client('a');
    await a.gain('a/7/0/0', 60_000);
    await scene.advanceWithBeats(60_001, a);

    await scene.expectKeys({ state: { limit: 2 } });
  });

  test('is nobody that waits or holds', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a');
    await a.gain('a/7/0/0');

    expect(await a.inspect()).toMatchObject({ limit: 2, held: 0, holding: 0, waiting: 0, permits: [] });
    expect((await a.release('a/7/0/0')).answers).toEqual([false]);
    expect((await a.gain('a/7/0/0')).limit).toBe(2);
  });

  test('is refused where a bounded handle exists, whoever made it', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b', { bounded: true })];
    await a.hold();
    await b.queue();

    expect((await a.gain('a/7/0/0')).answers).toEqual([false]);

    await scene.expectKeys({
      permits: { 'a/1/1/30000': scene.nowMs + 30_000 },
      waiters: ['b/1/1/30000'],
      clients: { b: scene.nowMs + 10_000 },
      state: { limit: 1, held: 1 },
    });
  });

  test('is refused to the bounded handle that speaks of the semaphore first', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a', { bounded: true });

    expect((await a.gain('a/7/0/0')).answers).toEqual([false]);
    expect((await scene.keys()).state).toMatchObject({ limit: 1, bounded: 1 });
  });
});
