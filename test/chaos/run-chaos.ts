import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from '../../src/index.ts';
import { CleanUp } from './clean-up.ts';
import { Crew } from './crew.ts';
import { type FaultKind, kindsOn } from './fault-kinds.ts';
import { makeFault, type Scene } from './faults.ts';
import { FleetTarget } from './fleet-target.ts';
import { GuardedStore } from './guarded-store.ts';
import { type ChaosSettings, HistoryLog, nowUs, type SupervisorEvent } from './history.ts';
import { Limits } from './limits.ts';
import { Observer } from './observer.ts';
import { Proxies } from './proxies.ts';
import { drawSchedule, type PlannedFault } from './schedule.ts';
import { defaults, recoveryBoundMs } from './settings.ts';
import { StandaloneTarget } from './standalone-target.ts';
import type { Target, TargetKind } from './target.ts';
import { takeWay } from './way.ts';

export interface ChaosOptions {
  readonly on: TargetKind;
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: number;
  /** Those of them that there are on this target. */
  readonly kinds: readonly FaultKind[];
  /** The mean time between faults, ms. */
  readonly gapMs: { readonly worker: number; readonly server: number };
  /** Where the history goes; emptied first. */
  readonly folder: string;
  readonly presenceMs?: number;
  readonly progress?: (progress: Progress) => void;
  readonly note?: (line: string) => void;
}

export interface Progress {
  readonly seconds: number;
  readonly phase: string;
  readonly grants: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** What looks like a violation from outside, before the history is checked. */
  readonly suspects: number;
}

const name = 'chaos';

/** Lets workers work while faults strike, lets all come to rest, and leaves the history in the folder. */
export async function runChaos(options: ChaosOptions): Promise<void> {
  const { seed, workers, folder, note = () => {} } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await using cleanUp = new CleanUp();

  const prefix = `chaos-${seed}`;
  const target: Target = cleanUp.add(
    options.on === 'standalone'
      ? await StandaloneTarget.start(join(folder, 'redis'))
      : await FleetTarget.start(options.on, { prefix, name }),
    (one) => one.stop(),
  );
  const settings: ChaosSettings = {
    ...defaults,
    ...(options.presenceMs && { presenceMs: options.presenceMs }),
    seed,
    workers,
    on: target.kind,
    server: target.description,
  };
  const wanted = kindsOn(target.kind).filter((kind) => options.kinds.includes(kind));
  for (const kind of wanted) {
    const why = target.impossible.get(kind);
    if (why !== undefined) note(`SKIPPED: ${kind}: ${why}`);
  }
  const { limit } = settings;
  const plan = { seed, durationMs: options.durationMs, workers, gapMs: options.gapMs, limit };
  const kinds = wanted.filter((kind) => !target.impossible.has(kind));
  const schedule = drawSchedule({ ...plan, kinds });
  writeFileSync(join(folder, 'schedule.json'), JSON.stringify({ ...plan, kinds, schedule }, undefined, 1));

  const history = cleanUp.add(new HistoryLog<SupervisorEvent>(folder, 'supervisor'), (one) => one.close());
  const counts = { grants: 0, faults: new Map<FaultKind, number>(), evicted: 0 };
  const log = (event: SupervisorEvent) => {
    history.write(event);
    if (event.kind === 'store entered') {
      counts.grants++;
      counts.evicted += event.evicted.length;
    } else if (event.kind === 'fault begins') {
      counts.faults.set(event.fault, (counts.faults.get(event.fault) ?? 0) + 1);
    }
  };
  let phase = 'start';
  const enter = (next: 'faults' | 'calm' | 'drain' | 'done') => {
    phase = next;
    log({ kind: 'phase', at: nowUs(), phase: next });
  };
  log({ kind: 'settings', at: nowUs(), settings });

  const { presenceMs, attemptTimeoutMs, unavailableAfterMs } = settings;
  const past = cleanUp.add(takeWay(target.way({})), (one) => one.close());
  const client = cleanUp.add(
    new SemaphoreClient(past.connection, {
      prefix,
      label: 'supervisor',
      presenceMs,
      attemptTimeoutMs,
      unavailableAfterMs,
    }),
    (one) => one.close(),
  );
  const store = cleanUp.add(await GuardedStore.open(limit, log), (one) => one.close());
  const proxies: Proxies[] = [];
  for (let slot = 0; slot < workers; slot++) {
    proxies.push(cleanUp.add(await Proxies.before(target.addresses), (one) => one[Symbol.asyncDispose]()));
  }
  const crew = cleanUp.add(
    new Crew((slot) => {
      const way = target.way((proxies[slot] as Proxies).detours);
      return { seed, way, storePort: store.port, folder, prefix, name, settings };
    }, log),
    (one) => one.killAll(),
  );
  await crew.start(workers);
  const observer = cleanUp.add(new Observer(client, () => target.primary(), { prefix, name }, log), (one) =>
    one.stop(),
  );
  const limits = cleanUp.add(new Limits(client.semaphore(name, { limit }), store, log), (one) => one.close());

  const startedAt = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { grants, faults, evicted } = counts;
    options.progress?.({ seconds, phase, grants, faults, suspects: evicted + observer.suspects });
  }, 1_000);
  cleanUp.add(timer, clearInterval);

  await sleep(500);
  enter('faults');
  const quiet = sleep(options.durationMs);
  await strike(schedule, { target, crew, proxies, resize: (to) => limits.set(to) }, log);
  await quiet;
  for (const proxy of proxies) proxy.resume();
  await limits.set(limit);
  crew.calm();
  enter('calm');
  await sleep(Math.min(presenceMs, options.durationMs / 4));
  enter('drain');
  const boundMs = recoveryBoundMs(settings);
  // Twice the bound: a request that comes too late is then seen to come too late, and not never.
  await Promise.race([crew.drain(), sleep(2 * boundMs, undefined, { ref: false })]);
  enter('done');
  log(await limits.probe(boundMs, client));
  const keys = await observer.keysWithoutTtl();
  if (keys.length > 0) log({ kind: 'keys without ttl', at: nowUs(), keys });
  await crew.close(attemptTimeoutMs + 3_000);
  for (const line of crew.complaints) note(line);
}

/** Each fault at its time, but after the one before it in the same place. Resolves when the last has ended. */
async function strike(
  schedule: readonly PlannedFault[],
  scene: Scene,
  log: (event: SupervisorEvent) => void,
): Promise<void> {
  const startMs = performance.now();
  const queues = new Map<number | 'server', Promise<void>>();
  for (const fault of schedule) {
    await sleep(Math.max(0, startMs + fault.atMs - performance.now()));
    const place = fault.slot ?? 'server';
    const before = queues.get(place) ?? Promise.resolve();
    queues.set(
      place,
      before.then(() => make(fault, scene, log)),
    );
  }
  await Promise.all(queues.values());
}

async function make(
  { id, kind, slot, forMs, value }: PlannedFault,
  scene: Scene,
  log: (event: SupervisorEvent) => void,
): Promise<void> {
  const where = slot === undefined ? {} : { slot };
  const how = value === undefined ? {} : { value };
  log({ kind: 'fault begins', at: nowUs(), id, fault: kind, forMs, ...where, ...how });
  let outcome: { note: string } | { servedAt: number } | undefined;
  try {
    outcome = await makeFault(scene, { id, kind, atMs: 0, forMs, ...where, ...how });
  } catch (error) {
    outcome = { note: String(error) };
  }
  log({ kind: 'fault ends', at: nowUs(), id, ...outcome });
}
