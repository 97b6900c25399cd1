import { Argument, Command } from 'commander';
import { candidatesFromRedis } from './completion/from-redis.ts';
import { scripts } from './completion/scripts.ts';
import { wantedAt } from './completion/wanted.ts';
import { exitCodes } from './exit-codes.ts';
import { type RedisFlags, redisCommand } from './redis.ts';

type Shell = keyof typeof scripts;

const help = `
Completes commands, options, and what Redis knows: names of semaphores, and permits to revoke. Redis is asked for 1.5 s at
most, where --redis, REDIS_URL and --prefix say so; without it, there are no names.

  bash   echo 'source <(parkade completion bash)' >> ~/.bashrc
  zsh    echo 'source <(parkade completion zsh)' >> ~/.zshrc, behind compinit
  fish   parkade completion fish > ~/.config/fish/completions/parkade.fish

Example:
  source <(parkade completion bash)`;

export function completionCommand(): Command {
  return new Command('completion')
    .summary('completion for bash, zsh or fish')
    .description('Prints what a shell has to read so that it completes parkade.')
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(scripts)))
    .addHelpText('after', help)
    .action((shell: Shell) => console.log(scripts[shell]));
}

/** What those scripts ask. */
export function completeCommand(program: Command): Command {
  return new Command('complete')
    .description('Says how an unfinished command line may go on.')
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const typed = words.at(-1) ?? '';
      const wanted = wantedAt(program, words);
      if (wanted.kind === 'file' || wanted.kind === 'command') {
        process.exitCode = wanted.kind === 'file' ? 2 : 3;
        return;
      }
      const candidates =
        wanted.kind === 'one of'
          ? wanted.candidates
          : await candidatesFromRedis(flagsIn(words), wanted, typed);
      const lines = candidates
        .filter(({ value }) => value.startsWith(typed))
        .map(({ value, about }) => `${value}\t${about}\n`);
      // A connection that is still being made would keep a shell waiting.
      process.stdout.write(lines.join(''), () => process.exit(exitCodes.ok));
    });
}

/** Which Redis an unfinished command line means. */
function flagsIn(words: readonly string[]): RedisFlags {
  return redisCommand('complete')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .parse(words.slice(0, -1), { from: 'user' })
    .opts();
}
