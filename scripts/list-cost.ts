import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { SemaphoreClient } from '../src/index.ts';
import { startRedis } from '../support/redis/start-redis.ts';

// What finding all semaphores costs a Redis that has many other keys: as `parkade list`, `top` and the exporter do it, by
// SCAN in small steps; beside KEYS, which does it in one; and what a look at each of them costs. On a server of its own.

const help = `npm run list-cost [-- --semaphores 100000 --others 1000000 --step 1000]`;
const { values } = parseArgs({
  options: {
    semaphores: { type: 'string', default: '100000' },
    others: { type: 'string', default: '1000000' },
    step: { type: 'string', default: '1000' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(help);
  process.exit();
}
const [semaphores, others, stepSize] = [values.semaphores, values.others, values.step].map(Number) as [
  number,
  number,
  number,
];
if (![semaphores, others, stepSize].every((number) => Number.isSafeInteger(number) && number > 0)) {
  console.error(`Allowed are integers ≥ 1. ${help}`);
  process.exit(2);
}
const looks = Math.min(1_000, semaphores);

await using server = await startRedis({
  own: true,
  config: { save: '', 'slowlog-log-slower-than': '0', 'slowlog-max-len': '100000' },
});
console.log(server.description);
const redis = new Redis(server.url);
const client = new SemaphoreClient(server.url);

progress(`${others} other keys`);
const fill = "for i = ARGV[1], ARGV[2] do redis.call('SET', 'other:' .. i, i) end";
for (let i = 0; i < others; i += 10_000) {
  await redis.eval(fill, 0, i, Math.min(others, i + 10_000) - 1);
}
for (let i = 0; i < semaphores; i += 1_000) {
  progress(`${i} semaphores`);
  const names = Array.from({ length: Math.min(1_000, semaphores - i) }, (_, k) => `job:${i + k}`);
  await Promise.all(
    names.map(async (name) => (await client.semaphore(name, { limit: 3 }).acquire()).release()),
  );
}
progress('');

await redis.config('RESETSTAT');
await redis.slowlog('RESET');
const startMs = performance.now();
const found: string[] = [];
for await (const name of client.list({ stepSize })) found.push(name);
const seconds = (performance.now() - startMs) / 1000;
const scan = await costOf('scan');
console.log(
  `SCAN in steps of ${stepSize}: ${found.length} semaphores among ${await redis.dbsize()} keys in ${seconds.toFixed(1)} s, ` +
    `${scan.calls} commands, ${scan.ms.toFixed(0)} ms of the server in all, the longest ${scan.longestMs.toFixed(2)} ms`,
);

for (const name of found.slice(0, looks)) await client.inspect(name, { pageSize: 1 });
const look = await costOf('evalsha');
console.log(
  `a look at ${looks} of them: ${look.calls} commands, ${look.ms.toFixed(0)} ms of the server, the longest ${look.longestMs.toFixed(2)} ms`,
);

await redis.keys('parkade:{*}:state');
const keys = await costOf('keys');
console.log(`KEYS, for comparison: 1 command, ${keys.ms.toFixed(0)} ms`);

await client.close();
redis.disconnect();

async function costOf(command: string): Promise<{ calls: number; ms: number; longestMs: number }> {
  const stats = await redis.info('commandstats');
  const [, calls, us] = new RegExp(`cmdstat_${command}:calls=(\\d+),usec=(\\d+)`).exec(stats) ?? [];
  const log = (await redis.slowlog('GET', -1)) as [number, number, number, string[]][];
  const own = log.filter(([, , , [name]]) => name?.toLowerCase() === command);
  const longest = own.reduce((most, [, , tookUs]) => Math.max(most, tookUs), 0);
  return { calls: Number(calls), ms: Number(us) / 1000, longestMs: longest / 1000 };
}

function progress(what: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${what}`);
  }
}
