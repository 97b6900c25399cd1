import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mutants } from '../mutants/list.ts';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/guarantees.md'), 'utf8');
const section = text.slice(
  text.indexOf('## What has broken others'),
  text.indexOf("## As asyncio's semaphore"),
);
const rows = section.split('\n').filter((line) => /^\| *\d* *\|/.test(line));

/** Whether a title stands in the source as a whole string. */
function isTitleIn(source: string, title: string): boolean {
  const escaped = title.replaceAll("'", "\\'");
  return ["'", '"', '`'].some(
    (quote) => source.includes(`${quote}${title}${quote}`) || source.includes(`${quote}${escaped}${quote}`),
  );
}

it('each of the thirty failures has a row in docs/guarantees.md, in order', () => {
  const numbers = rows.map((row) => row.split('|')[1]?.trim()).filter((cell) => cell !== '');
  expect(numbers).toEqual(Array.from({ length: 30 }, (_, i) => `${i + 1}`));
});

it('each test that docs/guarantees.md names for them exists, by file and title', () => {
  const missing = rows.flatMap((row) => {
    const cell = row.split('|')[3] ?? '';
    const [, file = '', titles = ''] = /`([^`]+)`: (.*)/.exec(cell) ?? [];
    const source = readFileSync(join(root, file), 'utf8');
    const named = [...titles.matchAll(/(?:^|· )_(.+?)_(?= ·|\s*$)/g)].map(([, title = '']) => title);
    return named.length === 0
      ? [`no test in: ${row}`]
      : named.filter((title) => !isTitleIn(source, title)).map((title) => `${file}: ${title}`);
  });
  expect(missing).toEqual([]);
});

it('each test that docs/guarantees.md names for a promise exists, with the titles that are quoted', () => {
  const promises = text.slice(0, text.indexOf('\nAfter a loss of data')).split('\n');
  const cells = promises.filter((line) => /^\| \d+ /.test(line)).map((line) => line.split('|')[3] ?? '');
  expect(cells.length).toBeGreaterThan(10);
  const missing = cells.flatMap((cell) => {
    const paths = [...cell.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
    const files = paths.map((path) => [`${path}.test.ts`, path].find((one) => existsSync(join(root, one))));
    const source = files
      .filter((file) => file?.endsWith('.ts'))
      .map((file) => readFileSync(join(root, file as string), 'utf8'))
      .join('\n');
    // A title may be quoted with … in place of what is left out.
    const quoted = [...cell.matchAll(/(?<!\w)_(.+?)_(?!\w)/g)].flatMap(([, title = '']) =>
      title.split(/ ?… ?/),
    );
    return [
      ...paths.filter((_, i) => files[i] === undefined),
      ...quoted.filter((part) => !source.includes(part)),
    ];
  });
  expect(missing).toEqual([]);
});

it('each way to break a promise, named in docs/guarantees.md, is a mutant of that name', () => {
  const names = new Set(mutants.map(({ name }) => name));
  const promises = text.slice(0, text.indexOf('\nAfter a loss of data')).split('\n');
  const cpython = text.slice(text.indexOf("## As asyncio's semaphore")).split('\n');
  const named = [
    ...promises.filter((line) => /^\| \d+ /.test(line)).map((line) => line.split('|').at(-2) ?? ''),
    ...cpython
      .filter((line) => /^\| (test_|LockTests)/.test(line))
      .map((line) => line.split('|').at(-2) ?? ''),
    (/Broken as: (.*?)\.\n/s.exec(text)?.[1] ?? '').replace(/\s+/g, ' '),
  ].flatMap((cell) => cell.split('·').map((name) => name.trim()));
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});
