import { describe, expect, test } from 'vitest';
import { nobody } from '../../src/redis/store.ts';
import { openScene } from './support.ts';

const memoryMs = 600_000;

describe('revoke', () => {
  test("takes another client's permit, serves the next in line, and tells the holder when that was", async () => {
    const scene = openScene();
    const [a, b, operator] = [scene.client('a'), scene.client('b'), scene.client('operator')];
    const [toA, toB] = [await scene.listen(a), await scene.listen(b)];
    const { record } = await a.hold({ leaseMs: 20_000 });
    const next = await b.queue();

    const { answers } = await operator.revoke(record);

    expect(answers).toEqual([true]);
    await scene.expectKeys({
      permits: { [next.record]: scene.nowMs + 10_000 },
      clients: { b: scene.nowMs + 10_000, [record]: scene.nowMs + memoryMs },
      state: { held: 1, revokedUntilMs: scene.nowMs + memoryMs },
    });
    expect(await toA.read()).toMatchObject([
      { grants: [{ record, token: 0, expiresAtMs: scene.nowMs }], epoch: a.epoch },
    ]);
    expect(await toB.read()).toMatchObject([{ grants: [{ record: next.record }] }]);
  });

  test('takes a waiter out of the line, and those behind a heavy head move up', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c, operator] = ['a', 'b', 'c', 'operator'].map((id) => scene.client(id)) as never as [
      ReturnType<typeof scene.client>,
      ReturnType<typeof scene.client>,
      ReturnType<typeof scene.client>,
      ReturnType<typeof scene.client>,
    ];
    const toB = await scene.listen(b);
    const held = await a.hold();
    const heavy = await b.queue({ weight: 2 });
    const light = await c.queue();

    expect((await operator.revoke(heavy.record)).answers).toEqual([true]);

    const { permits, waiters } = await scene.keys();
    expect(Object.keys(permits).sort()).toEqual([held.record, light.record].sort());
    expect(waiters).toEqual([]);
    expect(await toB.read()).toMatchObject([{ grants: [{ record: heavy.record, token: 0 }] }]);
  });

  test('counts the weight of what it took', async () => {
    const scene = openScene({ limit: 5 });
    const a = scene.client('a');
    const { record } = await a.hold({ weight: 3 });
    await a.hold();
    await scene.client('operator').revoke(record);

    expect((await scene.keys()).state).toMatchObject({ held: 1 });
  });

  test('tells its own caller in the reply, and not by message', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const inbox = await scene.listen(a);
    const { record } = await a.hold();

    expect((await a.revoke(record)).grants).toEqual([{ record, token: 0, expiresAtMs: scene.nowMs }]);
    expect(await inbox.read()).toEqual([]);
  });

  test('changes nothing for what is not there: unknown, released, or expired', async () => {
    const scene = openScene({ limit: 2 });
    const [a, operator] = [scene.client('a'), scene.client('operator')];
    const released = await a.hold();
    await a.release(released.record);
    const expired = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);

    for (const record of ['nobody/1/1/30000', released.record, expired.record]) {
      expect((await operator.revoke(record)).answers).toEqual([false]);
    }
    await scene.expectKeys({ state: { held: 0, revokedUntilMs: undefined } });
  });

  test('makes no semaphore where there is none', async () => {
    const scene = openScene();
    const { store } = scene.client('operator');

    expect(await store.revoke(nobody, 'a/1/1/30000', memoryMs)).toMatchObject({
      kind: 'ok',
      answers: [false],
    });
    await scene.expectKeys({});
  });

  test('of data that contradicts itself changes nothing, and says so', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const { record } = await a.hold();
    await scene.lose('state');

    expect(await scene.client('operator').raw.revoke(record, memoryMs)).toMatchObject({ kind: 'forgotten' });
  });

  test('that is sent twice takes once, and says both times that it did', async () => {
    const scene = openScene();
    const [a, operator] = [scene.client('a'), scene.client('operator')];
    const { record } = await a.hold();
    expect((await operator.revoke(record)).answers).toEqual([true]);
    expect((await operator.revoke(record)).answers).toEqual([true]);
    expect((await scene.keys()).state).toMatchObject({ held: 0 });
  });

  test('remembers for as long as the lease, if that is longer than was asked for', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 3_600_000 });
    await scene.client('operator').revoke(held.record, 1_000);

    expect((await scene.keys()).clients).toEqual({ [held.record]: held.expiresAtMs });
    scene.advance(3_599_999);
    expect((await a.beat([held.record], false)).answers).toEqual([{ kind: 'revoked' }]);
    scene.advance(1);
    expect((await a.beat([held.record], false)).answers).toMatchObject([{ kind: 'unknown' }]);
    await scene.advanceWithBeats(20_000, a);
    await scene.expectKeys({}); // what is remembered no more is gone
  });
});

describe('what was revoked does not come back', () => {
  const revoked = async () => {
    const scene = openScene();
    const a = scene.client('a');
    const { record, request } = await a.hold();
    await scene.client('operator').revoke(record);
    return { scene, a, record, request };
  };
  const expectGone = (scene: ReturnType<typeof openScene>, record: string) =>
    scene.expectKeys({ clients: { [record]: scene.nowMs + memoryMs }, state: { held: 0 } });

  test('by a renewal', async () => {
    const { scene, a, record } = await revoked();
    expect((await a.renew(record)).answers).toEqual(['revoked']);
    await expectGone(scene, record);
  });

  test('by its acquire, which is sent again', async () => {
    const { scene, a, record, request } = await revoked();
    expect((await a.acquire([request])).answers).toEqual([{ kind: 'revoked' }]);
    await expectGone(scene, record);
  });

  test('by a check-in', async () => {
    const { scene, a, record } = await revoked();
    expect((await a.beat([record], false)).answers).toEqual([{ kind: 'revoked' }]);
    await expectGone(scene, record);
  });

  test('by a release, which is told so', async () => {
    const { scene, a, record } = await revoked();
    const held = await a.hold();
    expect((await a.release(record)).answers).toEqual(['revoked']);
    expect((await a.release(held.record, record)).answers).toEqual([true, 'revoked']);
    await expectGone(scene, record);
  });

  test('by a restoration, neither the permit nor a place in line, though the state was lost', async () => {
    const { scene, a, record, request } = await revoked();
    const other = a.request();
    await scene.lose('state');

    const permits = [record, other.record].map((one) => ({ record: one, remainingMs: 20_000 }));
    expect((await a.restore({ permits })).answers).toEqual(['revoked', scene.nowMs + 20_000]);
    await a.restore({ waiters: [{ record: request.record, ticket: 17 }] });

    const keys = await scene.keys();
    expect(Object.keys(keys.permits)).toEqual([other.record]);
    expect(keys.waiters).toEqual([]);
  });

  test('and a waiter that was taken out stays out, asked for again or not', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const { record, request } = await b.queue();
    await scene.client('operator').revoke(record);

    expect((await b.acquire([request])).answers).toEqual([{ kind: 'revoked' }]);
    expect((await b.beat([record])).answers).toEqual([{ kind: 'revoked' }]);
    expect((await scene.keys()).waiters).toEqual([]);
  });
});
