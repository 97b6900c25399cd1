import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Fleets of servers and storms of faults: minutes of both cores. `npm run test:faults` runs them, and only them. */
const faults = ['test/chaos/long-storms.test.ts', 'test/cluster/**/*.test.ts', 'test/sentinel/**/*.test.ts'];
const only = process.env['PARKADE_TESTS'] === 'faults';
/** What runs in containers besides, with `npm run test:containers`; needs Docker and images. */
const pods = ['test/containers/**/*.test.ts'];
const inContainers = process.env['PARKADE_TESTS'] === 'containers';

/** Where the tests of the client run, of `test/support/kinds.ts`; by default a share of them on several servers, too. */
const on = process.env['PARKADE_ON'];
/** What is about no server in particular is left out there. */
const elsewhere = {
  include: ['test/client/**/*.test.ts', 'test/conformance/**/*.test.ts'],
  exclude: ['connections', 'old-server', 'options'].map((name) => `test/client/${name}.test.ts`),
};
const share = ['acquire', 'release', 'wake-ups'].map((name) => `test/client/${name}.test.ts`);

interface Files {
  readonly include: string[];
  readonly exclude?: string[];
}

const projects = (): Record<string, Files> => {
  const everything: Files = only
    ? { include: faults }
    : { include: ['test/**/*.test.ts'], exclude: [...faults, ...pods] };
  if (on !== undefined && on !== 'standalone') return { [on]: elsewhere };
  if (inContainers) {
    const folders = ['lua', 'client', 'conformance', 'model', 'processes'];
    return { standalone: { include: [...pods, ...folders.map((name) => `test/${name}/**/*.test.ts`)] } };
  }
  const standalone = { standalone: everything };
  return only || on
    ? standalone
    : { ...standalone, cluster: { include: share }, sentinel: { include: share } };
};

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
    projects: Object.entries(projects()).map(([name, files]) => ({
      extends: true,
      test: {
        name,
        ...files,
        globalSetup: ['test/global-setup.ts'],
        setupFiles: ['test/support/skip-missing.ts'],
      },
    })),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two, so that a machine with two cores is busy and tests still pass.
    maxWorkers: 2,
  },
});
