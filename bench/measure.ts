import { nanoid } from 'nanoid';
import { startRedis } from '../support/redis/start-redis.ts';
import { buildWorker } from './build-worker.ts';
import { Crew } from './crew.ts';
import { machineOf } from './report/machine.ts';
import type { Report } from './report/report.ts';
import { type Outcome, runScenario } from './run-scenario.ts';
import type { Scenario, Stage } from './scenario.ts';
import { ServerProbe } from './server-probe.ts';

export interface Measuring {
  readonly quick: boolean;
  readonly scenarios: readonly Scenario[];
  /** Instead of each scenario's own number. */
  readonly rounds: number | undefined;
  /** The folder for CPU profiles of all workers. */
  readonly profiles: string | undefined;
  /** What goes on just now: `scenario: what`. */
  progress(line: string): void;
}

/** Builds what is measured, starts a server, and runs the scenarios one after the other. Leaves nothing behind. */
export async function measure({ quick, scenarios, rounds, profiles, progress }: Measuring): Promise<Report> {
  progress('build: the package and the workers');
  await using worker = await buildWorker();
  await using redis = await startRedis({ own: true });
  const server = new ServerProbe(redis.url);
  const crews = new Set<Crew>();
  try {
    const stage: Stage = {
      server,
      pick: (full, short) => (quick ? short : full),
      async startCrew(contender, processes, { manyTasks }) {
        const setting = { url: redis.url, prefix: `bench-${nanoid(6)}`, manyTasks };
        const crew = await Crew.start({ file: worker.file, profiles }, processes, contender, setting);
        crews.add(crew);
        return crew;
      },
    };
    const outcomes: Outcome[] = [];
    for (const scenario of scenarios) {
      outcomes.push(await runScenario(scenario, stage, rounds ?? (quick ? 1 : scenario.rounds), progress));
    }
    return { machine: machineOf(await server.version()), quick, outcomes };
  } finally {
    server.close();
    await Promise.all([...crews].map((crew) => crew.kill()));
  }
}
