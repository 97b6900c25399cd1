import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shown } from '../support/examples.ts';

const examples = join(import.meta.dirname, '../../examples');

it('examples/README.md has every example in its table', () => {
  const table = readFileSync(join(examples, 'README.md'), 'utf8').split('\n## ')[0] ?? '';
  const missing = readdirSync(examples).filter(
    (name) => name !== 'README.md' && !table.includes(`](${name}`),
  );
  expect(missing).toEqual([]);
});

it('each command that examples/README.md shows is run by a test, which compares what it prints', () => {
  const tests = readdirSync(import.meta.dirname).map((file) =>
    readFileSync(join(import.meta.dirname, file), 'utf8'),
  );
  const notRun = [...shown.keys()].filter(
    (command) => !tests.some((test) => test.includes(`runExample('${command}'`)),
  );
  expect(shown.size).toBeGreaterThan(7);
  expect(notRun).toEqual([]);
});
