import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Semaphore as Peer } from 'redis-semaphore';
import { type Semaphore, SemaphoreClient } from '../src/index.ts';
import { serverProgram } from '../support/redis/fleet.ts';
import { nextQueued } from './next-queued.ts';

/*
 * How many instructions the server executes for an acquire and release, its reading and writing included, as callgrind
 * counts them. Unlike times, that is the same on a busy machine; what the kernel does is not in it.
 */

const help = `npm run instructions

Counts the instructions of redis-server for an acquire + release. Needs valgrind on the PATH, Linux, and a redis-server or
valkey-server that runs here (not in Docker). Takes a minute.`;

if (process.argv.includes('--help')) {
  console.log(help);
} else {
  await main();
}

async function main(): Promise<void> {
  const { command, args, env, from } = await serverProgram();
  console.log(`redis-server ${from}, under callgrind`);
  const folder = mkdtempSync(join(tmpdir(), 'parkade-instructions-'));
  const path = join(folder, 'redis.sock');
  const options = ['--tool=callgrind', `--callgrind-out-file=${join(folder, 'out')}`];
  const settings = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder];
  const server = spawn('valgrind', [...options, command, ...args, ...settings], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const gone = new Promise<never>((_resolve, reject) => {
    server.once('error', (error) => reject(new Error(`valgrind does not run: ${error.message}`)));
    server.once('exit', (code) => reject(new Error(`valgrind has ended with ${code}`)));
  });
  gone.catch(() => {});
  process.once('exit', () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await Promise.race([gone, countAll(path, measureOf(server.pid as number, folder))]);
  process.exit();
}

/** Resolves how many instructions the server executes for one of the pairs of a task. */
type Measure = (task: (i: number) => Promise<unknown>, pairs?: number) => Promise<number>;

/** Runs a task to warm up, and then so often that it can be counted. */
function measureOf(pid: number, folder: string): Measure {
  const control = (what: '--zero' | '--dump') =>
    execFileSync('callgrind_control', [what, `${pid}`], { stdio: 'ignore' });
  return async (task, pairs = 1) => {
    const times = Math.max(10, 400 / pairs);
    for (let i = 0; i < times / 4; i++) await task(i);
    control('--zero');
    for (let i = 0; i < times; i++) await task(1_000 + i);
    control('--dump');
    let sum = 0;
    for (const file of readdirSync(folder).filter((name) => name.startsWith('out.'))) {
      const text = readFileSync(join(folder, file), 'utf8');
      sum += Number(/^(?:summary|totals): (\d+)/m.exec(text)?.[1] ?? 0);
      rmSync(join(folder, file));
    }
    return sum / times / pairs;
  };
}

function say(what: string, instructions: number): void {
  console.log(`${what.padEnd(54)}${Math.round(instructions).toLocaleString('en').padStart(10)}`);
}

async function countAll(path: string, measure: Measure): Promise<void> {
  const count = async (what: string, ...task: Parameters<Measure>) => say(what, await measure(...task));
  const redis = new Redis(path, { retryStrategy: () => 200, maxRetriesPerRequest: null });
  redis.on('error', () => {}); // it takes a while to start
  const sha = (await redis.script('LOAD', 'return 1')) as string;
  const client = new SemaphoreClient(redis);
  const [free, held] = ['free', 'held'].map((name) => client.semaphore(name, { limit: 1_000 }));
  const pair = async (semaphore = free) => (await semaphore?.acquire())?.release();

  await count('SET NX + DEL', async (i) => {
    await redis.set('lock', i, 'PX', 30_000, 'NX');
    await redis.del('lock');
  });
  await count('two scripts that do nothing, one key', async () => {
    await redis.evalsha(sha, 1, 'lock');
    await redis.evalsha(sha, 1, 'lock');
  });
  await count('two that are told what ours are', async (i) => {
    const keys = ['permits', 'waiters', 'clients', 'state', 'absent'].map((key) => `parkade:{free}:${key}`);
    const caller = [client.id, 10_000, 'parkade', '"free"', 1e15 + i, 86_400_000, 1_000, 0].join('\n');
    const [number, record] = [`${1e15 + i}`, `${client.id}/${i}/1/10000`];
    await redis.evalsha(sha, 5, ...keys, number, caller, number, 1, 30_000, record);
    await redis.evalsha(sha, 5, ...keys, number, caller, number, 1, record);
  });
  await count('redis-semaphore, limit 1,000', async () => {
    const peer = new Peer(redis, 'peer', 1_000, { refreshInterval: 0 });
    await peer.acquire();
    await peer.release();
  });
  await count('parkade, nobody else holds', () => pair());
  await held?.acquire();
  await count('parkade, others hold', () => pair(held));
  const batch = (size: number) => () => Promise.all(Array.from({ length: size }, () => pair()));
  await count('parkade, 500 together, each', batch(500), 500);
  const other = new SemaphoreClient(new Redis(path));
  const [one, two] = [client, other].map((each) => each.semaphore('line', { limit: 1 }));
  await count(
    'parkade, in a line: 4 tasks of 2 clients, limit 1',
    () => inTurn([one, two, one, two], 40),
    40,
  );
  await countHandOffs(client, other, count);
  await countParts(redis, measure);
}

/** What the parts of a script cost: how much more than one that does nothing, and is told the same. */
async function countParts(redis: Redis, measure: Measure): Promise<void> {
  const linesPattern = (count: number) => `^${'([^\\n]*)\\n'.repeat(count)}`;
  const caller = [
    'host:12345:abcdefghij',
    10_000,
    'parkade',
    '"free"',
    1e15,
    86_400_000,
    1_000,
    'settled 1 30000 -1 1',
  ];
  const keys = ['permits', 'waiters', 'clients', 'state', 'absent'].map((key) => `parkade:{parts}:${key}`);
  const args = [
    '1000000000000000',
    caller.join('\n'),
    JSON.stringify([...caller, [1, 30_000, -1, 1]]),
    `${caller[0]}/123/1/10000`,
  ];
  const cost = async (text: string) => {
    const sha = (await redis.script('LOAD', `${text}\nreturn 1`)) as string;
    return measure(() => redis.evalsha(sha, keys.length, ...keys, ...args));
  };
  const nothing = await cost('');
  const none = (await redis.script('LOAD', 'return 1')) as string;
  const untold = await measure(() => redis.evalsha(none, 0));
  console.log('\nWhat parts of a script cost:');
  say('a key or an argument, looked at or not', (nothing - untold) / (keys.length + args.length));
  const parts: [what: string, text: string][] = [
    ["redis.call('EXISTS', key)", "redis.call('EXISTS', KEYS[1])"],
    ['a number given to a command, instead of a text', ''],
    ["string.format('%.0f', number)", "local _ = string.format('%.0f', 1795628321893522)"],
    ["string.format('%d', number)", "local _ = string.format('%d', 1795628321893522)"],
    ['the caller told as JSON, read', 'local _ = cjson.decode(ARGV[3])'],
    ['the caller told as lines, read', `local _ = string.match(ARGV[2], '${linesPattern(7)}')`],
    ['the first four of these lines', `local _ = string.match(ARGV[2], '${linesPattern(4)}')`],
    ['a record read', "local _ = string.match(ARGV[4], '^(.*)/%d+/(%d+)/(%d+)(!?)$')"],
    [
      '14 numbers packed',
      "local _ = struct.pack('<dddddddddddBBB', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 1, 1)",
    ],
    ['a function made', 'local function f() return KEYS end'],
    ['a table of 33 fields', `local _ = { ${Array.from({ length: 33 }, (_, i) => `field${i} = ${i}`)} }`],
  ];
  const exists = (score: string) => `redis.call('ZADD', KEYS[1], ${score}, ARGV[4])`;
  for (const [what, text] of parts) {
    const more =
      text === ''
        ? (await cost(exists('1795628321893522'))) - (await cost(exists("'1795628321893522'")))
        : (await cost(text)) - nothing;
    say(what, more);
  }
}

/** A task on each semaphore, which asks again and again, until there were so many pairs. */
async function inTurn(semaphores: readonly (Semaphore | undefined)[], pairs: number): Promise<void> {
  let left = pairs;
  const task = async (semaphore: Semaphore | undefined) => {
    while (left-- > 0) await (await semaphore?.acquire())?.release();
  };
  await Promise.all(semaphores.map(task));
}

/** Limit 1, and two clients in turn: each release serves the other's waiter. */
async function countHandOffs(
  a: SemaphoreClient,
  b: SemaphoreClient,
  count: (what: string, ...task: Parameters<Measure>) => Promise<void>,
): Promise<void> {
  const semaphores = [a, b].map((one) => one.semaphore('handed', { limit: 1 }));
  let permit = await semaphores[1]?.acquire();
  await count('parkade, the only one to wait, another releases', async (i) => {
    const queued = nextQueued();
    const next = semaphores[i % 2]?.acquire();
    await queued;
    await permit?.release();
    permit = await next;
  });
}
