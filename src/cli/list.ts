import type { Command } from 'commander';
import type { SemaphoreSnapshot } from '../index.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { table } from './table.ts';
import { showMs } from './values.ts';

interface ListFlags extends RedisFlags {
  readonly json?: boolean;
}

const help = `
Redis is asked in steps of 1,000 keys with pauses in between, on a Cluster all primaries, so a busy one is not kept from
its work; with many keys it takes a while.

Examples:
  parkade list
  parkade list 'jobs:*' --json | jq -r 'select(.waiting > 0).name'`;

export function listCommand(): Command {
  return redisCommand('list')
    .summary('all semaphores: limit, held, waiting')
    .description('Lists all semaphores: limit, units held, how many wait.')
    .argument('[pattern]', "only names that fit, as in Redis: 'jobs:*'", '*')
    .option('--json', 'one JSON object a line, as they are found')
    .addHelpText('after', help)
    .action((pattern: string, flags: ListFlags) =>
      withClient(flags, async (client) => {
        const found: SemaphoreSnapshot[] = [];
        for await (const name of client.list({ match: pattern })) {
          const snapshot = await client.inspect(name, { pageSize: 1 });
          if (!flags.json) {
            found.push(snapshot);
          } else {
            const { exists: _, holders: __, waiters: ___, ...numbers } = snapshot;
            console.log(JSON.stringify(numbers));
          }
        }
        if (!flags.json) {
          found.sort((a, b) => (a.name < b.name ? -1 : 1));
          const rows = found.map((it) => [
            it.name,
            it.limit,
            it.held,
            it.waiting,
            it.waiting > 0 ? showMs(it.oldestWaitMs) : '',
          ]);
          console.log(table(['SEMAPHORE', 'LIMIT', 'HELD', 'WAITING', 'LONGEST WAIT'], rows).join('\n'));
        }
      }),
    );
}
