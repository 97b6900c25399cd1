import type { Client, Contender, Semaphore, Setting } from '../contenders/contender.ts';
import { fillLine, inLine } from './drain.ts';

/** Waiters of several clients in this process, who stay in line. */
export interface LinePlan {
  readonly name: string;
  readonly clients: number;
  readonly waiters: number;
}

export interface LineResult {
  /** By which the heap of this process grew, garbage collected, bytes. */
  readonly grownBytes: number;
}

/** The first client holds the only permit and waits as well. */
export async function standInLine(
  contender: Contender,
  setting: Setting,
  { name, clients, waiters }: LinePlan,
  opened: Client[],
): Promise<LineResult> {
  for (let i = 0; i < clients; i++) opened.push(await contender.open(setting));
  const semaphores = await Promise.all(opened.map((client) => client.semaphore(name, 1)));
  const [first] = semaphores;
  if (first === undefined) throw new Error('There must be a client.');
  await first.acquire();
  // One waits already, so that what a first wait opens (a connection that hears messages) is not counted.
  for (const semaphore of semaphores) void semaphore.acquire().catch(ignore);
  await inLine(first, clients);

  const before = heapBytes();
  let asked = clients;
  const ask = () => void (semaphores[asked++ % clients] as Semaphore).acquire().catch(ignore);
  await fillLine(first, waiters, ask, clients);
  return { grownBytes: heapBytes() - before };
}

/** What is alive, buffers outside of the heap included. */
export function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('Node must run with --expose-gc.');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function ignore(): void {}
