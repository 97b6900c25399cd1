import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { SemaphoreClient, type SemaphoreClientOptions } from '../index.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** The options that say which Redis, and which semaphores there. */
export interface RedisFlags {
  readonly redis: string;
  readonly prefix: string;
  readonly tlsCa?: string;
}

/** A command that talks to Redis. */
export function redisCommand(name: string): Command {
  return new Command(name)
    .addOption(
      new Option('--redis <url>', 'which Redis; keep a password out of the process list by REDIS_URL')
        .env('REDIS_URL')
        .default('redis://localhost:6379'),
    )
    .addOption(
      new Option('--tls-ca <file>', 'certificates (PEM) to trust, where the url begins with rediss').env(
        'REDIS_TLS_CA',
      ),
    )
    .addOption(
      new Option('--prefix <prefix>', 'first part of every key, as the clients have it')
        .env('PARKADE_PREFIX')
        .default('parkade'),
    );
}

/** A client for these options, which the caller closes. Its background errors are left aside: calls reject. */
export function openClient(flags: RedisFlags, options: SemaphoreClientOptions = {}): SemaphoreClient {
  const client = new SemaphoreClient(flags.redis, {
    prefix: flags.prefix,
    ...(flags.tlsCa !== undefined && { tls: { ca: readCertificates(flags.tlsCa) } }),
    unavailableAfterMs: 5_000,
    retentionMs: 1_000, // whoever only looks has no say in how long others' keys stay
    ...options,
  });
  client.on('error', () => {});
  return client;
}

function readCertificates(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(`--tls-ca: ${(error as Error).message}`, exitCodes.usage);
  }
}

/** Opens a client, uses it, and closes it whatever happens. */
export async function withClient<R>(
  flags: RedisFlags,
  use: (client: SemaphoreClient) => Promise<R>,
  options?: SemaphoreClientOptions,
): Promise<R> {
  const client = openClient(flags, options);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
