import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { x } from 'tinyexec';
import { type KindName, kinds } from '../test/support/kinds.ts';

// Runs the tests of the client on one kind of servers and connections after the other, and says in a table what became of them.

/** What `all` means: every kind on the server that is found, and one server of each program that Debian has. */
const programs = [
  'trixie/redis',
  'experimental/redis',
  'bookworm-backports/valkey',
  'trixie/valkey',
  'sid/valkey',
  'wasm',
];
const all = [
  ...Object.keys(kinds),
  ...programs.map((program) => `standalone@${program}`),
  ...['cluster', 'sentinel'].flatMap((kind) => [`${kind}@trixie/redis`, `${kind}@sid/valkey`]),
];

const help = `npm run test:servers -- KIND[@PROGRAM]… [options]

  all               every kind, and the programs below; takes about two minutes each
  cluster           one kind, on the Redis that is found
  cluster@sid/valkey  on another program: what PARKADE_REDIS takes, such as a release of Debian with redis or valkey

  --files TEXT      only the test files whose path has this text; several times for several
  --table           runs nothing; prints the table of what was run before
  --help            this text

Kinds:
${Object.entries(kinds)
  .map(([name, { title }]) => `  ${name.padEnd(20)}${title}`)
  .join('\n')}

Leaves the results in .cache/servers/, one file each, and prints them all as a table in Markdown. Ends with 1 if a test failed.`;

interface Result {
  /** As it was asked for. */
  readonly name: string;
  readonly title: string;
  /** Name and version, as `Redis 7.0.15`. */
  readonly server: string;
  readonly passed: number;
  readonly skipped: number;
  readonly failed: readonly string[];
  readonly seconds: number;
}

const folder = join(import.meta.dirname, '../.cache/servers');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'string', multiple: true, default: [] },
    table: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
mkdirSync(folder, { recursive: true });

if (values.help || (positionals.length === 0 && !values.table)) {
  console.log(help);
  process.exitCode = values.help ? 0 : 2;
} else {
  const names = positionals.flatMap((name) => (name === 'all' ? all : [name]));
  const unknown = names.find((name) => kinds[name.split('@')[0] as KindName] === undefined);
  if (unknown !== undefined) {
    console.error(`'${unknown}' is no kind; there are ${Object.keys(kinds).join(', ')}.`);
    process.exitCode = 2;
  } else {
    for (const name of names) if (!(await run(name))) process.exitCode = 1;
    console.log(`\n${table(readAll())}`);
  }
}

/** Resolves with whether all was well. */
async function run(name: string): Promise<boolean> {
  const [kind = '', program] = name.split('@');
  const report = join(folder, `${name.replaceAll('/', '-')}.report.json`);
  const startMs = performance.now();
  console.error(pc.dim(`${name}: ${kinds[kind as KindName].title} …`));
  const files = values.files.length > 0 ? values.files : ['test/client', 'test/conformance'];
  const { stdout, stderr } = await x(
    'vitest',
    ['run', ...files, '--reporter=json', `--outputFile=${report}`],
    {
      nodeOptions: {
        env: { ...process.env, PARKADE_ON: kind, ...(program !== undefined && { PARKADE_REDIS: program }) },
      },
      throwOnError: false,
    },
  );
  const server = /^Tests run on .*, (\w+ [\d.]+):/m.exec(stdout)?.[1];
  const result = server === undefined ? undefined : read(report, name, server, startMs);
  if (result === undefined) {
    console.error(`${pc.red('✖')} ${name}: no test was run\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`);
    return false;
  }
  writeFileSync(join(folder, `${name.replaceAll('/', '-')}.result.json`), JSON.stringify(result, null, 2));
  const { passed, skipped, failed, seconds } = result;
  const mark = failed.length === 0 ? pc.green('✔') : pc.red('✖');
  console.error(
    `${mark} ${name} (${server}): ${passed} passed, ${skipped} skipped, ${failed.length} failed, ${seconds} s`,
  );
  for (const title of failed) console.error(`  ${title}`);
  return failed.length === 0;
}

function read(report: string, name: string, server: string, startMs: number): Result {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: {
      name: string;
      status: string;
      message: string;
      assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
    }[];
  };
  const tests = testResults.flatMap((file) => file.assertionResults);
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const count = (...statuses: string[]) => tests.filter(({ status }) => statuses.includes(status)).length;
  return {
    name,
    title: kinds[name.split('@')[0] as KindName].title,
    server,
    passed: count('passed'),
    skipped: count('skipped', 'pending', 'todo'),
    failed: [
      ...tests
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages: [why = ''] }) => `${fullName}: ${why.split('\n')[0]}`),
      ...broken.map((file) => `${file.name}: ${file.message.split('\n')[0]}`),
    ],
    seconds: Math.round((performance.now() - startMs) / 1000),
  };
}

/** All that was ever run, in the order of `all`. */
function readAll(): Result[] {
  const place = ({ name }: Result) => (all.includes(name) ? all.indexOf(name) : all.length);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.result.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result)
    .sort((a, b) => place(a) - place(b));
}

function table(results: readonly Result[]): string {
  const rows = results.map(
    ({ name, title, server, passed, skipped, failed }) =>
      `| \`${name}\` | ${title} | ${server} | ${passed} | ${skipped} | ${failed.length} |`,
  );
  return [
    '| name | servers and connection | version | passed | skipped | failed |',
    '|-|-|-|-:|-:|-:|',
    ...rows,
  ].join('\n');
}
