import { expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { type Request, Waiter } from '../../src/waiter.ts';

/** What a request says whose time-out passes when it stands as `arrange` leaves it. */
function messageOf(arrange: (waiter: Waiter) => void): string {
  let timeOut = () => {};
  const clock = {
    after: (_ms: number, task: () => void) => {
      timeOut = task;
      return { cancel() {} };
    },
  } as unknown as Clock;
  const reasons: Error[] = [];
  const request = { timeoutMs: 300, failed: (reason: Error) => reasons.push(reason) } as unknown as Request;
  arrange(new Waiter(request, 'record', 0, 'api', clock, () => {}));
  timeOut();
  expect(reasons.length).toBe(1);
  return reasons[0]?.message ?? '';
}

it('a time-out says what was in the way: others, Redis, or replicas', () => {
  expect(messageOf(() => {})).toBe("No permit of 'api' within 300 ms: Redis has not answered yet.");
  expect(messageOf((waiter) => waiter.queue(7, 0))).toBe(
    "No permit of 'api' within 300 ms: the semaphore is in use.",
  );
  const granted = messageOf((waiter) => {
    waiter.state = 'granted';
  });
  expect(granted).toBe(
    "No permit of 'api' within 300 ms: one was granted, but too few replicas have acknowledged it.",
  );
});
