import { describe, expect, test } from 'vitest';
import { openScene } from './support.ts';

describe('renew', () => {
  test('gives a held permit its new expiry, counted from now', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 3_000 });
    scene.advance(1_000);

    const { answers } = await a.renew(held.record, 9_000);

    expect(answers).toEqual([scene.nowMs + 9_000]);
    await scene.expectKeys({ permits: { [held.record]: scene.nowMs + 9_000 }, state: { held: 1 } });
  });

  test('may shorten a lease too', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    await a.renew(held.record, 1_000);

    expect((await scene.keys()).permits).toEqual({ [held.record]: scene.nowMs + 1_000 });
  });

  test('renews to the last millisecond of a lease', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 1_000 });
    scene.advance(999);

    expect((await a.renew(held.record, 1_000)).answers).toEqual([scene.nowMs + 1_000]);
  });

  test('never revives an expired permit, although its units are still free', async () => {
    const scene = openScene({ limit: 5 });
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);

    expect((await a.renew(held.record)).answers).toEqual([0]);

    await scene.expectKeys({ state: { held: 0 } });
    expect((await a.renew(held.record)).answers).toEqual([0]);
  });

  test('answers 0 for a permit that was released, and does not bring it back', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();
    await a.release(held.record);

    expect((await a.renew(held.record)).answers).toEqual([0]);

    await scene.expectKeys({ state: { held: 0 } });
  });

  test('answers 0 for a waiter, which keeps its place', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();

    expect((await b.renew(waiting.record)).answers).toEqual([0]);

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
    });
  });

  test('gives the units of an expired permit to the next in line, and not back to it', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ leaseMs: 4_000 });
    const waiting = await b.queue();
    scene.advance(4_000);

    expect((await a.renew(held.record)).answers).toEqual([0]);

    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 6_000 },
      clients: { b: scene.nowMs + 6_000 },
      state: { held: 1 },
    });
  });

  test('that comes twice counts its second copy from then', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();
    await a.renew(held.record, 5_000);
    scene.advance(100);

    expect((await a.renew(held.record, 5_000)).answers).toEqual([scene.nowMs + 5_000]);
    await scene.expectKeys({ permits: { [held.record]: scene.nowMs + 5_000 }, state: { held: 1 } });
  });

  test('answers each of 500 permits in its place, with its own lease', async () => {
    const scene = openScene({ limit: 500 });
    const a = scene.client('a');
    const requests = a.requests(500);
    await a.acquire(requests);
    await a.release(requests[7]?.record ?? '');

    const renewals = requests.map(({ record }, i) => ({ record, leaseMs: 10_000 + i }));
    const reply = await a.raw.renew(renewals);

    expect(reply).toMatchObject({
      answers: requests.map((_request, i) => (i === 7 ? 0 : scene.nowMs + 10_000 + i)),
    });
  });

  test('keeps the keys for as long as the longest lease that it gave', async () => {
    const scene = openScene({ retentionMs: 60_000 });
    const a = scene.client('a');
    const held = await a.hold();

    await a.renew(held.record, 3_600_000);

    const { ttlMs } = await scene.keys();
    expect(ttlMs.permits).toBeGreaterThan(3_500_000);
    expect(ttlMs.state).toBeGreaterThan(3_500_000);
  });

  test('needs no look at any special time', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();
    await a.queue();

    expect((await a.renew(held.record)).lookAtMs).toBe(0);
  });
});
