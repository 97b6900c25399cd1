import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pc from 'picocolors';
import { letReadersLeave } from '../support/let-readers-leave.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { explore, type Figures, readSteps, writeSteps } from '../test/interleavings/explore.ts';
import { MemoisedServer } from '../test/interleavings/memoised-server.ts';
import { allPrograms, smallPrograms } from '../test/interleavings/programs.ts';
import { tell } from '../test/interleavings/tell.ts';

// Goes through every order in which the steps of small programs can happen. See docs/reliability.md.

const help = `npm run interleavings -- [options]

  --only TEXT        programs whose name contains the text
  --small            those of npm test
  --most N           give up a program after N states (then it was not explored exhaustively)
  --replay 'STEPS'   tell what happens in these steps of the one program that --only names

Programs:
${allPrograms.map(({ name, about }) => `  ${name}: ${about}`).join('\n')}

Ends with 1 if a state was found in which a promise is broken, or from which not all comes to its end in time.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    small: { type: 'boolean', default: false },
    most: { type: 'string' },
    replay: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

letReadersLeave();

if (values.help) {
  console.log(help);
} else {
  await main();
}

async function main(): Promise<void> {
  const most = Number(values.most ?? Number.POSITIVE_INFINITY);
  const exact = allPrograms.filter(({ name }) => name === values.only);
  const programs = (values.small ? smallPrograms : allPrograms).filter(({ name }) =>
    name.includes(values.only),
  );
  const chosen = exact.length > 0 ? exact : programs;
  if (!(most > 0) || chosen.length === 0 || (values.replay !== undefined && chosen.length > 1)) {
    console.error(`There is nothing to do for these options. See --help.`);
    process.exitCode = 2;
    return;
  }
  await using server = await startRedis();
  const redis = new Redis(server.url);
  const prefix = `interleavings-${process.pid}`;
  try {
    if (values.replay !== undefined) {
      const [program] = chosen as [(typeof chosen)[number]];
      const lines = await tell(program, new MemoisedServer(redis, prefix), readSteps(values.replay));
      console.log(lines.join('\n'));
      return;
    }
    let states = 0;
    for (const program of chosen) {
      const startMs = performance.now();
      const { figures, counterexample, isWhole } = await explore(program, new MemoisedServer(redis, prefix), {
        mostStates: most,
        progress: showProgress(program.name),
      });
      states += figures.states;
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const mark = counterexample !== undefined ? pc.red('✖') : isWhole ? pc.green('✔') : pc.yellow('…');
      console.log(`${mark} ${program.name}: ${inWords(figures)} ${pc.dim(`${seconds} s`)}`);
      if (counterexample !== undefined) {
        process.exitCode = 1;
        const lines = await tell(program, new MemoisedServer(redis, prefix), counterexample.steps);
        console.log([...lines, ...counterexample.faults].join('\n'));
        console.log(`--only '${program.name}' --replay '${writeSteps(counterexample.steps)}'`);
      } else if (!isWhole) {
        console.log(`  not exhaustive: given up after ${most} states`);
      }
    }
    console.log(`${states.toLocaleString('en')} states in ${chosen.length} programs.`);
  } finally {
    redis.disconnect();
  }
}

function inWords({ states, steps, endingSteps, clientStates, dataStates, longestEndMs }: Figures): string {
  const n = (number: number) => number.toLocaleString('en');
  return `${n(states)} states, ${n(steps)} steps, ${n(endingSteps)} more to their ends (the longest ${n(longestEndMs)} ms), ${n(clientStates)} states of clients, ${n(dataStates)} of the data`;
}

/** On a terminal one line that changes; elsewhere a line every ten seconds. */
function showProgress(name: string): (figures: Figures, waiting: number) => void {
  let lastMs = performance.now();
  return ({ states }, waiting) => {
    const line = `  ${name}: ${states.toLocaleString('en')} states, ${waiting.toLocaleString('en')} to be looked at`;
    if (process.stdout.isTTY) {
      process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
    } else if (performance.now() - lastMs > 10_000) {
      lastMs = performance.now();
      console.log(line);
    }
  };
}
