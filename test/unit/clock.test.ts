import { describe, expect, it } from 'vitest';
import { unsuspended } from '../../src/clock.ts';

function clocks() {
  const time = { monotonicMs: 1_000, wallMs: 1_700_000_000_000 };
  const nowMs = unsuspended(
    () => time.monotonicMs,
    () => time.wallMs,
  );
  const pass = (monotonicMs: number, wallMs: number) => {
    time.monotonicMs += monotonicMs;
    time.wallMs += wallMs;
    return nowMs();
  };
  return { nowMs, pass };
}

describe('a monotonic clock that knows of suspensions', () => {
  it('goes on while the machine is suspended and the monotonic clock stands still', () => {
    const { nowMs, pass } = clocks();
    const startMs = nowMs();
    pass(500, 500);
    expect(pass(2, 60_002) - startMs).toBe(60_502);
    expect(pass(100, 100) - startMs).toBe(60_602);
  });

  it('does not mind that two clocks are never quite the same, over any time', () => {
    const { nowMs, pass } = clocks();
    const startMs = nowMs();
    for (let i = 0; i < 100; i++) {
      pass(10_000, 10_005); // slewed by 0.05 %
      pass(1, i % 2); // whole ms
    }
    expect(nowMs() - startMs).toBe(1_000_100);
  });

  it('never runs back, also when the wall clock is set back', () => {
    const { nowMs, pass } = clocks();
    const startMs = nowMs();
    expect(pass(1_000, -3_600_000) - startMs).toBe(1_000);
    expect(pass(1_000, 1_000) - startMs).toBe(2_000);
  });
});
