import { describe, expect, it } from 'vitest';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Format, type Library, output, programOf } from './programs.ts';
import { copyOf, type Links, type Project } from './project.ts';

const environment = () => ({ REDIS_URL: redisUrl(), PREFIX: uniquePrefix() });

const libraries: [what: string, library: Library, links: Links][] = [
  ['ioredis 6', 'ioredis', { ioredis: 'ioredis' }],
  ['ioredis 5', 'ioredis', { ioredis: 'ioredis-5' }],
  ['node-redis 6', 'redis', { redis: 'redis' }],
];
const formats: [what: string, format: Format, file: string][] = [
  ['imports', 'esm', 'main.mjs'],
  ['requires', 'cjs', 'main.cjs'],
];

/** What programs do with the installed package. */
export function programs(installed: () => Project): void {
  describe.each(libraries)('beside %s alone', (_what, library, links) => {
    it('it takes turns by a url and by a borrowed connection, imported and required', async () => {
      const project = await copyOf(installed(), links);
      await project.copy('takes-turns.cjs');
      for (const [, format, file] of formats) {
        await project.write(file, programOf(format, library));
        const ended = await project.node(file, environment());
        expect(ended).toEqual({ exitCode: 0, stdout: output, stderr: '' });
      }
    });
  });

  describe('with nothing else installed', () => {
    it.each(formats)(
      'a program that %s it loads nothing besides, opens nothing, and ends',
      async (...row) => {
        const [, format, file] = row;
        const project = await copyOf(installed());
        const load = format === 'esm' ? `await import('parkade')` : `require('parkade')`;
        await project.write(
          file,
          `async function main() {
          const before = process.getActiveResourcesInfo().sort();
          const { SemaphoreClient } = ${load};
          const { writeSync } = require('node:fs');
          writeSync(1, JSON.stringify({ before, after: process.getActiveResourcesInfo().sort(), is: typeof SemaphoreClient }));
        }
        ${format === 'esm' ? `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` : ''}
        main();`,
        );
        const { exitCode, stdout, stderr } = await project.node(file);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        const { before, after, is } = JSON.parse(stdout);
        expect(is).toBe('function');
        expect(after).toEqual(before);
      },
    );

    it('a url is refused at the first call, with the names of what to install, and the program ends', async () => {
      const project = await copyOf(installed());
      await project.write(
        'main.cjs',
        `const { SemaphoreClient } = require('parkade');
        const client = new SemaphoreClient('redis://localhost:1');
        client.semaphore('api', { limit: 1 }).acquire().catch((error) => console.log(error.code, error.message));`,
      );
      const { exitCode, stdout, stderr } = await project.node('main.cjs');
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^INVALID_OPTIONS .*install ioredis \(5 or 6\) or redis \(6\)/);
    });
  });

  it('beside node-redis alone, the url of a Sentinel group or a Cluster is refused at the first call, and nothing is left', async () => {
    const project = await copyOf(installed(), { redis: 'redis' });
    await project.write(
      'main.cjs',
      `const { SemaphoreClient } = require('parkade');
      async function main() {
        for (const url of ['redis-sentinel://localhost:1/main', 'redis-cluster://localhost:1']) {
          const client = new SemaphoreClient(url);
          await client.semaphore('api', { limit: 1 }).acquire().catch((error) => console.log(error.code, error.message));
          await client.close();
        }
      }
      main();`,
    );
    const { exitCode, stdout, stderr } = await project.node('main.cjs');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^INVALID_OPTIONS .*Sentinel group.*install ioredis\.\nINVALID_OPTIONS .*Cluster.*install ioredis\.\n$/,
    );
  });

  describe('the command', () => {
    it('runs a program under a permit, from where npm puts it', async () => {
      const project = await copyOf(installed(), { ioredis: 'ioredis' });
      const args = ['run', 'nightly', '--limit', '1', '--', process.execPath, '-e', 'console.log("ran")'];
      const { REDIS_URL, PREFIX } = environment();
      const ended = await project.run('node_modules/.bin/parkade', args, {
        REDIS_URL,
        PARKADE_PREFIX: PREFIX,
      });
      expect(ended).toEqual({ exitCode: 0, stdout: 'ran\n', stderr: '' });
    });

    it('says in one line what to install when there is nothing that opens connections', async () => {
      const project = await copyOf(installed());
      const { exitCode, stderr } = await project.run('node_modules/.bin/parkade', ['list']);
      expect(exitCode).toBe(64);
      expect(stderr).toMatch(/^parkade: .*install ioredis \(5 or 6\) or redis \(6\).*\n$/);
    });
  });

  it('parkade/otel hears what happens, also where one of the two came by import and the other by require', async () => {
    const project = await copyOf(installed(), {
      ioredis: 'ioredis',
      '@opentelemetry/api': '@opentelemetry/api',
      '@opentelemetry/sdk-metrics': '@opentelemetry/sdk-metrics',
    });
    await project.copy('measured.mjs');
    await project.copy('takes-turns.cjs');
    const { exitCode, stdout, stderr } = await project.node('measured.mjs', environment());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe('import import 3\nimport require 3\nrequire import 3\nrequire require 3\n');
  });
}
