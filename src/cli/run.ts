import { type Command, Option } from 'commander';
import type { Permit, Semaphore, SemaphoreClient } from '../index.ts';
import { Child, type Ended } from './child.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure, failureOf } from './failure.ts';
import { PlaceInLine } from './place-in-line.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { codeOf, stopSelf } from './signals.ts';
import { duration, integer } from './values.ts';

interface RunFlags extends RedisFlags {
  readonly limit: number;
  readonly weight: number;
  readonly timeout?: number;
  readonly lease: number;
  readonly grace: number;
  readonly label?: string;
  readonly quiet?: boolean;
  readonly onLimitMismatch: 'error' | 'adopt' | 'resize';
}

const help = `
The command sees PARKADE_NAME, PARKADE_PERMIT_ID and PARKADE_FENCING_TOKEN, a number that rises with every grant: hand it
to what you guard, and have it refuse lower ones. stdin, stdout and stderr are the command's alone, but for messages of
parkade itself on stderr. While it waits on a terminal, it shows its place in line there.

Signals are passed on; those that come to the whole process group, as Ctrl-C does, the command has already. Ctrl-Z stops both,
and a stopped job loses its permit when its lease ends. A signal while it waits ends that.

If the permit is lost (Redis is away for longer than the lease, or it was revoked), the command gets SIGTERM, and SIGKILL
when the grace time is over. The same if parkade itself is killed; its permit comes back within the lease. What the command
has started is its own affair: end a script with exec, or have it end its children.

Exit codes: the command's own, or 128 + the signal that ended it or its wait; or
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
    .option('-q, --quiet', 'do not show the place in line, on a terminal')
    .addOption(
      new Option('--on-limit-mismatch <policy>', 'when others declared another limit')
        .choices(['error', 'adopt', 'resize'])
        .default('error'),
    )
    .addHelpText('after', help)
    .action(async (name: string, command: readonly string[], flags: RunFlags) => {
      const ended = await withClient(flags, (client) => run(client, name, command, flags), {
        unavailableAfterMs: 10_000,
        retentionMs: 24 * 60 * 60 * 1000,
        ...(flags.label !== undefined && { label: flags.label }),
      });
      if (ended.signal === 'SIGINT') {
        process.kill(process.pid, 'SIGINT'); // a script that runs us ends as well then; after an exit with 130 it would go on
      }
      process.exitCode = ended.code ?? codeOf(ended.signal);
    });
}

/** Resolves to how the command ended, or to the signal that ended the wait. */
async function run(
  client: SemaphoreClient,
  name: string,
  [command = '', ...args]: readonly string[],
  flags: RunFlags,
): Promise<Ended> {
  const { limit, lease: leaseMs, onLimitMismatch, grace: graceMs } = flags;
  const semaphore = client.semaphore(name, { limit, leaseMs, onLimitMismatch });
  const permit = await waitFor(semaphore, client.id, flags);
  if (typeof permit === 'string') {
    return { code: null, signal: permit };
  }
  const env = {
    PARKADE_NAME: name,
    PARKADE_PERMIT_ID: permit.id,
    PARKADE_FENCING_TOKEN: String(permit.fencingToken),
  };
  const child = new Child(command, args, env, graceMs);
  const lose = () => child.end();
  permit.signal.addEventListener('abort', lose, { once: true });
  try {
    const ended = await child.ended;
    if (!permit.signal.aborted) {
      return ended;
    }
    const { message } = failureOf(permit.signal.reason);
    const code = ended.code ?? codeOf(ended.signal);
    throw new Failure(`${message} ${command} was told to end, and ended with ${code}.`, exitCodes.lost);
  } finally {
    permit.signal.removeEventListener('abort', lose);
    await permit[Symbol.asyncDispose]();
    child.close();
  }
}

/** Waits in line. A signal ends that. */
async function waitFor(
  semaphore: Semaphore,
  clientId: string,
  { weight, timeout: timeoutMs, quiet }: RunFlags,
): Promise<Permit | NodeJS.Signals> {
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const interruptBy = (signal: NodeJS.Signals) => {
    interruptedBy ??= signal;
    interrupt.abort();
  };
  const place = quiet ? undefined : new PlaceInLine(semaphore, clientId);
  const stop = () => {
    place?.hide();
    stopSelf(stop);
  };
  const ends = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of ends) process.on(signal, interruptBy);
  process.on('SIGTSTP', stop);
  try {
    const options = { weight, signal: interrupt.signal, ...(timeoutMs !== undefined && { timeoutMs }) };
    return await semaphore.acquire(options);
  } catch (error) {
    if (interruptedBy !== undefined) {
      return interruptedBy;
    }
    throw error;
  } finally {
    place?.close();
    for (const signal of ends) process.off(signal, interruptBy);
    process.off('SIGTSTP', stop);
  }
}
