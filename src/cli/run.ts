import type { Command } from 'commander';
import type { Permit, Semaphore, SemaphoreClient } from '../index.ts';
import { Child, codeOf } from './child.ts';
import { exitCodes } from './exit-codes.ts';
import { failureOf } from './failure.ts';
import { PlaceInLine } from './place-in-line.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { duration, integer } from './values.ts';

interface RunFlags extends RedisFlags {
  readonly limit: number;
  readonly weight: number;
  readonly timeout?: number;
  readonly lease: number;
  readonly grace: number;
  readonly label?: string;
  readonly onLimitMismatch: 'error' | 'adopt' | 'resize';
}

const help = `
The command sees PARKADE_NAME, PARKADE_PERMIT_ID and PARKADE_FENCING_TOKEN, a number that rises with every grant: hand it
to what you guard, and have it refuse lower ones. stdin, stdout and stderr are the command's alone, but for messages of
parkade itself on stderr. Signals are passed on.

If the permit is lost (Redis is away for longer than the lease, or it was revoked), the command gets SIGTERM, and SIGKILL
when the grace time is over. If parkade itself is killed, the permit comes back within the lease, and a command that runs
on is not stopped: that is what the fencing token is for.

Exit codes: the command's own, or 128 + the signal that ended it; or
  64  bad options                      75  no permit within --timeout
  69  Redis can't be reached           78  others declared another limit
  79  the permit was lost or revoked   126, 127  the command can't be run, is not there

Examples:
  parkade run nightly-report --limit 1 --timeout 0 -- ./report.sh
  parkade run encoder --limit 4 --weight 2 --lease 1m -- ffmpeg -i in.mov out.mp4
  find . -name '*.png' | xargs -P 32 -n 1 parkade run images --limit 8 -- optipng`;

export function runCommand(): Command {
  return redisCommand('run')
    .summary('run a command under a permit')
    .description('Waits for its turn, runs a command under a permit, and ends with its exit code.')
    .usage('<name> --limit <units> [options] -- <command> [args...]')
    .argument('<name>', 'the semaphore')
    .argument('<command...>', 'what to run, and its arguments, behind --')
    .requiredOption('--limit <units>', 'how many units the semaphore has, the same everywhere', integer(0))
    .option('--weight <units>', 'how many units to take', integer(1), 1)
    .option('--timeout <duration>', 'give up waiting after this; 0 is one attempt (default: wait)', duration)
    .option('--lease <duration>', 'when parkade dies, its permit comes back after this', duration, 30_000)
    .option('--grace <duration>', 'when the permit is lost, from SIGTERM to SIGKILL', duration, 10_000)
    .option('--label <text>', 'shown as the holder, in place of host:pid')
    .option(
      '--on-limit-mismatch <policy>',
      "when others declared another limit: 'error', 'adopt' or 'resize'",
      'error',
    )
    .addHelpText('after', help)
    .action((name: string, command: readonly string[], flags: RunFlags) =>
      withClient(flags, (client) => run(client, name, command, flags), {
        unavailableAfterMs: 10_000,
        retentionMs: 24 * 60 * 60 * 1000,
        ...(flags.label !== undefined && { label: flags.label }),
      }),
    );
}

async function run(
  client: SemaphoreClient,
  name: string,
  [command = '', ...args]: readonly string[],
  flags: RunFlags,
): Promise<void> {
  const { limit, lease: leaseMs, onLimitMismatch, grace: graceMs } = flags;
  const semaphore = client.semaphore(name, { limit, leaseMs, onLimitMismatch });
  const permit = await waitFor(semaphore, client.id, flags);
  if (typeof permit === 'number') {
    process.exitCode = permit;
    return;
  }
  const child = new Child(command, args, {
    PARKADE_NAME: name,
    PARKADE_PERMIT_ID: permit.id,
    PARKADE_FENCING_TOKEN: String(permit.fencingToken),
  });
  const lose = () => child.end(graceMs);
  permit.signal.addEventListener('abort', lose, { once: true });
  let code: number;
  try {
    code = await child.ended;
  } finally {
    permit.signal.removeEventListener('abort', lose);
    await permit[Symbol.asyncDispose]();
  }
  if (permit.signal.aborted) {
    const { message } = failureOf(permit.signal.reason);
    process.stderr.write(`parkade: ${message} ${command} was told to end, and ended with ${code}.\n`);
    code = exitCodes.lost;
  }
  process.exitCode = code;
}

/** Waits in line. A signal ends that, with its exit code. */
async function waitFor(
  semaphore: Semaphore,
  clientId: string,
  { weight, timeout: timeoutMs }: RunFlags,
): Promise<Permit | number> {
  const interrupt = new AbortController();
  let code = 0;
  const stop = (signal: NodeJS.Signals) => {
    code = codeOf(signal);
    interrupt.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, stop);
  const place = new PlaceInLine(semaphore, clientId);
  try {
    const options = { weight, signal: interrupt.signal, ...(timeoutMs !== undefined && { timeoutMs }) };
    return await semaphore.acquire(options);
  } catch (error) {
    if (code !== 0) {
      return code;
    }
    throw error;
  } finally {
    place.close();
    for (const signal of signals) process.off(signal, stop);
  }
}
