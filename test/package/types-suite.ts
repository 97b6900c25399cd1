import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { repository } from './packed.ts';
import { copyOf, type Links, type Project } from './project.ts';

const tsc = join(repository, 'node_modules/typescript/bin/tsc');

/** What users set; no more modern than Node 20. */
const options = {
  target: 'ES2022',
  lib: ['ES2022', 'ESNext.Disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
};

type Resolution = [
  name: string,
  module: { module: string; moduleResolution: string },
  folders: Record<string, 'module' | 'commonjs'>,
  links: Links,
  connection: string,
];
const both = { imported: 'module', required: 'commonjs' } as const;
const resolutions: Resolution[] = [
  ['node16', { module: 'Node16', moduleResolution: 'Node16' }, both, { ioredis: 'ioredis' }, 'connection.ts'],
  [
    'nodenext',
    { module: 'NodeNext', moduleResolution: 'NodeNext' },
    both,
    { ioredis: 'ioredis-5' },
    'connection.ts',
  ],
  [
    'bundler',
    { module: 'Preserve', moduleResolution: 'Bundler' },
    { bundled: 'module' },
    { redis: 'redis' },
    'connection-redis.ts',
  ],
];

async function compile(project: Project, compilerOptions: object, files: readonly string[]) {
  await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  return project.run(process.execPath, [tsc, '-p', '.']);
}

/** What TypeScript makes of the declarations that are published. */
export function types(installed: () => Project): void {
  it.each(resolutions)('compiles under %s resolution, and runs', async (...row) => {
    const [, module, folders, links, connection] = row;
    const project = await copyOf(installed(), {
      '@types/node': '@types/node',
      '@opentelemetry/api': '@opentelemetry/api',
      ...links,
    });
    for (const [folder, type] of Object.entries(folders)) {
      await project.write(`${folder}/package.json`, JSON.stringify({ type }));
      await project.copy('typescript.ts', `${folder}/main.ts`);
      await project.copy(connection, `${folder}/connection.ts`);
    }
    const files = Object.keys(folders).map((folder) => `${folder}/main.ts`);
    const compiled = await compile(project, { ...options, ...module }, files);
    expect(compiled).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    for (const folder of Object.keys(folders)) {
      const ended = await project.node(`${folder}/main.js`, {
        REDIS_URL: redisUrl(),
        PREFIX: uniquePrefix(),
      });
      expect(ended).toEqual({ exitCode: 0, stdout: '1 undefined\n[ 2, 4 ] 0\n', stderr: '' });
    }
  });

  it('has the types that are promised, and refuses what is wrong, with nothing but Node beside it', async () => {
    const project = await copyOf(installed(), { '@types/node': '@types/node', 'expect-type': 'expect-type' });
    await project.copy('public-interface.ts', 'main.mts');
    const strictest = { module: 'NodeNext', noEmit: true, skipLibCheck: false };
    expect((await compile(project, { ...options, ...strictest }, ['main.mts'])).stdout).toBe('');
  });

  describe('declares', () => {
    const file = () => installed().path('node_modules/parkade/dist/index.d.mts');
    const source = () =>
      ts.createSourceFile('index.d.mts', readFileSync(file(), 'utf8'), ts.ScriptTarget.ES2022, true);

    it('nothing by the types of other packages, Node alone excepted', () => {
      const from = source()
        .statements.filter(ts.isImportDeclaration)
        .map((statement) => (statement.moduleSpecifier as ts.StringLiteral).text);
      expect(from.filter((name) => !name.startsWith('node:'))).toEqual([]);
    });

    it('any only where a library that it borrows has types of its own', () => {
      const found = new Set<string>();
      const look = (node: ts.Node, top: string): void => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) found.add(top);
        node.forEachChild((child) => look(child, top));
      };
      for (const statement of source().statements) {
        look(statement, 'name' in statement ? (statement.name as ts.Identifier).text : 'elsewhere');
      }
      expect([...found]).toEqual(['IoredisLike', 'NodeRedisLike']);
    });

    it('the same for both formats', () => {
      const linesOf = (name: string) =>
        readFileSync(installed().path(`node_modules/parkade/dist/${name}`), 'utf8')
          .split('\n')
          .sort();
      expect(linesOf('index.d.cts')).toEqual(linesOf('index.d.mts'));
      expect(linesOf('otel.d.cts')).toEqual(linesOf('otel.d.mts'));
    });

    it('only what can be imported, and the names of the channels', () => {
      const { statements } = source();
      const exported = statements
        .filter(ts.isExportDeclaration)
        .flatMap(({ exportClause }) =>
          exportClause !== undefined && ts.isNamedExports(exportClause)
            ? exportClause.elements.map((element) => element.name.text)
            : [],
        );
      const declared = statements.flatMap((statement) =>
        'name' in statement ? [(statement.name as ts.Identifier).text] : [],
      );
      expect(declared.filter((name) => !exported.includes(name))).toEqual(['FactName']);
    });
  });
}
