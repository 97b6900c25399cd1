/** Every relative link and anchor in Markdown leads somewhere. Links to elsewhere are counted, not fetched; `--list` shows them. */
import { readFileSync } from 'node:fs';
import { x } from 'tinyexec';

const { stdout: tracked } = await x('git', [
  'ls-files',
  '--cached',
  '--others',
  '--exclude-standard',
  '*.md',
]);
const pages = tracked.trim().split('\n');

const validate = 'remark-validate-links=repository:false';
const args = ['--frail', '--quiet', '--no-stdout', '--use', validate, ...pages];
const { exitCode, stderr } = await x('remark', args, { throwOnError: false });
process.exitCode = exitCode ?? 1;
process.stderr.write(stderr);

const elsewhere = new Map<string, string>();
for (const page of pages) {
  for (const [, url = ''] of readFileSync(page, 'utf8').matchAll(/\]\((https?:[^)\s]+)\)/g))
    elsewhere.set(url, page);
}
if (process.argv.includes('--list')) {
  for (const [url, page] of elsewhere) console.log(`${page}: ${url}`);
}
console.log(`${pages.length} pages, ${elsewhere.size} links to elsewhere not fetched`);
