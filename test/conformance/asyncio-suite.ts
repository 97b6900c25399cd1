import { expect, it } from 'vitest';
import type { AcquireOptions, SemaphoreClient } from '../../src/index.ts';
import { until, watch } from '../support/until.ts';

/** A permit as the suite needs it: of this process or of another. */
interface Held {
  readonly id: string;
  readonly fencingToken: number;
  release(): Promise<boolean>;
}

/** One who takes part: a task with a semaphore, in whatever client or process. */
export interface Actor {
  acquire(options?: AcquireOptions): Promise<Held>;
  tryAcquire(): Promise<Held | null>;
  release(): Promise<boolean>;
}

type Four<T> = readonly [T, T, T, T];

export const four = <T>(make: (i: 0 | 1 | 2 | 3) => T): Four<T> => [make(0), make(1), make(2), make(3)];

export interface Scene {
  /** Four of one fresh semaphore. */
  readonly actors: Four<Actor>;
  /** Somebody who looks on. */
  inspect(): ReturnType<SemaphoreClient['inspect']>;
}

/** Makes a scene with a fresh semaphore of this limit. */
export type SceneOf = (limit: number) => Scene;

const cancelled = new Error('cancelled');

/** An actor asks and is in line when this resolves: so the order of asking is the order of the calls. */
async function queue(scene: Scene, actor: Actor, order: number[] = [], name = 0) {
  const controller = new AbortController();
  const before = (await scene.inspect()).waiting;
  const outcome = watch(
    actor.acquire({ signal: controller.signal }).then((permit) => {
      order.push(name);
      return permit;
    }),
  );
  await until('it is in line', async () => (await scene.inspect()).waiting === before + 1);
  return { outcome, cancel: () => controller.abort(cancelled) };
}

const granted = ({ outcome }: Awaited<ReturnType<typeof queue>>) =>
  until('it is granted', () => outcome.value);

/** The line is as long as this. A cancel is told to Redis in the background. */
const lineIs = (scene: Scene, length: number) =>
  until(`${length} wait`, async () => (await scene.inspect()).waiting === length);

const isFree = (scene: Scene) =>
  until('it is free', async () => {
    const { held, waiting } = await scene.inspect();
    return held === 0 && waiting === 0;
  });

/** What `SemaphoreTests` and `LockTests` of CPython 3.13's `test_locks.py` check, one test for each. */
export function asyncioSuite(sceneOf: SceneOf): void {
  it('with limit 0 it is locked from the start (test_initial_value_zero)', async () => {
    const scene = sceneOf(0);
    expect(await scene.actors[0].tryAcquire()).toBeNull();
    expect((await scene.inspect()).available).toBe(0);
  });

  it('acquire and release move the count (test_semaphore)', async () => {
    const scene = sceneOf(1);
    const permit = await scene.actors[0].acquire();
    expect(await scene.inspect()).toMatchObject({ limit: 1, held: 1, available: 0 });
    expect(await scene.actors[1].tryAcquire()).toBeNull();
    await permit.release();
    expect(await scene.inspect()).toMatchObject({ limit: 1, held: 0, available: 1 });
  });

  it('of three permits, two releases wake exactly two; the third in line stays (test_acquire)', async () => {
    const scene = sceneOf(3);
    const [a, b, c, d] = scene.actors;
    const held = await Promise.all([a.acquire(), b.acquire(), c.acquire()]);
    const order: number[] = [];
    const line = [
      await queue(scene, d, order, 1),
      await queue(scene, a, order, 2),
      await queue(scene, b, order, 3),
    ];
    await held[0].release();
    await held[1].release();
    await Promise.all(line.slice(0, 2).map(granted));
    expect(await scene.inspect()).toMatchObject({ held: 3, waiting: 1 });
    expect(line[2]?.outcome.state).toBe('pending');
    await held[2].release();
    for (const one of line) await (await granted(one)).release();
    await isFree(scene);
  });

  it('who is cancelled leaves the queue (test_acquire_cancel)', async () => {
    const scene = sceneOf(1);
    await scene.actors[0].acquire();
    const waiter = await queue(scene, scene.actors[1]);
    waiter.cancel();
    await until('it is rejected', () => waiter.outcome.state === 'rejected');
    expect(waiter.outcome.reason).toMatchObject({ message: expect.stringMatching(/cancelled|aborted/) });
    await lineIs(scene, 0);
  });

  it('with the first two of the line cancelled, one release goes to the third (test_acquire_cancel_before_awoken)', async () => {
    const scene = sceneOf(1);
    const [a, b, c, d] = scene.actors;
    const held = await a.acquire();
    const [first, second] = [await queue(scene, b), await queue(scene, c)];
    const [third, fourth] = [await queue(scene, d), await queue(scene, a)];
    first.cancel();
    second.cancel();
    await held.release();
    const permit = await granted(third);
    expect(fourth.outcome.state).toBe('pending');
    await permit.release();
    await (await granted(fourth)).release();
    await isFree(scene);
  });

  it('with the head cancelled and a release, the second goes on (test_acquire_hang)', async () => {
    const scene = sceneOf(1);
    const held = await scene.actors[0].acquire();
    const [first, second] = [await queue(scene, scene.actors[1]), await queue(scene, scene.actors[2])];
    first.cancel();
    await held.release();
    await (await granted(second)).release();
    await isFree(scene);
  });

  it('when the waiter that was just granted is cancelled, the permit is not lost (test_acquire_no_hang)', async () => {
    const scene = sceneOf(1);
    const held = await scene.actors[0].acquire();
    const [first, second] = [await queue(scene, scene.actors[1]), await queue(scene, scene.actors[2])];
    const released = held.release();
    first.cancel();
    await released;
    // The cancel came before or after its grant; it is the first's then, who gives it back like anyone.
    await until('the first is settled', () => first.outcome.state !== 'pending');
    await first.outcome.value?.release();
    await (await granted(second)).release();
    await isFree(scene);
  });

  it('release unlocks (test_release_no_waiters)', async () => {
    const scene = sceneOf(1);
    await scene.actors[0].acquire();
    expect(await scene.actors[1].tryAcquire()).toBeNull();
    await scene.actors[0].release();
    expect(await scene.actors[1].tryAcquire()).not.toBeNull();
  });

  fifoSuite(sceneOf);

  it('limit 1: cancels and releases in any interleaving lose no permit and serve somebody (test_cancel_race, test_cancel_release_race, test_finished_waiter_cancelled)', async () => {
    for (let round = 0; round < 8; round++) {
      const scene = sceneOf(1);
      const [a, ...others] = scene.actors;
      const held = await a.acquire();
      const line: Awaited<ReturnType<typeof queue>>[] = [];
      for (const actor of others) line.push(await queue(scene, actor));
      // Each of the eight: which of the three are cancelled, all at the moment of the release.
      const releasing = held.release();
      for (const [i, one] of line.entries()) if (round & (1 << i)) one.cancel();
      await releasing;
      let served = 0;
      for (const one of line) {
        await until('it is settled', () => one.outcome.state !== 'pending');
        if (one.outcome.value) {
          served++;
          expect(await one.outcome.value.release()).toBe(true);
        }
      }
      expect(served).toBeGreaterThanOrEqual(line.filter((_, i) => !(round & (1 << i))).length);
      await isFree(scene);
      expect(await scene.actors[3].tryAcquire()).not.toBeNull();
    }
  });
}

