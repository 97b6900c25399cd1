import type { Command } from 'commander';
import { inspectExisting } from './inspect.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { integer } from './values.ts';

interface ResizeFlags extends RedisFlags {
  readonly json?: boolean;
}

const help = `
More units serve the next in line at once; fewer take nothing away: the semaphore drains. Handles that declare the old
limit are not disturbed. Ends with 1 if nobody has used that semaphore.

Example:
  parkade resize payments-api 5`;

export function resizeCommand(): Command {
  return redisCommand('resize')
    .summary('set the limit, for everyone and at once')
    .description('Sets the limit of a semaphore, for everyone and at once.')
    .argument('<name>', 'the semaphore')
    .argument('<limit>', 'how many units it has from now on', integer(0))
    .option('--json', 'one JSON object')
    .addHelpText('after', help)
    .action((name: string, limit: number, flags: ResizeFlags) =>
      withClient(flags, async (client) => {
        const before = await inspectExisting(client, name, flags, { pageSize: 1 });
        await client.semaphore(name, { limit }).resize(limit);
        const what = { name, limit, limitBefore: before.limit };
        console.log(flags.json ? JSON.stringify(what) : `${name}: limit ${before.limit} → ${limit}`);
      }),
    );
}
