import type { Command } from 'commander';
import type { InspectOptions, SemaphoreClient, SemaphoreSnapshot } from '../index.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { table } from './table.ts';
import { integer, showMs } from './values.ts';

interface InspectFlags extends RedisFlags {
  readonly json?: boolean;
  readonly page: number;
  readonly pageSize: number;
}

export function inspectCommand(): Command {
  return redisCommand('inspect')
    .summary('who holds and who waits')
    .description('Shows who holds a semaphore and who waits for it, without joining in.')
    .argument('<name>', 'the semaphore')
    .option('--page-size <count>', 'how many holders and waiters to list', integer(1), 100)
    .option('--page <number>', 'which page of them, from 0', integer(0), 0)
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      '\nEnds with 1 if nobody has used that semaphore.\n\nExample:\n  parkade inspect payments-api',
    )
    .action((name: string, { json, page, pageSize, ...flags }: InspectFlags) =>
      withClient(flags, async (client) => {
        const snapshot = await inspectExisting(client, name, flags, { page, pageSize });
        console.log(json ? JSON.stringify(snapshot) : describe(snapshot));
      }),
    );
}

function describe({ name, limit, held, waiting, holding, holders, waiters }: SemaphoreSnapshot): string {
  const lines = [`${name}: ${held} of ${limit} units held by ${holding} permits, ${waiting} waiting`];
  if (holders.length > 0) {
    lines.push(
      '',
      ...table(
        ['HOLDER', 'UNITS', 'LEASE ENDS IN', 'PERMIT'],
        holders.map((holder) => [holder.client, holder.weight, showMs(holder.expiresInMs), holder.id]),
      ),
    );
  }
  if (waiters.length > 0) {
    lines.push(
      '',
      ...table(
        ['WAITER', 'UNITS', 'PLACE', 'WAITS FOR', 'PERMIT'],
        waiters.map((waiter) => [
          waiter.client,
          waiter.weight,
          waiter.position + 1,
          showMs(waiter.waitingMs),
          waiter.id,
        ]),
      ),
    );
  }
  return lines.join('\n');
}

/** A snapshot, or a failure if there is no such semaphore. */
export async function inspectExisting(
  client: SemaphoreClient,
  name: string,
  { prefix }: RedisFlags,
  options: InspectOptions = {},
): Promise<SemaphoreSnapshot> {
  const snapshot = await client.inspect(name, options);
  if (!snapshot.exists) {
    throw new Failure(`no semaphore '${name}' under the prefix '${prefix}'`, exitCodes.notFound);
  }
  return snapshot;
}