/** The rows about the order. */
export function fifoSuite(sceneOf: SceneOf): void {
  it('three tasks, two rounds: strictly in turn (test_acquire_fifo_order)', async () => {
    const scene = sceneOf(1);
    const [a, b, c, d] = scene.actors;
    const held = await d.acquire();
    const order: number[] = [];
    const line = [];
    for (const actor of [a, b, c, a, b, c]) {
      line.push(await queue(scene, actor, order, scene.actors.indexOf(actor)));
    }
    await held.release();
    for (const one of line) await (await granted(one)).release();
    expect(order).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('who releases and asks again goes to the back (test_acquire_fifo_order_2)', async () => {
    const scene = sceneOf(1);
    const [a, b, c] = scene.actors;
    const held = await a.acquire();
    const order: number[] = [];
    const line = [await queue(scene, b, order, 2), await queue(scene, c, order, 3)];
    const released = held.release();
    const again = watch(a.acquire().then(() => order.push(1)));
    await released;
    for (const one of line) await (await granted(one)).release();
    await until('it is granted', () => again.value);
    expect(order).toEqual([2, 3, 1]);
  });

  it('head cancelled, two releases: the second and the third, in order (test_acquire_fifo_order_3)', async () => {
    const scene = sceneOf(1);
    const [a, b, c, d] = scene.actors;
    const held = await a.acquire();
    const order: number[] = [];
    const head = await queue(scene, b, order, 1);
    const line = [await queue(scene, c, order, 2), await queue(scene, d, order, 3)];
    head.cancel();
    await lineIs(scene, 2);
    await held.release();
    for (const one of line) await (await granted(one)).release();
    expect(order).toEqual([2, 3]);
  });

  it('three releases by one who runs wake all that wait, in order; who comes later is last (test_acquire_fifo_order_4)', async () => {
    const scene = sceneOf(3);
    const [a, b, c, d] = scene.actors;
    const held = [await a.acquire(), await a.acquire(), await a.acquire()];
    const line = [await queue(scene, b), await queue(scene, c), await queue(scene, d)];
    const releases = held.map((permit) => permit.release());
    const late = a.acquire();
    await Promise.all(releases);
    const permits = await Promise.all(line.map(granted));
    expect(await scene.inspect()).toMatchObject({ held: 3 });
    const tokens = permits.map(({ fencingToken }) => fencingToken);
    expect(tokens).toEqual([...tokens].sort((x, y) => x - y));
    for (const permit of permits) await permit.release();
    const last = await late;
    expect(last.fencingToken).toBeGreaterThan(tokens[2] ?? 0);
    await last.release();
    await isFree(scene);
  });
}
