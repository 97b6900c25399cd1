import { writeFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';
import { inCommand, inLibrary, inPage } from './support/dependencies/bundled.ts';
import { noticesOf } from './support/dependencies/notices.ts';

// Readable, with its comments and without source maps: whoever looks into node_modules finds the code itself.
export default defineConfig([
  {
    entry: { index: 'src/index.ts', otel: 'src/metrics/otel.ts' },
    format: ['esm', 'cjs'],
    dts: true,
    platform: 'node',
    target: 'node20',
    deps: { alwaysBundle: [/^(nanoid|zod)(\/|$)/], onlyBundle: inLibrary },
    clean: true,
    onSuccess: () => writeFileSync('dist/THIRD-PARTY-LICENCES.md', noticesOf([...inCommand, ...inPage])),
  },
  {
    // The command, in files of its own: only what opens connections is left to be found when it runs.
    entry: { main: 'src/cli/main.ts' },
    outDir: 'dist/cli',
    format: 'esm',
    dts: false,
    platform: 'node',
    target: 'node20',
    deps: { alwaysBundle: [/^(?!ioredis$|redis$)/], onlyBundle: inCommand },
    clean: true,
  },
]);
