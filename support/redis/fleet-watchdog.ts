/**
 * The process between a script and its fleet of servers, as `watchdog.ts` is for one server: it owns them and holds a
 * pipe to the script; when that closes, however the script ended, it kills them and deletes their folders.
 *
 * It is started by `startFleet`, starts a server for each order and answers each with one delivery.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, Order } from './fleet.ts';
import { onFreePort } from './free-port.ts';
import type { OwnedServer } from './job.ts';
import { startProcess } from './server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'parkade-fleet-'));
const servers = new Set<OwnedServer>();
let ending = false;

// Each server that runs has a listener for the end of this process.
process.setMaxListeners(0);

process.on('message', async (order: Order) => {
  deliver(
    await start(order).catch((error: unknown) => ({
      id: order.id,
      failed: error instanceof Error ? error.message : String(error),
    })),
  );
});

process.on('disconnect', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);

// The script may have ended before anybody listened.
if (!process.connected) void end();

// Writing to a script that was killed must not end the cleaning up.
process.stderr.on('error', () => {});

async function start({ id, name, command, args, env, readyLine, config, port, files, bus }: Order) {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    if (!existsSync(join(dir, file))) writeFileSync(join(dir, file), text);
  }

  const server = await onFreePort(
    port,
    (free) =>
      startProcess({
        kind: 'process',
        command,
        args,
        env,
        readyLine,
        settings: { config, port: free, dir },
      }),
    { bus },
  );
  servers.add(server);
  if (ending) kill(server);
  void server.gone.then(() => servers.delete(server));
  return { id, port: Number(new URL(server.url).port), pid: server.pid as number };
}

function deliver(delivery: Delivery): void {
  process.send?.(delivery);
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  const gone = [...servers].map((server) => server.gone);
  servers.forEach(kill);
  await Promise.all(gone);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

/** None of them has anything to keep, and a polite end would wait for replicas that a test has stopped. */
function kill({ pid }: OwnedServer): void {
  try {
    process.kill(-(pid as number), 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
