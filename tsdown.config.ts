import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'node',
  target: 'node20',
  // nanoid is published as ESM only: bundled, so that `require('parkade')` works on every Node 20.
  deps: { alwaysBundle: ['nanoid'], onlyBundle: ['nanoid'] },
  clean: true,
});
