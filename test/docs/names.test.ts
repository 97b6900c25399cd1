import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { filesOf, pages, read, root, snippetsOf } from './pages.ts';

/** What has `find` in the pages but is not there, with the page. */
function missing(find: RegExp, isThere: (name: string) => boolean): string[] {
  const found = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(find)].map(([, name = '']) => ({ page, name })),
  );
  expect(found.length).toBeGreaterThan(5);
  return found.filter(({ name }) => !isThere(name)).map(({ page, name }) => `${page}: ${name}`);
}

it('every npm script that a page names exists', () => {
  expect(missing(/\bnpm run (?:--silent )?([\w:-]+)/g, (name) => name in packageJson.scripts)).toEqual([]);
});

it('every file and folder of the project that a page names in backticks exists', () => {
  const files = filesOf('', '');
  const isThere = (name: string) =>
    name.includes('NAME') ||
    existsSync(join(root, name)) ||
    files.some((file) => file.startsWith(`${name}.`) || file.startsWith(`${name}-`));
  const inBackticks = /`((?:src|lua|test|support|scripts|bench|examples|docs|deploy)\/[\w./-]+)`/g;
  expect(missing(inBackticks, isThere)).toEqual([]);
});

it('every environment variable of ours that a page names is read somewhere', () => {
  const sources = ['src/', 'support/', 'test/', 'vitest'].flatMap((start) => filesOf(start, '.ts')).map(read);
  expect(missing(/\b(PARKADE_[A-Z_]+)\b/g, (name) => sources.some((text) => text.includes(name)))).toEqual(
    [],
  );
});

it('every option that a shell block gives to an npm script is known to that script', () => {
  const lines = snippetsOf('sh').flatMap(({ code }) => code.split('\n'));
  const used = lines.flatMap((line) => {
    const [, script = '', rest = ''] = /npm run ([\w:-]+) -- ([^#]*)/.exec(line) ?? [];
    return [...rest.matchAll(/--([a-z-]+)/g)].map(([, option = '']) => ({ script, option }));
  });
  expect(used.length).toBeGreaterThan(5);
  const unknown = used.filter(({ script, option }) => {
    const command: string = packageJson.scripts[script as keyof typeof packageJson.scripts];
    const [, entry = ''] =
      /(?:^|&& )(?:\w+=\w+ )*tsx (\S+)/.exec(command.split('&&').at(-1)?.trim() ?? '') ?? [];
    const folder = entry.slice(0, entry.lastIndexOf('/') + 1);
    const sources = [entry, ...(folder === 'scripts/' ? [] : filesOf(folder, '.ts'))].map(read);
    const imported = sources.flatMap((text) => [...text.matchAll(/from '\.\.\/((?:test|support)\/[^']+)'/g)]);
    const all = [...sources, ...imported.map(([, file = '']) => read(file))];
    return !all.some((text) => text.includes(option));
  });
  expect(unknown).toEqual([]);
});

const sources = () =>
  [...filesOf('src/', '.ts'), ...filesOf('lua/', '.lua'), ...filesOf('test/interleavings/', '.ts')]
    .map(read)
    .join('\n');

it('every metric, channel and time that a page names is one of ours', () => {
  const source = sources();
  const words = new Set(source.match(/\w+/g));
  const unknown = [
    ...missing(/`(parkade[.:_][a-z_.:-]+[a-z])`/g, (name) => source.includes(name.replace(/^parkade_/, ''))),
    ...missing(/`([a-z]\w*Ms)\b/g, (name) => words.has(name)),
  ];
  expect(unknown).toEqual([]);
});

it('every error that a page of our own names is one of ours', () => {
  const source = sources();
  const isOthers = (page: string) => /comparison|from-|README/.test(page);
  const named = [...pages]
    .filter(([page]) => !isOthers(page))
    .flatMap(([page, text]) => [...text.matchAll(/`(\w+Error)\b/g)].map(([, name = '']) => ({ page, name })));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ name }) => !source.includes(`class ${name} `))).toEqual([]);
});

it('the alerts of docs/operations.md are those that the package has', () => {
  const rules = [...read('deploy/prometheus/parkade.rules.yml').matchAll(/alert: (\w+)/g)].map(
    ([, name]) => name,
  );
  const shown = [...read('docs/operations.md').matchAll(/^\| `(Parkade\w+)`/gm)].map(([, name]) => name);
  expect(rules.length).toBeGreaterThan(5);
  expect(shown.sort()).toEqual(rules.sort());
});

it('the exit codes of docs/operations.md are those of the command', () => {
  const [, table = ''] = /^\| exit code(.*?)\n\n/ms.exec(read('docs/operations.md')) ?? [];
  const shown = [...table.matchAll(/^\| (\d.*?)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/\d+/g)].map(Number),
  );
  const known = [...read('src/cli/exit-codes.ts').matchAll(/: (\d+),/g)].map(([, code]) => Number(code));
  expect(known.length).toBeGreaterThan(5);
  expect(shown).toEqual(expect.arrayContaining(known));
});
