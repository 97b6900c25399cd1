import { describe, expect, it } from 'vitest';
import { runExample } from '../support/examples.ts';

describe('an API client with retries', () => {
  it('holds no permit while it backs off, comes back when the API said, and makes an aborted request again', async () => {
    const lines = await runExample('api-client/main.ts');
    const [first, then] = lines.slice(0, 2).map((line) => line.split(': ')[1]?.split(' ').sort());
    expect(first).toEqual(['10', '4', '5', '6', '8', '9']);
    expect(then).toEqual(['1', '2', '3']);
    expect(Number(/Then, ([\d.]+) s later/.exec(lines[1] ?? '')?.[1])).toBeGreaterThanOrEqual(1);
    expect(lines.slice(2)).toEqual([
      'Pages: 10, at most 3 requests at once',
      'Aborted when its permit was taken away, and made again: 7',
    ]);
  }, 90_000);
});

describe('a memory budget', () => {
  it('is never exceeded by the workers that share it, and refuses at once what never fits', async () => {
    const lines = await runExample('memory-budget.ts');
    const [, jobs, atOnce] = /^(\d+) jobs of 3 processes, at most (\d+) at once$/.exec(lines[1] ?? '') ?? [];
    expect(Number(jobs)).toBe(10);
    expect(Number(atOnce)).toBeGreaterThanOrEqual(2);
    const peakMib = Number(/^They used at most (\d+) of 64 MiB at once$/.exec(lines[2] ?? '')?.[1]);
    expect(peakMib).toBeGreaterThanOrEqual(48); // the biggest job
    expect(peakMib).toBeLessThanOrEqual(64);
    expect(lines[0]).toMatch(/^Refused at once: Weight 80 can never fit into/);
  }, 90_000);
});

describe('a nightly job', () => {
  it('is done once, by the pod whose turn it is; the late write of a paused one is refused by the database', async () => {
    const lines = await runExample('nightly-job/main.ts');
    const writer = /^Written by (pod-[23])$/.exec(lines.at(-1) ?? '')?.[1];
    const other = writer === 'pod-2' ? 'pod-3' : 'pod-2';
    expect(lines.slice(0, -3)).toEqual([
      'pod-1 has the permit',
      'pod-1 is paused',
      `${writer} has the permit`,
      `${writer} writes: accepted`,
      `${other} has the permit`,
      `${other}: tonight's total is there already`,
      'pod-1 goes on',
    ]);
    const [, late, newest] =
      /^pod-1 writes: refused, token (\d+) comes after (\d+)$/.exec(lines.at(-3) ?? '') ?? [];
    expect(Number(late)).toBeLessThan(Number(newest));
    expect(lines.at(-2)).toBe('pod-1 has lost its permit');
  }, 90_000);
});
