import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeArgs } from '../../support/redis/watched.ts';
import { openClient, openProxy } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a script with `client` and `api` at hand, and waits until it ends by itself. */
function run(script: string, { url = redisUrl(), prefix = uniquePrefix(), options = '' } = {}) {
  const code = `
    const { SemaphoreClient } = await import('./src/index.ts');
    const client = new SemaphoreClient('${url}', { prefix: '${prefix}', presenceMs: 1500, ${options} });
    const api = client.semaphore('api', { limit: 1 });
    ${script}`;
  const child = spawn(process.execPath, [...nodeArgs, '--input-type=module', '--eval', code], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([out, errors, [exitCode]]) => ({ out: out.trim(), errors: errors.trim(), exitCode: exitCode as number }),
  );
  return { ended, prefix };
}

const clean = (out: string) => ({ out, errors: '', exitCode: 0 });

describe('a script ends by itself, without close,', () => {
  it('when it is done: nothing asked, something held, something waited for', async () => {
    const scripts = [
      run(`console.log('made')`),
      run(`await api.acquire(); console.log('held')`),
      run(`await api.run(() => console.log('ran'))`),
      run(`
        const first = await api.acquire();
        const second = api.acquire();
        while ((await api.inspect()).waiting === 0);
        await first.release();
        await second;
        console.log('waited')`),
    ];
    const ends = await Promise.all(scripts.map(({ ended }) => ended));
    expect(ends).toEqual(['made', 'held', 'ran', 'waited'].map(clean));
  });

  it('when Redis is away, and after close', async () => {
    const proxy = await openProxy();
    proxy.refuse();
    const scripts = [
      run(`console.log('made')`, { url: proxy.url }),
      run(`await client.close(); console.log('closed')`, {
        url: proxy.url,
        options: 'attemptTimeoutMs: 300',
      }),
      run(`await client.close(); console.log('closed')`),
      run(`await client.close(); await api.acquire().catch((error) => console.log(error.code))`),
      run(`api.acquire().catch((error) => console.log(error.code))`, {
        url: proxy.url,
        options: 'unavailableAfterMs: 300',
      }),
    ];
    const ends = await Promise.all(scripts.map(({ ended }) => ended));
    expect(ends).toEqual(['made', 'closed', 'closed', 'CLIENT_CLOSED', 'REDIS_UNAVAILABLE'].map(clean));
  });
});

it('a script that awaits its turn does not end before it', async () => {
  const prefix = uniquePrefix();
  const client = openClient({ prefix });
  const held = await client.semaphore('api', { limit: 1 }).acquire();
  const { ended } = run(`console.log((await api.acquire()).isHeld)`, { prefix });
  await until('it waits', async () => (await client.inspect('api')).waiting === 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await held.release();
  expect(await ended).toEqual(clean('true'));
});

it('an error with nobody to hear of it crashes no process: Redis away while holding and waiting', async () => {
  const prefix = uniquePrefix();
  const proxy = await openProxy();
  const { ended } = run(
    `
    const { signal } = await api.acquire({ leaseMs: 2500 });
    await api.acquire({ signal }).catch((error) => console.log(error.code))`,
    { prefix, url: proxy.url, options: 'attemptTimeoutMs: 200' },
  );
  const client = openClient({ prefix });
  await until('it holds and waits', async () => {
    const { held, waiting } = await client.inspect('api');
    return held === 1 && waiting === 1;
  });
  proxy.goAway();
  expect(await ended).toEqual(clean('PERMIT_LOST'));
});
