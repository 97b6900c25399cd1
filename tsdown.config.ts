import { defineConfig } from 'tsdown';

export default defineConfig([
  {
    entry: { index: 'src/index.ts', otel: 'src/metrics/otel.ts' },
    format: ['esm', 'cjs'],
    dts: true,
    platform: 'node',
    target: 'node20',
    // nanoid is published as ESM only: bundled, so that `require('parkade')` works on every Node 20.
    deps: { alwaysBundle: ['nanoid'], onlyBundle: ['nanoid'] },
    clean: true,
  },
  {
    // The command, in files of its own. What only it needs is bundled, so that whoever uses the library alone does not
    // install it; what the library needs anyway is not.
    entry: { main: 'src/cli/main.ts' },
    outDir: 'dist/cli',
    format: 'esm',
    dts: false,
    platform: 'node',
    target: 'node20',
    deps: {
      alwaysBundle: [/^(?!ioredis$|redis$|zod$)/],
      onlyBundle: [
        '@opentelemetry/api',
        'bintrees',
        'commander',
        'nanoid',
        'picocolors',
        'prom-client',
        'tdigest',
      ],
    },
    clean: true,
  },
]);
