import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { type Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { SemaphoreClient } from '../index.ts';
import { dashboardApp } from './dashboard/app.ts';
import { Gate } from './dashboard/gate.ts';
import { Poller } from './dashboard/poller.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { listen, toldToEnd, urlOf } from './listen.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { duration, integer, port } from './values.ts';
import { Watch } from './watch.ts';

interface DashboardFlags extends RedisFlags {
  readonly port: number;
  readonly host: string;
  readonly allowHost: readonly string[];
  readonly allowChanges: boolean;
  readonly token?: string;
  readonly interval: number;
  readonly idleInterval: number;
  readonly history: number;
  readonly maxSemaphores: number;
}

const shortestToken = 16;
/** For telling browsers that this is the end. */
const longestGoodbyeMs = 500;

const help = `
All that is seen is read: nothing is written to Redis unless --allow-changes is given, and then only by what somebody
confirms in the page. One look after the other serves all browsers, each by a script that only reads for every semaphore.
Looks go on more rarely while no browser is open, so that whoever opens one sees the last 15 minutes; --idle-interval 0
saves that.

On loopback and without --allow-changes whoever can reach the port may look. Otherwise a token is needed: it is part of the
url that is printed, a new one each time, or yours in PARKADE_DASHBOARD_TOKEN. There is no TLS: put a proxy in front where
others can listen, and name its host by --allow-host.

Runs until SIGTERM or SIGINT; ends with 69 when it can't listen there.

Examples:
  parkade dashboard
  parkade dashboard 'jobs:*' --allow-changes
  parkade dashboard --host 0.0.0.0 --allow-host parkade.internal.example`;

export function dashboardCommand(): Command {
  return redisCommand('dashboard')
    .summary('all semaphores live, in a browser')
    .description('Serves a page that shows all semaphores live: use, lines, and who holds and who waits.')
    .argument('[pattern]', "only names that fit, as in Redis: 'jobs:*'", '*')
    .option('--port <port>', 'where to listen; 0 is any that is free', port, 7275)
    .option('--host <address>', 'on which address; other than loopback needs a token', '127.0.0.1')
    .option('--allow-host <names...>', 'further names by which browsers may reach it', [])
    .option('--allow-changes', 'let the page resize semaphores and revoke permits; needs a token', false)
    .addOption(
      new Option(
        '--token <token>',
        'what browsers have to show (default: a new one, where one is needed)',
      ).env('PARKADE_DASHBOARD_TOKEN'),
    )
    .option('--interval <duration>', 'from look to look', duration, 1_000)
    .option('--idle-interval <duration>', 'the same while no browser is open; 0 is never', duration, 10_000)
    .option('--history <duration>', 'how far back plots go', duration, 15 * 60_000)
    .option('--max-semaphores <count>', 'leave out those that are found later', integer(1), 1_000)
    .addHelpText('after', help)
    .action((pattern: string, flags: DashboardFlags) => {
      check(flags);
      return withClient(flags, (client) => serve(client, pattern, flags), {
        unavailableAfterMs: 3_000,
        attemptTimeoutMs: 2_000,
      });
    });
}

function check({ token, interval: intervalMs, history: historyMs }: DashboardFlags): void {
  if (intervalMs < 100) {
    throw new Failure(`--interval is ${intervalMs} ms, allowed are 100 ms and more`, exitCodes.usage);
  }
  if (historyMs < 60_000) {
    throw new Failure(`--history is ${historyMs} ms, allowed is a minute and more`, exitCodes.usage);
  }
  if (token !== undefined && token.length < shortestToken) {
    throw new Failure(
      `the token has ${token.length} characters, allowed are ${shortestToken} and more`,
      exitCodes.usage,
    );
  }
}

async function serve(client: SemaphoreClient, pattern: string, flags: DashboardFlags): Promise<void> {
  const {
    host,
    allowChanges,
    interval: intervalMs,
    idleInterval: idleIntervalMs,
    history: historyMs,
  } = flags;
  const needsToken = allowChanges || !isLoopback(host);
  const token = flags.token ?? (needsToken ? randomBytes(24).toString('base64url') : undefined);
  const watch = new Watch(client, pattern, flags.maxSemaphores);
  const poller = new Poller(client, watch, { intervalMs, idleIntervalMs, historyMs });
  const end = new AbortController();
  const say = (text: string) => void process.stderr.write(`parkade: ${text}\n`);
  const { app, ended } = dashboardApp({
    client,
    poller,
    gate: new Gate({ token, hosts: [host, ...flags.allowHost].map((name) => name.toLowerCase()) }),
    about: {
      version: packageJson.version,
      redis: withoutSecrets(flags.redis),
      prefix: flags.prefix,
      pattern,
      intervalMs,
      historyMs,
      mayChange: allowChanges,
    },
    end: end.signal,
    changed: say,
    bug: (error) => say(`a bug, please report it: ${error instanceof Error ? error.stack : error}`),
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, host, flags.port);
  say(`dashboard at ${reachableUrlOf(server)}/${token ? `#token=${encodeURIComponent(token)}` : ''}`);
  const looking = poller.run(end.signal);
  await toldToEnd();
  end.abort();
  server.close();
  const told = new AbortController();
  const tooLong = sleep(longestGoodbyeMs, undefined, told).catch(() => {});
  await Promise.race([ended(), tooLong]);
  told.abort();
  setImmediate(() => server.closeAllConnections()); // after what was told has left
  await looking;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** An address that others can use, where it listens on all of them. */
function reachableUrlOf(server: Server): string {
  const url = urlOf(server);
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])/, `//${outer?.address ?? 'localhost'}`);
}

/** Where Redis is, without user and password, wherever in the url they stand. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/.*@/s, '//').replace(/[?#].*$/s, '');
}
