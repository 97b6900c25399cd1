import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { format } from 'node:util';
import { expect, it, vi } from 'vitest';
import { openClient } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { complaintsAbout } from './compile.ts';
import { examplesInSource, filesOf, read, root, type Snippet, snippetsOf } from './pages.ts';

/** Those that are a whole file of an example are compiled there. */
const examples = new Set(filesOf('examples/', '.ts').map(read));
const snippets = [...snippetsOf('ts'), ...examplesInSource()].filter(({ code }) => !examples.has(code));

const wrong: Snippet = {
  page: 'docs/page.md',
  line: 7,
  code: '\nawait api.acquire({ timeout: 3_000 });\n',
  isRun: false,
};

it('every TypeScript block of the pages and docstrings compiles, and one that is wrong would not', {
  timeout: 120_000,
}, () => {
  expect(snippets.length).toBeGreaterThan(10);
  expect(complaintsAbout([wrong, ...snippets])).toEqual([
    expect.stringMatching(/^docs\/page\.md:8: .*'timeout' does not exist/),
  ]);
});

/** What the comments behind `console.log` say that it prints. */
const promised = (code: string) =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment);

/** Runs a snippet as a module, with `client` from the prelude, and returns what it printed. */
async function printedBy({ page, line, code }: Snippet): Promise<string[]> {
  const folder = join(root, '.cache/snippets');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(page)}.${line}.ts`);
  const runnable = code
    .replace("'parkade'", `'${join(root, 'src/index.ts')}'`)
    .replace("'redis://localhost:6379'", `'${redisUrl()}'`);
  writeFileSync(file, `${runnable}\nexport {};\n`);
  const printed: string[] = [];
  vi.stubGlobal('client', openClient({ prefix: uniquePrefix() }));
  const log = vi.spyOn(console, 'log').mockImplementation((...parts) => void printed.push(format(...parts)));
  try {
    await import(/* @vite-ignore */ file);
  } finally {
    log.mockRestore();
    vi.unstubAllGlobals();
  }
  return printed;
}

const run = snippets.filter(({ isRun }) => isRun);

it.runIf(run.length > 0).each(run)('$page:$line prints what its comments say', async (snippet) => {
  expect(promised(snippet.code)).not.toEqual([]);
  expect(await printedBy(snippet)).toEqual(promised(snippet.code));
});
