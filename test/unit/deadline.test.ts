import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ServerClockBound } from '../../src/deadline.ts';

/** A clock of the test's own, `aheadMs` behind the server's. */
function scene(aheadMs: number) {
  let nowMs = 50_000;
  const bound = new ServerClockBound({ ...systemClock, monotonicMs: () => nowMs });
  return {
    bound,
    serverNowMs: () => nowMs + aheadMs,
    nowMs: () => nowMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('the deadline of a holder', () => {
  it('is never later than the expiry on the server, however long replies take', () => {
    const delay = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.array(fc.tuple(delay, delay, delay), { minLength: 1 }),
        fc.integer({ min: 100, max: 60_000 }),
        (aheadMs, calls, leaseMs) => {
          const { bound, serverNowMs, nowMs, pass } = scene(aheadMs);
          for (const [thereMs, backMs, pauseMs] of calls) {
            const sentAtMs = nowMs();
            pass(thereMs);
            const executedMs = Math.floor(serverNowMs());
            pass(backMs);
            bound.observe(executedMs, sentAtMs);
            const expiresAtMs = executedMs + leaseMs;
            expect(bound.deadlineMs(expiresAtMs)).toBeLessThan(expiresAtMs - aheadMs);
            pass(pauseMs);
          }
        },
      ),
    );
  });

  it('holds again after the server’s clock was set forward', () => {
    const { bound, nowMs, pass } = scene(0);
    bound.observe(nowMs(), nowMs());
    pass(1_000);
    const jumpedMs = nowMs() + 60_000;
    bound.observe(jumpedMs, nowMs());
    expect(bound.deadlineMs(jumpedMs + 10_000)).toBeLessThan(nowMs() + 10_000);
  });
});
