import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutants } from './list.ts';
import { readSuite } from './mutant.ts';

const root = new URL('../../', import.meta.url);

test('each way to break the implementation refers to text that stands exactly once in its file', () => {
  const stale = mutants.filter(
    ({ file, from }) => readFileSync(new URL(file, root), 'utf8').split(from).length !== 2,
  );
  expect(stale.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});

test('each has a name of its own, and a result of its own', () => {
  const results = mutants.map(({ file, from, to }) =>
    readFileSync(new URL(file, root), 'utf8').replace(from, () => to),
  );
  const repeated = mutants.filter(
    ({ name }, i) =>
      results.indexOf(results[i] as string) !== i || mutants.findIndex((other) => other.name === name) !== i,
  );
  expect(repeated.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});

test('each is to be noticed by a suite that exists', () => {
  const suites = [...new Set(mutants.flatMap(({ caughtBy }) => caughtBy))];
  const missing = suites.filter((suite) => {
    const { path } = readSuite(suite);
    return !['.test.ts', '/'].some((ending) => existsSync(new URL(path + ending, root)));
  });
  expect(missing).toEqual([]);
  expect(mutants.filter(({ caughtBy }) => caughtBy.length === 0)).toEqual([]);
});
