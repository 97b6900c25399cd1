import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Fleets of servers and storms of faults: minutes of both cores. `npm run test:faults` runs them, and only them. */
const faults = ['test/chaos/long-storms.test.ts', 'test/cluster/**/*.test.ts', 'test/sentinel/**/*.test.ts'];
const only = process.env['PARKADE_TESTS'] === 'faults';

/** `PARKADE_LIBRARY=redis`: to the library, ioredis is not installed. Tests look at Redis through it all the same. */
const withoutIoredis: Plugin = {
  name: 'without-ioredis',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === 'ioredis' && /\/src\/redis\//.test(importer ?? '') ? '\0missing-ioredis' : undefined,
  load: (id) =>
    id === '\0missing-ioredis'
      ? `throw Object.assign(new Error("Cannot find package 'ioredis'"), { code: 'ERR_MODULE_NOT_FOUND' })`
      : undefined,
};

export default defineConfig({
  plugins: process.env['PARKADE_LIBRARY'] === 'redis' ? [withoutIoredis] : [],
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
