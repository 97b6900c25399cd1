/**
 * A process of its own with one client, which does what the test that started it says, over IPC or, in a container, in
 * lines of JSON on stdin and stdout (see test/support/workers.ts and container-workers.ts). It ends when that test's process does.
 */
import { createInterface } from 'node:readline';
import { type AcquireOptions, type Permit, type Semaphore, SemaphoreClient } from 'parkade';

/** Where and how the worker's client is opened. */
export interface Setting {
  readonly url: string;
  readonly prefix: string;
  readonly presenceMs: number;
}

/** What a permit looks like from another process. */
export interface PermitFacts {
  readonly id: string;
  readonly weight: number;
  readonly fencingToken: number;
}

type Options = Omit<AcquireOptions, 'signal'>;

/** The calls that a worker answers. `name` and `limit` say which semaphore. */
export interface Calls {
  open(setting: Setting): string;
  acquire(name: string, limit: number, options: Options): PermitFacts;
  tryAcquire(name: string, limit: number, options: Options): PermitFacts | null;
  /** Takes and releases a permit so many times, one after the other, and says what was granted. */
  loop(name: string, limit: number, times: number, options: Options): PermitFacts[];
  release(name: string, limit: number, id: string | undefined): boolean;
  resize(name: string, limit: number, to: number): void;
  /** Whether a permit that this worker acquired can still be relied on, and what its signal says. */
  look(id: string): { isHeld: boolean; aborted: boolean; reason: unknown };
}

export type Request = { readonly no: number } & (
  | { readonly abort: true }
  | { readonly [Call in keyof Calls]: { call: Call; args: Parameters<Calls[Call]> } }[keyof Calls]
);

export type Answer = { readonly no: number } & (
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string; readonly code: unknown } }
);

let client: SemaphoreClient;
const semaphores = new Map<string, Semaphore>();
const permits = new Map<string, Permit>();
const aborts = new Map<number, AbortController>();

function semaphoreOf(name: string, limit: number): Semaphore {
  const semaphore = semaphores.get(name) ?? client.semaphore(name, { limit });
  semaphores.set(name, semaphore);
  return semaphore;
}

function factsOf(permit: Permit): PermitFacts {
  permits.set(permit.id, permit);
  void permit.signal; // so that it can abort
  const { id, weight, fencingToken } = permit;
  return { id, weight, fencingToken };
}

type Answers = {
  [Call in keyof Calls]: (signal: AbortSignal, ...args: Parameters<Calls[Call]>) => unknown;
};

const calls: Answers = {
  open(_signal, { url, prefix, presenceMs }) {
    client = new SemaphoreClient(url, { prefix, presenceMs });
    return client.id;
  },
  acquire: async (signal, name, limit, options) =>
    factsOf(await semaphoreOf(name, limit).acquire({ ...options, signal })),
  async tryAcquire(_signal, name, limit, options) {
    const permit = await semaphoreOf(name, limit).tryAcquire(options);
    return permit && factsOf(permit);
  },
  async loop(signal, name, limit, times, options) {
    const granted: PermitFacts[] = [];
    for (let i = 0; i < times; i++) {
      await semaphoreOf(name, limit).run((permit) => granted.push(factsOf(permit)), { ...options, signal });
    }
    return granted;
  },
  release: (_signal, name, limit, id) =>
    semaphoreOf(name, limit).release(id === undefined ? undefined : { id }),
  resize: (_signal, name, limit, to) => semaphoreOf(name, limit).resize(to),
  look(_signal, id) {
    const permit = permits.get(id);
    const { isHeld, signal } = permit as Permit;
    return { isHeld, aborted: signal.aborted, reason: (signal.reason as { code?: unknown })?.code };
  },
};

async function answer(request: Exclude<Request, { abort: true }>): Promise<Answer> {
  const { no, call, args } = request;
  const controller = new AbortController();
  aborts.set(no, controller);
  try {
    const run = calls[call] as (signal: AbortSignal, ...args: unknown[]) => unknown;
    return { no, value: await run(controller.signal, ...args) };
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown };
    return { no, error: { name, message, code } };
  } finally {
    aborts.delete(no);
  }
}

async function hear(request: Request): Promise<void> {
  if ('abort' in request) {
    aborts.get(request.no)?.abort(new Error('aborted by the test'));
    return;
  }
  const answered = await answer(request);
  if (process.send) process.send(answered);
  else console.log(JSON.stringify(answered));
}

if (process.send) {
  process.on('message', hear);
  process.once('disconnect', () => process.exit());
} else {
  createInterface(process.stdin)
    .on('line', (line) => hear(JSON.parse(line)))
    .once('close', () => process.exit());
}
