import { defineConfig } from 'vitest/config';

/** Fleets of servers and storms of faults: minutes of both cores. `npm run test:faults` runs them, and only them. */
const faults = ['test/chaos/**/*.test.ts', 'test/cluster/**/*.test.ts', 'test/sentinel/**/*.test.ts'];
const only = process.env['PARKADE_TESTS'] === 'faults';

export default defineConfig({
  test: {
    include: only ? faults : ['test/**/*.test.ts'],
    exclude: only ? [] : faults,
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two, so that a machine with two cores is busy and tests still pass.
    maxWorkers: 2,
  },
});
