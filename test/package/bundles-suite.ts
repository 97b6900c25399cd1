import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Library, output, programOf } from './programs.ts';
import { copyOf, Project } from './project.ts';

/** Makes `out/imports.js` and `out/requires.js` of the two entries, with everything in them. Resolves to its complaints. */
type Bundle = (project: Project) => Promise<string[]>;

const entries = { imports: 'main.mjs', requires: 'main.cjs' };

const byEsbuild: Bundle = async (project) => {
  const { warnings } = await build({
    entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: project.path(entry), out })),
    outdir: project.path('out'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  return warnings.map(({ location, text }) => `${text} in ${location?.file}`);
};

const byWebpack: Bundle = (project) =>
  new Promise((resolve, reject) => {
    const compiler = webpack({
      mode: 'production',
      optimization: { minimize: false }, // which takes longer than all the rest
      target: 'node20',
      entry: Object.fromEntries(Object.entries(entries).map(([out, entry]) => [out, project.path(entry)])),
      output: { path: project.path('out') },
    });
    compiler.run((error, stats) => {
      compiler.close(() => {});
      if (error || stats === undefined) return reject(error);
      const { errors = [], warnings = [] } = stats.toJson({ all: false, errors: true, warnings: true });
      if (errors.length > 0) return reject(new Error(errors[0]?.message));
      resolve(warnings.map(({ message }) => message));
    });
  });

const bundlers: [name: string, bundle: Bundle, library: Library, other: Library][] = [
  ['esbuild', byEsbuild, 'ioredis', 'redis'],
  ['esbuild', byEsbuild, 'redis', 'ioredis'],
  ['webpack', byWebpack, 'ioredis', 'redis'],
  ['webpack', byWebpack, 'redis', 'ioredis'],
];

/** What becomes of the package in a bundle. */
export function bundles(installed: () => Project): void {
  describe.each(bundlers)('made by %s', (_name, bundle, library, other) => {
    it(`works from one file with ${library}, by url too, and leaves ${other} out, which is not installed`, async () => {
      const project = await copyOf(installed(), { [library]: library });
      await project.copy('takes-turns.cjs');
      await project.write(entries.imports, programOf('esm', library));
      await project.write(entries.requires, programOf('cjs', library));
      const complaints = (await bundle(project)).filter((text) => text.includes('node_modules/parkade/'));
      expect(complaints.filter((text) => !text.includes(`'${other}'`))).toEqual([]);

      const elsewhere = new Project(`${project.folder}-out`);
      for (const name of Object.keys(entries)) {
        await elsewhere.write(`${name}.cjs`, await readFile(project.path(`out/${name}.js`), 'utf8'));
        const ended = await elsewhere.node(`${name}.cjs`, { REDIS_URL: redisUrl(), PREFIX: uniquePrefix() });
        expect(ended).toEqual({ exitCode: 0, stdout: output, stderr: '' });
      }
    });
  });
}
