import { describe } from 'vitest';
import { serverProgram } from '../../support/redis/fleet.ts';

/** Why no group of servers can be started here; undefined where one can. */
const whyNot = await serverProgram().then(
  () => undefined,
  (error: Error) => error.message,
);

/** As `describe`, but skipped, and saying why, where there is no redis-server to start several times. */
export function describeFleet(title: string, tests: () => void): void {
  if (whyNot === undefined) {
    describe(title, tests);
  } else {
    describe.skip(`${title} (skipped: ${whyNot})`, tests);
  }
}
