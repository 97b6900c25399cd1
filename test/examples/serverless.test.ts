import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runExample } from '../support/examples.ts';

const root = join(import.meta.dirname, '../..');

it('an instance uses one client, loses its permit while it is frozen, hears of it, and goes on; SIGTERM ends it', async () => {
  expect(await runExample('serverless/main.ts')).toEqual([
    '3 invocations, 1 client',
    "Next's route meanwhile: 503, Retry-After: 2",
    'Another instance, when the lease is over: served',
    'The frozen one, thawed: PERMIT_LOST',
    'Its next invocation: served',
    'Loaded again: the same client',
    'SIGTERM: exit codes 0, 0',
  ]);
}, 90_000);

it('the code in docs/guides/serverless.md is that of the example', () => {
  const guide = readFileSync(join(root, 'docs/guides/serverless.md'), 'utf8');
  const snippets = [...guide.matchAll(/```ts\n([^`]+)```/g)].map(([, code]) => code);
  const folder = join(root, 'examples/serverless');
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  expect(snippets).toHaveLength(3);
  for (const snippet of snippets) expect(files).toContain(snippet);
});
