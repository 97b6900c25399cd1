import { fileURLToPath } from 'node:url';
import { x } from 'tinyexec';
import { expect, it } from 'vitest';
import { nodeArgs } from '../../support/redis/watched.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

/** Runs the program where `@opentelemetry/api` cannot be found. */
async function run(program: string) {
  const hook = `export const resolve = (specifier, context, next) => {
    if (specifier === '@opentelemetry/api') throw new Error('Cannot find package @opentelemetry/api');
    return next(specifier, context);
  };`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});`;
  const args = [...nodeArgs, '--import', `data:text/javascript,${encodeURIComponent(register)}`];
  return x(process.execPath, [...args, '--input-type=module', '-e', program], { throwOnError: false });
}

const source = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));

it('parkade works without @opentelemetry/api; only its own entry point needs that, and says so', async () => {
  const works = await run(`
    const { SemaphoreClient } = await import(${source('index.ts')});
    const client = new SemaphoreClient('${redisUrl()}', { prefix: '${uniquePrefix()}' });
    console.log(await client.semaphore('api', { limit: 1 }).run(() => 'ran'));
    await client.close();
  `);
  expect(works).toMatchObject({ exitCode: 0, stdout: 'ran\n', stderr: '' });
  const fails = await run(`await import(${source('metrics/otel.ts')});`);
  expect(fails.exitCode).not.toBe(0);
  expect(fails.stderr).toContain('Cannot find package @opentelemetry/api');
});
