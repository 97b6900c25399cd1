import { writeFile } from 'node:fs/promises';
import { nanoid } from 'nanoid';
import { startRedis } from '../support/redis/start-redis.ts';
import { buildWorker } from './build-worker.ts';
import { Crew } from './crew.ts';
import { helpOf, type Options, parseOptions, UsageError } from './options.ts';
import { showProgress } from './progress.ts';
import { describeMachine, machineOf } from './report/machine.ts';
import { rowsOf } from './report/rows.ts';
import { tableOf } from './report/table.ts';
import { type Outcome, runScenario } from './run-scenario.ts';
import type { Stage } from './scenario.ts';
import { scenarios } from './scenarios/all.ts';
import { ServerProbe } from './server-probe.ts';

try {
  const options = parseOptions(process.argv.slice(2), scenarios);
  if (options.help) console.log(helpOf(scenarios));
  else await bench(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message} See --help.`);
  process.exitCode = 2;
}

async function bench(options: Options): Promise<void> {
  await using worker = await buildWorker();
  await using redis = await startRedis({ own: true });
  const server = new ServerProbe(redis.url);
  const progress = showProgress();
  const outcomes: Outcome[] = [];
  const crews = new Set<Crew>();
  try {
    const machine = machineOf(await server.version());
    console.log(`${describeMachine(machine)}\n`);
    const stage: Stage = {
      server,
      pick: (full, quick) => (options.quick ? quick : full),
      async startCrew(contender, processes, { manyTasks }) {
        const prefix = `bench-${nanoid(6)}`;
        const crew = await Crew.start(worker.file, processes, contender, {
          url: redis.url,
          prefix,
          manyTasks,
        });
        crews.add(crew);
        return crew;
      },
    };
    for (const scenario of options.scenarios) {
      const rounds = options.rounds ?? stage.pick(scenario.rounds, 1);
      outcomes.push(await runScenario(scenario, stage, rounds, progress.say));
    }
    progress.end();

    const rows = options.scenarios.flatMap((scenario, i) => rowsOf(scenario, outcomes[i] as Outcome));
    console.log(tableOf(rows));
    for (const { scenario, leftOut, failed } of outcomes) {
      for (const [contender, why] of Object.entries(leftOut)) {
        console.log(`\n${scenario}: without ${contender}, which ${why}.`);
      }
      for (const [contender, why] of Object.entries(failed)) {
        console.error(`${scenario}: ${contender} broke down: ${why}`);
        process.exitCode = 1;
      }
    }
    if (options.quick)
      console.log('\nA quick run: everything was scaled down, and the figures mean nothing.');
    if (options.json !== undefined) {
      await writeFile(
        options.json,
        `${JSON.stringify({ machine, quick: options.quick, outcomes, rows }, undefined, 1)}\n`,
      );
    }
  } finally {
    progress.end();
    server.close();
    await Promise.all([...crews].map((crew) => crew.kill()));
  }
}
