import { describe, expect, it } from 'vitest';
import { runExample } from '../support/examples.ts';

describe('two services with pools of their own', () => {
  it('never open more connections together than the database takes, and all queries are answered', async () => {
    const lines = await runExample('database-connections/main.ts');
    expect(lines.slice(0, 2).sort()).toEqual([
      'orders: 20 of 20 queries answered',
      'reports: 20 of 20 queries answered',
    ]);
    const [, opened] = /^Exit codes 0, 0; 40 queries over (\d+) connections$/.exec(lines[2] ?? '') ?? [];
    expect(Number(opened)).toBeGreaterThanOrEqual(14); // each is used for three queries at most
    expect(lines[3]).toMatch(/^At most [56] of 6 places taken at once, 0 connections refused$/);
  }, 90_000);
});

describe('two workers of a BullMQ queue', () => {
  it('run two jobs of a tenant at most, do not keep others waiting, and finish what they have when ended', async () => {
    const lines = await runExample('tenant-limit/main.ts');
    const [, before] =
      /^The small tenant is done when (\d+) of 12 jobs of the big one are$/.exec(lines[0] ?? '') ?? [];
    expect(Number(before)).toBeLessThanOrEqual(6);
    expect(lines[1]).toBe('A worker is ended: exit code 0');
    expect(lines[2]).toBe('Served: 14 jobs, 14 different ones');
    expect(lines[3]).toMatch(/^At most at once: 2 of the big tenant, [12] of the small one$/);
  }, 90_000);
});
