import type { Command } from 'commander';
import type { ParkadeError, SemaphoreClient } from '../index.ts';
import { SemaphoreNames } from './exporter/names.ts';
import { Scraper } from './exporter/scrape.ts';
import { serveMetrics } from './exporter/server.ts';
import { toldToEnd, urlOf } from './listen.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { duration, integer, port } from './values.ts';

interface ExporterFlags extends RedisFlags {
  readonly port: number;
  readonly host: string;
  readonly match: string;
  readonly maxSemaphores: number;
  readonly listEvery: number;
}

const help = `
Each scrape looks at every semaphore, by scripts that only read. Their names are looked for more rarely, see --list-every:
that walks past all keys of Redis in small steps. parkade_up is 0 while Redis can't be reached.

Serves /metrics, and /healthz, which says that the process lives. Runs until SIGTERM or SIGINT;
ends with 69 when it can't listen there.
It has no password: leave it on loopback, or have a --host that only your Prometheus reaches.

Examples:
  parkade exporter
  parkade exporter --host 0.0.0.0 --match 'jobs:*' --list-every 5m`;

export function exporterCommand(): Command {
  return redisCommand('exporter')
    .summary('serve numbers of all semaphores to Prometheus')
    .description('Serves the numbers of all semaphores of a Redis to Prometheus.')
    .option('--port <port>', 'where to listen; 0 is any that is free', port, 9464)
    .option('--host <address>', 'on which address', '127.0.0.1')
    .option('--match <pattern>', "only names that fit, as in Redis: 'jobs:*'", '*')
    .option('--max-semaphores <count>', 'leave out further ones, in the order of names', integer(1), 1_000)
    .option('--list-every <duration>', 'look for new names at most this often', duration, 60_000)
    .addHelpText('after', help)
    .action((flags: ExporterFlags) =>
      withClient(flags, (client) => serve(client, flags), {
        unavailableAfterMs: 3_000, // Prometheus gives a scrape ten seconds
        attemptTimeoutMs: 2_000,
      }),
    );
}

async function serve(client: SemaphoreClient, flags: ExporterFlags): Promise<void> {
  const names = new SemaphoreNames(() => client.list({ match: flags.match }), {
    freshForMs: flags.listEvery,
    firstWalkMs: 4_000,
  });
  const { maxSemaphores } = flags;
  const scraper = new Scraper(client, names, { maxSemaphores, availability: tellOnce() });
  const server = await serveMetrics(() => scraper.scrape(), flags.host, flags.port);
  process.stderr.write(`parkade: metrics at ${urlOf(server)}/metrics\n`);
  await toldToEnd();
  server.close();
  server.closeAllConnections();
}

/** Says on stderr that Redis went away or came back, once each. */
function tellOnce(): (failure: ParkadeError | undefined) => void {
  let away = false;
  return (failure) => {
    if (failure !== undefined && !away) {
      process.stderr.write(`parkade: ${failure.message.replace(/\s*\n\s*/g, ' ')}\n`);
    } else if (failure === undefined && away) {
      process.stderr.write('parkade: Redis answers again\n');
    }
    away = failure !== undefined;
  };
}
