import { beforeAll, describe, expect, it } from 'vitest';
import { type Fault, type Outcome, play, presenceMs, type Stage } from './outage.ts';

export interface Expectations {
  /**
   * For how long after the failover more may be inside than the limit, ms: until clients have noticed what was lost.
   * 0 where nothing may be lost.
   */
  readonly overIssueMs: number;
}

/** What holds when a primary fails in the middle of waiting, holding and handing off. */
export function outagePromises(
  title: string,
  stageOf: () => Stage,
  fault: Fault,
  { overIssueMs }: Expectations,
): void {
  describe(title, () => {
    let outcome: Outcome;
    beforeAll(async () => {
      outcome = await play(stageOf(), fault);
    });

    it('serves everybody who waited, in the order of asking', () => {
      expect(outcome.served).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('hears the release that was called in the middle of it', () => {
      expect(outcome.handedOver).toBe(true);
    });

    it('leaves holders their permits', () => {
      expect(outcome.held).toEqual({ isHeld: true, aborted: false, released: true });
    });

    it('rejects what times out meanwhile, in time', () => {
      expect(outcome.timedOut.reason).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
      expect(outcome.timedOut.tookMs).toBeGreaterThanOrEqual(595);
      expect(outcome.timedOut.tookMs).toBeLessThan(1_500);
    });

    it('rejects nothing else', () => {
      const { single, several, elsewhere } = outcome;
      expect([single, several, elsewhere].flatMap((traffic) => traffic?.failures ?? [])).toEqual([]);
    });

    it(
      overIssueMs === 0
        ? 'grants no unit twice'
        : `grants no unit twice, but for the ${overIssueMs} ms after the failover in which a loss is not known yet`,
      () => {
        const { single, several, struckAtMs, replacedAtMs } = outcome;
        const endMs = overIssueMs === 0 ? struckAtMs : replacedAtMs + overIssueMs;
        const outside = [...single.overIssues, ...several.overIssues].filter(
          ({ atMs }) => atMs < struckAtMs || atMs > endMs,
        );
        expect(outside).toEqual([]);
      },
    );

    it('never draws a fencing token twice, and higher ones after it than before', () => {
      for (const { entries } of [outcome.single, outcome.several]) {
        expect(new Set(entries.map(({ token }) => token)).size).toBe(entries.length);
        const before = entries.filter(({ atMs }) => atMs < outcome.struckAtMs).map(({ token }) => token);
        const after = entries
          .filter(({ atMs }) => atMs > outcome.replacedAtMs + overIssueMs)
          .map(({ token }) => token);
        expect(Math.min(...after)).toBeGreaterThan(Math.max(...before));
      }
    });

    it('keeps tokens rising with every grant of a single unit', () => {
      const { single, struckAtMs } = outcome;
      const isClear = single.overIssues.length === 0;
      const tokens = single.entries
        .filter(({ atMs }) => isClear || atMs < struckAtMs)
        .map(({ token }) => token);
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    });

    it('is not noticed on other primaries', () => {
      const times = outcome.elsewhere?.entries.map(({ atMs }) => atMs) ?? [];
      const gaps = times.slice(1).map((atMs, i) => atMs - (times[i] as number));
      expect(Math.max(0, ...gaps)).toBeLessThan(presenceMs);
    });

    it('leaves nothing held, nobody in line, no listener, no connection and no stray error', () => {
      expect(outcome.left.map(({ held, waiting }) => ({ held, waiting }))).toEqual(
        outcome.left.map(() => ({ held: 0, waiting: 0 })),
      );
      expect(outcome.listeners.after).toEqual(outcome.listeners.before);
      expect(outcome.subscribersLeft).toBe(0);
      expect(outcome.strays).toEqual([]);
    });
  });
}
