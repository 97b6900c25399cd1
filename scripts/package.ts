import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { x } from 'tinyexec';
import { nodeBinary } from '../support/node-binary.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { type Packed, pack } from '../test/package/packed.ts';
import { type Library, output, programOf } from '../test/package/programs.ts';
import { type Ended, install, type Project } from '../test/package/project.ts';

// Tries the packed package with each version of Node and of the libraries, fetched from npm's registry. What `npm test`
// does with the versions that are installed here, this does with all that are promised, from the oldest on.

const help = `npm run test:package -- [options]

  --node A,B        versions of Node, as npm's package 'node' has them (default 20.4.0,20,22,24)
  --libraries A,B   what opens connections (default ioredis@5.4.0,ioredis@5,ioredis@6,redis@6.0.0,redis@6)
  --typescript A,B  versions of TypeScript that compile a program against the types (default 5.2,5.9,6)

Each program takes turns on a Redis by a url and by a borrowed connection, imported and required. Prints a table in Markdown
on stdout, progress and failures on stderr. Ends with 1 if something failed; what can't be had is said, and is no failure.`;

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: '20.4.0,20,22,24' },
    libraries: { type: 'string', default: 'ioredis@5.4.0,ioredis@5,ioredis@6,redis@6.0.0,redis@6' },
    typescript: { type: 'string', default: '5.2,5.9,6' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const listOf = (text: string) => text.split(',').filter((part) => part !== '');

const programs = [
  ['imported', 'esm', 'main.mjs'],
  ['required', 'cjs', 'main.cjs'],
] as const;

if (values.help) {
  console.log(help);
} else {
  process.exitCode = (await tryAll()) ? 0 : 1;
}

async function tryAll(): Promise<boolean> {
  await using redis = await startRedis();
  say(`On ${redis.description}`);
  const packed = await pack();
  try {
    const nodes = await each(listOf(values.node), async (version) => {
      const program = await nodeBinary(version);
      return { program, version: (await x(program, ['-v'])).stdout.trim().slice(1) };
    });
    const projects = await each(listOf(values.libraries), (spec) => projectWith(packed, spec));
    const table = [
      ['Node', ...projects.map(({ name }) => name)],
      ['-', ...projects.map(() => '-')],
    ];
    let isWell = true;
    for (const node of nodes) {
      const cells: string[] = [];
      for (const { name, project } of projects) {
        const failures = await failuresOf(project, node.program, redis.url);
        for (const { how, ended } of failures) {
          say(pc.red(`✖ ${name} on Node ${node.version}, ${how}:`), `\n${ended.stdout}${ended.stderr}`);
        }
        cells.push(failures.length === 0 ? 'works' : `fails ${failures.map(({ how }) => how).join(' and ')}`);
        isWell &&= failures.length === 0;
      }
      say(`${pc.green('·')} Node ${node.version}: ${cells.join(', ')}`);
      table.push([node.version, ...cells]);
    }
    const compilers = await each(listOf(values.typescript), (version) => compiledBy(packed, version));
    for (const { name, ended } of compilers.filter(({ ended }) => ended.exitCode !== 0)) {
      say(pc.red(`✖ ${name}:`), `\n${ended.stdout}`);
      isWell = false;
    }
    console.log(table.map((row) => `| ${row.join(' | ')} |`).join('\n'));
    for (const { name, ended } of compilers) {
      console.log(`\n${name} ${ended.exitCode === 0 ? 'compiles' : 'fails to compile'} against the types.`);
    }
    return isWell;
  } finally {
    await packed.remove();
  }
}

/** Goes on without what can't be had. */
async function each<A, B>(all: readonly A[], get: (one: A) => Promise<B>): Promise<B[]> {
  const had: B[] = [];
  for (const one of all) {
    try {
      had.push(await get(one));
    } catch (error) {
      say(pc.yellow(`– ${one} can't be had: ${error instanceof Error ? error.message : error}`));
    }
  }
  return had;
}

async function projectWith(packed: Packed, spec: string): Promise<{ name: string; project: Project }> {
  const project = await install(packed);
  const [name, version] = await add(project, spec);
  await project.copy('takes-turns.cjs');
  for (const [, format, file] of programs) {
    await project.write(file, programOf(format, name as Library));
  }
  return { name: `${name} ${version}`, project };
}

/** Installs from the registry, beside parkade, whose peers have to suit. */
async function add(project: Project, spec: string): Promise<[name: string, version: string]> {
  say(pc.dim(`${spec} …`));
  const { exitCode, stderr } = await project.run('npm', [
    'install',
    '--loglevel=error', // also where `npm run --silent` is above
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    spec,
  ]);
  if (exitCode !== 0) {
    throw new Error(stderr.trim().split('\n').slice(0, 3).join(' '));
  }
  const name = spec.slice(0, spec.lastIndexOf('@'));
  const { stdout } = await project.run('npm', ['pkg', 'get', 'version', '--prefix', `node_modules/${name}`]);
  return [name, JSON.parse(stdout)];
}

async function failuresOf(project: Project, node: string, url: string) {
  const failures: { how: string; ended: Ended }[] = [];
  for (const [how, , file] of programs) {
    const ended = await project.run(node, [file], {
      REDIS_URL: url,
      PREFIX: `package-${crypto.randomUUID()}`,
    });
    if (ended.exitCode !== 0 || ended.stdout !== output || ended.stderr !== '') {
      failures.push({ how, ended });
    }
  }
  return failures;
}

/** Compiles the program of the tests with the newest types of the libraries, and those of Node 20. */
async function compiledBy(packed: Packed, version: string): Promise<{ name: string; ended: Ended }> {
  const project = await install(packed);
  const [, exact] = await add(project, `typescript@${version}`);
  for (const spec of ['@types/node@20', '@opentelemetry/api@1', 'ioredis@6']) {
    await add(project, spec);
  }
  await project.copy('typescript.ts', 'main.ts');
  await project.copy('connection.ts');
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    types: ['node'],
    module: 'NodeNext',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  };
  await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  const ended = await project.run('node_modules/.bin/tsc', ['-p', '.']);
  return { name: `TypeScript ${exact}`, ended };
}

/** Progress, which does not go where the table goes. */
function say(...words: string[]): void {
  process.stderr.write(`${words.join(' ')}\n`);
}
