import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContenderName } from '../../bench/contenders/names.ts';
import { countInversions, type Turn } from '../../bench/inversions.ts';
import { readable } from '../../bench/report/numbers.ts';
import { plotsOf } from '../../bench/report/plots/all.ts';
import { draw, type Plot } from '../../bench/report/plots/draw.ts';
import { type Row, rowsOf } from '../../bench/report/rows.ts';
import { tableOf } from '../../bench/report/table.ts';
import type { Outcome } from '../../bench/run-scenario.ts';
import type { Scenario } from '../../bench/scenario.ts';
import { jainIndex, median, quantile } from '../../bench/statistics.ts';

describe('statistics', () => {
  test('the median of an even number of values is between the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test('quantiles lie between the nearest values, and the ends are the least and the most', () => {
    expect(quantile([10, 20, 30], 0.25)).toBe(15);
    expect(quantile([10, 20, 30], 1)).toBe(30);
    expect(quantile([10, 20, 30], 0)).toBe(10);
  });

  test("Jain's index is 1 for equal shares and 1/n if one has everything", () => {
    expect(jainIndex([7, 7, 7])).toBe(1);
    expect(jainIndex([9, 0, 0])).toBeCloseTo(1 / 3);
  });
});

describe('inversions', () => {
  const turns = (...pairs: [askedAtMs: number, order: number][]): Turn[] =>
    pairs.map(([askedAtMs, order]) => ({ askedAtMs, sentByMs: askedAtMs, order }));

  test('there are none where all were granted in the order of asking', () => {
    expect(countInversions(turns([1, 1], [2, 2], [3, 3]), 0)).toBe(0);
  });

  test('one who was overtaken by two counts twice', () => {
    expect(countInversions(turns([1, 3], [10, 1], [20, 2]), 2)).toBe(2);
  });

  test('whoever asked hardly later may have been ahead on the way', () => {
    expect(countInversions(turns([1, 2], [2.5, 1]), 2)).toBe(0);
    expect(countInversions(turns([1, 2], [3.5, 1]), 2)).toBe(1);
  });

  test('there is none where the first was still on its way out when the second asked', () => {
    const [first, second] = turns([1, 2], [10, 1]) as [Turn, Turn];
    expect(countInversions([first, second], 2)).toBe(1);
    expect(countInversions([{ ...first, sentByMs: 9 }, second], 2)).toBe(0);
  });

  test('are those that comparing all with all finds', () => {
    const turn = fc
      .record({ askedAtMs: fc.nat(50), delayMs: fc.nat(5), order: fc.nat(1000) })
      .map(({ askedAtMs, delayMs, order }) => ({ askedAtMs, sentByMs: askedAtMs + delayMs, order }));
    const lines = fc.uniqueArray(turn, { selector: ({ order }) => order, maxLength: 40 });
    fc.assert(
      fc.property(lines, fc.nat(5), (line, graceMs) => {
        const overtaken = line.flatMap((a) =>
          line.filter((b) => b.askedAtMs > a.sentByMs + graceMs && b.order < a.order),
        );
        expect(countInversions(line, graceMs)).toBe(overtaken.length);
      }),
    );
  });
});

describe('the table', () => {
  const scenario: Scenario = {
    name: 'trial',
    what: 'three rounds',
    contenders: ['SET NX + DEL', 'parkade'],
    leftOut: {},
    rounds: 3,
    figures: [
      { key: 'pairs', title: 'pairs', unit: '/s', reference: 'SET NX + DEL' },
      { key: 'p50', title: 'wait p50', unit: 'ms' },
      { key: 'p99', title: 'wait p99', unit: 'ms' },
    ],
    reaches: [
      { figure: 'pairs', against: { contender: 'SET NX + DEL', figure: 'pairs' }, atLeast: 2 },
      { figure: 'p50', atMost: 12 },
      { figure: 'p99', against: { contender: 'parkade', figure: 'p50' }, atMost: 1.15 },
    ],
    open: () => Promise.reject(new Error('never')),
  };
  const outcome: Outcome = {
    scenario: 'trial',
    what: '',
    leftOut: {},
    failed: {},
    samples: {
      'SET NX + DEL': [{ pairs: 100 }, { pairs: 200 }, { pairs: 1000 }],
      parkade: [
        { pairs: 300, p50: 10, p99: 20 },
        { pairs: 400, p50: 10, p99: 11 },
        { pairs: 1500, p50: 13, p99: 20 },
      ],
    },
  };
  const row = (key: string, contender: string) =>
    rowsOf(scenario, outcome).find((each) => each.key === key && each.contender === contender);

  test('has the median of the ratios of each round, not the ratio of the medians', () => {
    expect(row('pairs', 'parkade')).toMatchObject({
      median: 400,
      least: 300,
      most: 1500,
      ratio: { value: 2, to: 'SET NX + DEL' },
      reach: { text: '≥ 2 ×', met: true },
    });
  });

  test('judges a reach without a reference by the median itself', () => {
    expect(row('p50', 'parkade')?.reach).toEqual({ text: '≤ 12', met: true });
    expect(row('p50', 'parkade')?.ratio).toBeUndefined();
  });

  test('says so when a reach is not met', () => {
    expect(row('p99', 'parkade')).toMatchObject({
      ratio: { value: 20 / 13, to: 'wait p50' },
      reach: { met: false },
    });
    expect(tableOf(rowsOf(scenario, outcome))).toMatch(/\| +1\.54 × wait p50 \| ≤ 1\.15 × \| NO /);
  });

  test('has no row for a figure that a contender does not have, and no reach for peers', () => {
    expect(row('p50', 'SET NX + DEL')).toBeUndefined();
    expect(row('pairs', 'SET NX + DEL')?.reach).toBeUndefined();
  });

  test('has lines of one length', () => {
    const lines = tableOf(rowsOf(scenario, outcome)).split('\n');
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
  });

  test.each([
    [0, '0'],
    [0.99949, '0.999'],
    [12.345, '12.3'],
    [999.6, '1000'],
    [123_456, '123,000'],
    [Number.NaN, '–'],
  ])('shows %d as %s', (value, text) => {
    expect(readable(value)).toBe(text);
  });
});

describe('the plots', () => {
  test('have a name, follow the reader into the dark, and show what was measured', () => {
    const row = (scenario: string, key: string, contender: ContenderName, value: number): Row => ({
      ...{ scenario, figure: key, key, unit: '', contender },
      ...{ median: value, least: value, most: value, ratio: undefined, reach: undefined },
    });
    const plots = plotsOf([
      row('seq', 'pairs', 'parkade', 4321),
      row('seq', 'pairs', 'redlock', 1234),
      row('deep', 'cost-1000', 'parkade', 22),
      row('deep', 'cost-100000', 'parkade', 24),
    ]);
    const throughput = draw(plots['throughput'] as Plot);
    expect(throughput).toMatch(/^<svg [^>]*aria-label="Throughput"><title>Throughput<\/title>/);
    expect(throughput).toContain('prefers-color-scheme: dark');
    for (const text of ['4,320', '1,230', 'parkade', 'redlock', 'pairs a second']) {
      expect(throughput).toContain(text);
    }
    for (const text of ['waiters in line at the start', 'parkade']) {
      expect(draw(plots['depth'] as Plot)).toContain(text);
    }
  });
});
