import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Writes the dashboard's page, bundled, into the source tree, so that the command holds it as text: it is served without
// a network and without a file beside the program.
const folder = new URL('../src/cli/dashboard/page/', import.meta.url);
const target = fileURLToPath(new URL('../src/cli/dashboard/page.generated.ts', import.meta.url));
const uplotLicence = '/*! uPlot (c) Leon Sorokin, MIT licence, https://github.com/leeoniya/uPlot */';

const { outputFiles } = await build({
  entryPoints: ['main.ts', 'style.css'].map((file) => fileURLToPath(new URL(file, folder))),
  outdir: '/',
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  banner: { js: uplotLicence, css: uplotLicence },
  logLevel: 'error',
});
const bundled = (name: string) => outputFiles.find(({ path }) => path.endsWith(name))?.text ?? '';
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

const files = [
  { path: '/', type: 'text/html; charset=utf-8', text: read('index.html') },
  { path: '/page.js', type: 'text/javascript; charset=utf-8', text: bundled('main.js') },
  { path: '/page.css', type: 'text/css; charset=utf-8', text: bundled('style.css') },
  { path: '/icon.svg', type: 'image/svg+xml', text: read('icon.svg') },
].map((file) => ({
  ...file,
  etag: `"${createHash('sha256').update(file.text).digest('hex').slice(0, 16)}"`,
}));

// Whole or not at all, since several commands may do this at once.
const draft = `${target}.${process.pid}`;
writeFileSync(
  draft,
  `// Made from page/ by scripts/embed-page.ts.\nexport const pageFiles = ${JSON.stringify(files)};\n`,
);
renameSync(draft, target);
