import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutants } from './list.ts';

test('each way to break the implementation refers to text that stands exactly once in its file', () => {
  const root = new URL('../../', import.meta.url);
  const stale = mutants.filter(
    ({ file, from }) => readFileSync(new URL(file, root), 'utf8').split(from).length !== 2,
  );
  expect(stale.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});
