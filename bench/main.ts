import { readFile, writeFile } from 'node:fs/promises';
import { letReadersLeave } from '../support/let-readers-leave.ts';
import { measure } from './measure.ts';
import { helpOf, type Options, parseOptions, UsageError } from './options.ts';
import { showProgress } from './progress.ts';
import { describeMachine } from './report/machine.ts';
import { absencesOf, breakdownsOf, type Report, rowsOfReport } from './report/report.ts';
import { tableOf } from './report/table.ts';
import { scenarios } from './scenarios/all.ts';

letReadersLeave();

// Ends by itself then, so that what was built is removed; workers and server end with this process.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  const options = parseOptions(process.argv.slice(2), scenarios);
  if (options.help) console.log(helpOf(scenarios));
  else await run(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message} See --help.`);
  process.exitCode = 2;
}

async function run(options: Options): Promise<void> {
  const report = options.from === undefined ? await measured(options) : await read(options.from);
  const rows = rowsOfReport(report, options.scenarios);

  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ ...report, rows }, undefined, 1)}\n`);
  }
  if (options.docs) {
    const { writeDocs } = await import('./report/docs.ts'); // the plotting library takes a second to load
    await writeDocs(report, rows);
  }

  console.log(`${describeMachine(report.machine)}\n\n${tableOf(rows)}`);
  console.log(['', ...absencesOf(report)].join('\n'));
  if (report.quick) console.log('\nA quick run: everything was scaled down, and the figures mean nothing.');
  for (const breakdown of breakdownsOf(report)) {
    console.error(breakdown);
    process.exitCode = 1;
  }
}

async function measured(options: Options): Promise<Report> {
  const progress = showProgress();
  try {
    return await measure({ ...options, progress: progress.say });
  } finally {
    progress.end();
  }
}

async function read(file: string): Promise<Report> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch (error) {
    throw new UsageError(`--from: ${file} can't be read: ${(error as Error).message}.`);
  }
}
