/** What parkade adds to a bundle, with all that it needs but ioredis or node-redis: fails above the budget. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Kilobytes, minified and gzipped. A fifth of it is Lua, another zod. Raise it for a reason. */
const budgetKb = 42;

const { outputFiles } = await build({
  entryPoints: ['dist/index.mjs'],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  external: ['ioredis', 'redis'],
  write: false,
});
const [bundle] = outputFiles;
if (bundle === undefined) throw new Error('esbuild wrote nothing');
const kb = (bytes: number) => (bytes / 1000).toFixed(1);
const gzipped = gzipSync(bundle.contents).length;
console.log(
  `${kb(gzipped)} kB minified and gzipped (${kb(bundle.contents.length)} kB minified); the budget is ${budgetKb} kB.`,
);
process.exitCode = gzipped > budgetKb * 1000 ? 1 : 0;
