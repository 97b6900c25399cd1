import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { judge } from './checker.ts';
import { allFaultKinds } from './fault-kinds.ts';
import { readHistory } from './history.ts';
import { runChaos } from './run-chaos.ts';
import { drawSchedule } from './schedule.ts';

const seed = 4;
/** With less the run proves nothing. A machine that has nothing else to do makes several times as much. */
const floor = { operations: 200, grants: 80, faults: 15, snapshots: 40 };

test('a short storm of all faults breaks no promise outside the documented windows', {
  timeout: 120_000,
}, async () => {
  const folder = resolve(import.meta.dirname, '../../.cache/chaos/test');
  await runChaos({
    on: 'standalone',
    seed,
    durationMs: 8_000,
    workers: 5,
    kinds: allFaultKinds,
    gapMs: { worker: 350, server: 800 },
    folder,
    note: (line) => console.log(line),
  });
  const { verdicts, figures } = judge(readHistory(join(folder)));
  const faults = Object.values(figures.faults).reduce((sum, count) => sum + count, 0);
  const { operations, grants, snapshots } = figures;
  console.log(
    `${operations} operations, ${grants} grants, ${faults} faults, settled after ${figures.settledAfterMs} ms`,
  );
  expect(
    verdicts.flatMap(({ promise, violations }) => violations.map(({ what }) => `${promise}: ${what}`)),
  ).toEqual([]);
  expect(figures.notes).toEqual([]);
  expect(operations, 'too few operations for a verdict').toBeGreaterThan(floor.operations);
  expect(grants, 'too few grants for a verdict').toBeGreaterThan(floor.grants);
  expect(faults, 'too few faults for a verdict').toBeGreaterThan(floor.faults);
  expect(snapshots, 'too few snapshots for a verdict').toBeGreaterThan(floor.snapshots);
});

test('the faults are a function of the seed', () => {
  const plan = {
    seed,
    durationMs: 60_000,
    workers: 8,
    kinds: allFaultKinds,
    gapMs: { worker: 500, server: 2_500 },
    limit: 8,
  };
  expect(drawSchedule(plan)).toEqual(drawSchedule(plan));
  expect(drawSchedule({ ...plan, seed: seed + 1 })).not.toEqual(drawSchedule(plan));
  expect(new Set(drawSchedule({ ...plan, durationMs: 600_000 }).map(({ kind }) => kind)).size).toBe(
    allFaultKinds.length,
  );
});
