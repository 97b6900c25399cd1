import type { Command } from 'commander';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';

interface ListFlags extends RedisFlags {
  readonly json?: boolean;
}

export function listCommand(): Command {
  return redisCommand('list')
    .description('List all semaphores.')
    .argument('[pattern]', "only names that fit, as in Redis: 'jobs:*'", '*')
    .option('--json', 'one JSON object a line')
    .action((pattern: string, flags: ListFlags) =>
      withClient(flags, async (client) => {
        for await (const name of client.list({ match: pattern })) {
          const { holders: _, waiters: __, ...numbers } = await client.inspect(name, { pageSize: 1 });
          console.log(flags.json ? JSON.stringify(numbers) : name);
        }
      }),
    );
}
