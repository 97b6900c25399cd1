/**
 * The main job, on real input: worker processes put requests to an HTTP server that may be asked three things at once,
 * through one semaphore in Redis. One of them is killed while it holds a permit. The server counts for itself.
 *
 *     npm run demo
 */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { SemaphoreClient } from '../../src/index.ts';
import { startRedis } from '../../support/redis/start-redis.ts';
import { startApiServer } from './api-server.ts';
import { Crew } from './crew.ts';
import { type DemoEvent, type Plan, turnsOf } from './events.ts';
import { findingsOf } from './findings.ts';
import { figuresOf, type LeftKey } from './report.ts';
import { liveScreen, plainScreen, type Screen } from './screen.ts';

const plan: Plan = {
  workers: 4,
  perWorker: 2,
  requests: 40,
  limit: 3,
  serviceMs: 350,
  leaseMs: 1_500,
  presenceMs: 1_500,
  retentionMs: 60_000,
};

/** One worker is killed when so many requests were answered. */
const killAfter = 12;
/** How often the line is looked at. */
const lookEveryMs = 20;
/** On a machine that is too busy for this, the demo gives up. */
const longestMs = 60_000;
const name = 'api';

const help = `Shows ${plan.workers} processes share an API that may be asked ${plan.limit} things at once.

  npm run demo                 draws a timeline in the terminal
  npm run demo -- --plain      says it in lines of text, as it does where there is no terminal

Uses the Redis at REDIS_URL, or finds or starts one. NO_COLOR is respected.
Ends with 1 if the API was asked too much, the order was broken or a request was not answered.`;

/**
 * Plays the demo; resolves to whether all was as promised.
 *
 * @throws what `interrupted` throws, and whatever else keeps the demo from its end; nothing is left behind then
 */
async function play(screen: Screen, interrupted: Promise<never>): Promise<boolean> {
  await using server = await Promise.race([startRedis(), interrupted]);
  await using api = await startApiServer(plan.serviceMs);
  const prefix = `parkade-demo-${crypto.randomUUID().slice(0, 8)}`;
  const events: DemoEvent[] = [];
  screen.say(
    `${plan.requests} requests by ${plan.workers} processes to an API that may be asked ${plan.limit} things at once`,
  );
  screen.say(`On ${server.description}`);
  {
    const settings = { redisUrl: server.url, apiUrl: api.url, prefix, name, plan };
    await using crew = new Crew(settings, (event) => events.push(event));
    screen.say(
      `Workers are processes ${crew.pids.join(', ')}. One will be killed while it holds: its lease, ` +
        `${plan.leaseMs / 1000} s here and 30 s by default, then gives its permit back`,
    );
    await using client = new SemaphoreClient(server.url, { prefix, label: 'spectator' });
    screen.follow(events);
    const tooLong = sleep(longestMs, undefined, { ref: false });
    await Promise.race([crew.serveAll(), watch(client, crew, events), tooLong, interrupted]);
  }
  const keys = { prefix, left: await keysLeft(server.url, prefix) };
  const findings = findingsOf(figuresOf(plan, api.counts, events, keys));
  screen.conclude(findings);
  return findings.every(({ ok }) => ok !== false);
}

/** Looks at the semaphore again and again, until the client is closed, and kills a worker when the time has come. */
async function watch(client: SemaphoreClient, crew: Crew, events: DemoEvent[]): Promise<never> {
  for (;;) {
    const sentAtMs = Date.now();
    const { holders, waiters } = await client.inspect(name);
    const seen = ({ id, client }: { id: string; client: string }) => {
      return { id, worker: Number(/^worker-(\d+):/.exec(client)?.[1]) };
    };
    events.push({
      kind: 'seen',
      sentAtMs,
      atMs: Date.now(),
      holders: holders.map(seen),
      waiters: waiters.map(seen),
    });
    const victim = victimIn(events);
    if (victim !== undefined) {
      events.push({ kind: 'killed', worker: victim, atMs: Date.now() });
      crew.kill(victim);
    }
    await sleep(lookEveryMs);
  }
}

/** A worker that is in the middle of a request, when it is time to kill one and none was killed yet. */
function victimIn(events: readonly DemoEvent[]): number | undefined {
  const late = events.filter(({ kind }) => kind === 'answered').length - killAfter;
  if (late < 0 || events.some(({ kind }) => kind === 'killed')) {
    return undefined;
  }
  const held = turnsOf(events).filter(
    (turn) => turn.grantedAtMs !== undefined && turn.endedAtMs === undefined,
  );
  const middle = held.find(({ worker, grantedAtMs = 0 }) => {
    const share = (Date.now() - grantedAtMs) / plan.serviceMs;
    // One that holds and waits at once shows more, but don't wait for it for ever.
    const waitsToo = held.filter((other) => other.worker === worker).length < plan.perWorker;
    return share > 1 / 3 && share < 2 / 3 && (waitsToo || late > 5);
  });
  return middle?.worker;
}

/** The keys of this run that are in Redis. They are not deleted: their TTL does that. */
async function keysLeft(url: string, prefix: string): Promise<LeftKey[]> {
  const redis = new Redis(url);
  try {
    const left: LeftKey[] = [];
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 })) {
      for (const key of keys as string[]) {
        left.push({ key, ttlMs: await redis.pttl(key) });
      }
    }
    return left.filter(({ ttlMs }) => ttlMs !== -2); // gone in between
  } finally {
    redis.disconnect();
  }
}

class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** Rejects when the demo is to end early. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => reject(new Interrupted(signal)));
    }
    // Whoever reads the output may leave, as head does.
    process.stdout.on('error', () => reject(new Interrupted('SIGPIPE')));
  });
}

async function main(): Promise<number> {
  const options = process.argv.slice(2);
  const unknown = options.find((option) => !['--plain', '--help', '-h'].includes(option));
  if (unknown !== undefined) {
    console.error(`Unknown option ${unknown}.\n\n${help}`);
    return 2;
  }
  if (options.includes('--help') || options.includes('-h')) {
    console.log(help);
    return 0;
  }
  const isTerminal = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
  using screen = isTerminal && !options.includes('--plain') ? liveScreen(plan) : plainScreen(plan);
  return (await play(screen, interruption())) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof Interrupted) {
    // All is cleaned up but what is still on its way, as a Redis that is being started: it ends with this process.
    process.exit(128 + constants.signals[error.signal]);
  }
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
