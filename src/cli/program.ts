import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { completeCommand, completionCommand } from './completion.ts';
import { dashboardCommand } from './dashboard.ts';
import { exitCodes } from './exit-codes.ts';
import { exporterCommand } from './exporter.ts';
import { failureOf } from './failure.ts';
import { inspectCommand } from './inspect.ts';
import { listCommand } from './list.ts';
import { resizeCommand } from './resize.ts';
import { revokeCommand } from './revoke.ts';
import { runCommand } from './run.ts';
import { topCommand } from './top.ts';

/** Each command is a file of its own. In the order in which `--help` lists them. */
const commands: readonly (() => Command)[] = [
  runCommand,
  listCommand,
  inspectCommand,
  topCommand,
  resizeCommand,
  revokeCommand,
  exporterCommand,
  dashboardCommand,
  completionCommand,
];

const help = `
Examples:
  parkade run nightly-report --limit 1 --timeout 0 -- ./report.sh
  parkade list
  parkade inspect nightly-report
  REDIS_URL=rediss://user:password@redis.example:6380 parkade list --json

Exit codes: 0 done, 1 not found, 64 bad options, 69 Redis can't be reached; of run, see parkade run --help.`;

/** Runs one command line. Resolves to the exit code; whatever went wrong is one line on stderr. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = new Command('parkade')
    .description('Semaphores shared by processes and machines, kept in Redis.')
    .version(packageJson.version)
    .addHelpText('after', help);
  for (const command of commands) {
    program.addCommand(command());
  }
  program.addCommand(completeCommand(program), { hidden: true });
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({ outputError: (text, write) => write(`parkade: ${inOneLine(text)}\n`) });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // it has said why
    }
    const failure = failureOf(error);
    process.stderr.write(`parkade: ${failure.message}\n`);
    return failure.exitCode;
  }
}

function inOneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
}
