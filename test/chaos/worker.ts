/**
 * One worker process of a chaos run: a client like any user's, which writes down what it asks, gets and gives back.
 * It ends with its supervisor. Started by crew.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from '../../src/index.ts';
import type { WorkerCommand, WorkerOrders } from './crew.ts';
import { HistoryLog, nowUs, type WorkerEvent } from './history.ts';
import { Random } from './random.ts';
import { StoreClient } from './store-client.ts';
import { takeWay } from './way.ts';
import { Workload } from './workload.ts';

const tickMs = 10;
/** A gap between ticks that is longer than this is written down. */
const lagMs = 25;
const aliveMs = 100;

const orders = JSON.parse(process.env['PARKADE_CHAOS_WORKER'] ?? '') as WorkerOrders;
const { settings } = orders;
const history = new HistoryLog<WorkerEvent>(orders.folder, orders.worker);
const log = (event: WorkerEvent) => history.write(event);

process.on('disconnect', () => process.exit());
const told = (error: unknown) => (error instanceof Error ? error.stack : String(error));
process.on('unhandledRejection', (error) =>
  log({ kind: 'stray', at: nowUs(), error: `rejected: ${told(error)}` }),
);
process.on('uncaughtException', (error) =>
  log({ kind: 'stray', at: nowUs(), error: `thrown: ${told(error)}` }),
);

let tickedAt = nowUs();
let aliveAt = 0;
setInterval(() => {
  const at = nowUs();
  if (at - tickedAt > lagMs * 1_000) log({ kind: 'lagged', from: tickedAt, at });
  if (at - aliveAt > aliveMs * 1_000) {
    log({ kind: 'alive', at });
    aliveAt = at;
  }
  tickedAt = at;
}, tickMs);

const { connection, close: closeConnection } = takeWay(orders.way);
const client = new SemaphoreClient(connection, {
  prefix: orders.prefix,
  label: orders.worker,
  presenceMs: settings.presenceMs,
  attemptTimeoutMs: settings.attemptTimeoutMs,
  unavailableAfterMs: settings.unavailableAfterMs,
});
client.on('restored', ({ permits, waiters }) => log({ kind: 'restored', at: nowUs(), permits, waiters }));
log({
  kind: 'started',
  at: nowUs(),
  worker: orders.worker,
  slot: orders.slot,
  pid: process.pid,
  client: client.id,
});

const options = { limit: settings.limit, leaseMs: settings.leaseMs[1] };
// Both kinds of handle, of one semaphore.
const semaphore =
  orders.slot % 2 === 0
    ? client.semaphore(orders.name, options)
    : client.boundedSemaphore(orders.name, options);
const store = await StoreClient.connect(orders.storePort);
const random = new Random(orders.seed);
const workload = new Workload({ semaphore, store, random, log, tickedAt: () => tickedAt }, settings);

process.on('message', async (command: WorkerCommand) => {
  switch (command.do) {
    case 'block':
      keepBusy(command.ms);
      return;
    case 'calm':
      workload.calm();
      return;
    case 'drain':
      workload.drain();
      return;
    case 'close':
      await client.close();
      closeConnection();
      store.close();
      await sleep(50); // what is still to be said on this connection
      process.disconnect();
  }
});

process.send?.('ready');
await workload.run();
process.send?.('idle');

function keepBusy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
