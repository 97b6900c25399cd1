import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serverProgram } from '../../support/redis/fleet.ts';
import { judge } from './checker.ts';
import { allFaultKinds } from './fault-kinds.ts';
import { shortfalls } from './floors.ts';
import { readHistory } from './history.ts';
import { runChaos } from './run-chaos.ts';
import { targetKinds } from './target.ts';

const seed = 7;

/** Why no group of servers can be started here; undefined where one can. */
const whyNot = await serverProgram().then(
  () => undefined,
  (error: Error) => error.message,
);

describe.each(targetKinds)('half a minute of all the faults that there are on a %s', (on) => {
  const title = 'breaks no promise outside the documented windows';
  const isHere = on === 'standalone' || whyNot === undefined;
  test.skipIf(!isHere)(isHere ? title : `${title} (skipped: ${whyNot})`, { timeout: 180_000 }, async () => {
    const folder = resolve(import.meta.dirname, `../../.cache/chaos/test-${on}`);
    await runChaos({
      on,
      seed,
      durationMs: 30_000,
      workers: 6,
      kinds: allFaultKinds,
      gapMs: { worker: 500, server: 1_500 },
      folder,
      note: (line) => console.log(line),
    });
    const { verdicts, figures } = judge(readHistory(folder));
    expect(
      verdicts.flatMap(({ promise, violations }) => violations.map(({ what }) => `${promise}: ${what}`)),
    ).toEqual([]);
    expect(figures.notes).toEqual([]);
    expect(shortfalls(figures)).toEqual([]);
  });
});
