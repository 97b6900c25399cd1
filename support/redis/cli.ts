/** `npm run redis`: a Redis for as long as it is needed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { type RedisServer, startRedis } from './start-redis.ts';

const help = `Finds or starts a Redis, without asking.

  npm run redis                       keeps it until Ctrl-C
  npm run redis -- COMMAND ARGS…      runs COMMAND with REDIS_URL set, then stops the server;
                                      ends with COMMAND's exit code

Tried in this order: REDIS_URL; redis-server or valkey-server on the PATH; Docker; on Debian and
Ubuntu the distribution's package, unpacked in .cache; Valkey compiled to WebAssembly.

  PARKADE_REDIS=url|path|docker|debian|wasm    forces one of them
  PARKADE_REDIS=trixie/valkey|sid/redis|…      the package of another release of Debian, unpacked in .cache
  REDIS_IMAGE=redis:8-alpine                   the image for Docker`;

const [command, ...args] = process.argv.slice(2);

if (command === '--help' || command === '-h') {
  console.log(help);
} else if (command?.startsWith('-')) {
  console.error(`Unknown option ${command}.\n\n${help}`);
  process.exitCode = 2;
} else {
  try {
    await using server = await startRedis();
    // On stderr, so that COMMAND's output can be used as if it ran alone.
    console.error(server.description);
    process.exitCode = command ? await run(command, args, server) : await untilEnded(server);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function untilEnded(server: RedisServer): Promise<number> {
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')]);
  const keepAlive = setInterval(() => {}, 60_000);
  console.log(`REDIS_URL=${server.url}`);
  console.error('Ctrl-C ends it.');
  await ended;
  clearInterval(keepAlive);
  return 0;
}

async function run(command: string, args: string[], server: RedisServer): Promise<number> {
  // PARKADE_REDIS has done its work; the command is to use this very server.
  const { PARKADE_REDIS: _, ...env } = process.env;
  const child = spawn(command, args, { stdio: 'inherit', env: { ...env, REDIS_URL: server.url } });
  // A Ctrl-C reaches the command too: it decides whether to end.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}
