import type { Command } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';

interface RevokeFlags extends RedisFlags {
  readonly json?: boolean;
}

const help = `
The next in line are served at once. The holder is told at its next check-in at the latest (a third of its presenceMs, 3.3 s
unless set otherwise): its signal aborts. No renewal brings the permit back. Ends with 1 if nobody has it.

Example:
  parkade inspect payments-api
  parkade revoke payments-api web-3:71:Kx3fJd81aW/17/1/10000`;

export function revokeCommand(): Command {
  return redisCommand('revoke')
    .summary('take a permit from its holder')
    .description('Takes a permit from its holder, or a waiter out of the line.')
    .argument('<name>', 'the semaphore')
    .argument('<permit>', 'as inspect lists it, of a holder or a waiter')
    .option('--json', 'one JSON object')
    .addHelpText('after', help)
    .action((name: string, permit: string, flags: RevokeFlags) =>
      withClient(flags, async (client) => {
        const revoked = await client.revoke(name, permit);
        if (flags.json) {
          console.log(JSON.stringify({ name, permit, revoked }));
        } else if (revoked) {
          console.log(`${name}: revoked ${permit}`);
        }
        if (!revoked) {
          throw new Failure(`nobody holds ${permit} of '${name}', or waits for it`, exitCodes.notFound);
        }
      }),
    );
}
