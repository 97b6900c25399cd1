import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ClusterSubscriber } from '../../src/redis/cluster-subscriber.ts';
import type { ClusterView } from '../../src/redis/cluster-view.ts';
import type { OpenReceiver } from '../../src/redis/receiver.ts';
import { slotOf } from '../../src/redis/slot.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const [up, down] = ['up:1', 'down:2'];
const lost = '{lost}';

/** A Cluster of two primaries, one of which is down: connections to it fail after some ms. */
class HalfACluster implements ClusterView {
  readonly keyPrefix = '';
  isDown = true;
  attempts = 0;
  refreshes = 0;
  readonly #listeners = new Set<() => void>();

  /** The library drops a node that it can't reach, until it hears of it again by a refresh. */
  addresses = () => (this.isDown && this.refreshes % 2 === 0 ? [up] : [up, down]);
  primaries = () => this.addresses();
  primaryOf = (slot: number) => (slot === slotOf(lost) ? down : up);

  refresh(): void {
    this.refreshes++;
    setTimeout(() => {
      for (const listener of this.#listeners) listener();
    }, 1);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receiverAt(address: string): OpenReceiver | undefined {
    if (!this.addresses().includes(address)) return undefined;
    return (events) => {
      if (address === down) this.attempts++;
      const fails = address === down && this.isDown;
      setTimeout(() => (fails ? events.failed() : events.ready()), 2);
      const done = () => Promise.resolve();
      return { subscribe: done, ssubscribe: done, sunsubscribe: done, close: () => {} };
    };
  }
}

test('a node that stays down is tried ever more slowly, however much is heard at others, and heard again when it is back', async () => {
  const cluster = new HalfACluster();
  const heard: (string | undefined)[] = [];
  const subscriber = new ClusterSubscriber(cluster, 'own', {
    listening: (channel) => heard.push(channel),
    message: () => {},
    error: () => {},
  });
  subscriber.hearShard(lost);
  const runFor = async (seconds: number) => {
    for (let i = 0; i < 20 * seconds; i++) {
      subscriber.hearShard(`{other}${i}`);
      await vi.advanceTimersByTimeAsync(50);
      subscriber.leaveShard(`{other}${i}`);
    }
  };
  await runFor(30); // by now it is tried as rarely as ever
  const before = { attempts: cluster.attempts, refreshes: cluster.refreshes, heard: heard.length };
  await runFor(60);
  expect(heard.length - before.heard).toBeGreaterThan(1_000); // what is at the other node
  expect(heard).not.toContain(lost);
  // A pause is a second at least.
  expect(cluster.attempts - before.attempts).toBeLessThanOrEqual(60);
  expect(cluster.attempts - before.attempts).toBeGreaterThanOrEqual(10);
  expect(cluster.refreshes - before.refreshes).toBeLessThanOrEqual(3 * 60);

  cluster.isDown = false;
  await runFor(3);
  expect(heard).toContain(lost);
  subscriber.close();
  expect(vi.getTimerCount()).toBe(0);
});
