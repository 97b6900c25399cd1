import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { nanoid } from 'nanoid';
import { Attempts } from './attempts.ts';
import { BoundedSemaphore } from './bounded-semaphore.ts';
import { systemClock } from './clock.ts';
import { Engine } from './engine.ts';
import { ClientClosedError, type PermitLostError, RedisRefusedError } from './errors.ts';
import { inspect, list, type SemaphoreSnapshot } from './inspector.ts';
import { KeepAlive } from './keep-alive.ts';
import type { InspectOptions, ListOptions, SemaphoreClientOptions, SemaphoreOptions } from './options.ts';
import { connect } from './redis/connect.ts';
import type { RedisConnection } from './redis/connection.ts';
import type { IoredisLike } from './redis/ioredis-like.ts';
import { shardMark } from './redis/keys.ts';
import type { NodeRedisLike } from './redis/node-redis-like.ts';
import { withVersionCheck } from './redis/server-version.ts';
import { SemaphoreStore } from './redis/store.ts';
import { WakeUps } from './redis/wakeups.ts';
import { revoke } from './revocation.ts';
import { Semaphore, type SemaphoreParts } from './semaphore.ts';
import {
  type ClientSettings,
  parseClientOptions,
  parseInspectOptions,
  parseListOptions,
  parseName,
  parseSemaphoreOptions,
  type SemaphoreSettings,
} from './settings.ts';

/** What a `SemaphoreClient` tells, beside what its calls answer. */
export interface SemaphoreClientEvents {
  /**
   * Something went wrong in the background, where no call can reject: with a connection, a renewal or a check-in, which are
   * tried again, or with a permit that was to be given back, which ends with its lease. Never thrown, also without a listener.
   */
  error: [error: Error];
  /** A permit ended before it was released: its lease did, or it was revoked (`error.revoked`). */
  lost: [error: PermitLostError];
  /** Redis had lost a semaphore's data, and this client has put back what it holds and waits for. */
  restored: [what: { readonly semaphore: string; readonly permits: number; readonly waiters: number }];
}

/**
 * The way in: one client per process serves any number of semaphores over two connections, the one it is given and,
 * once something has to wait, one that hears messages.
 *
 * @example
 * ```ts
 * import { SemaphoreClient } from 'parkade';
 *
 * const client = new SemaphoreClient('redis://localhost:6379');
 * const api = client.semaphore('payments-api', { limit: 3 });
 * ```
 */
export class SemaphoreClient extends EventEmitter<SemaphoreClientEvents> {
  /** `label:…`, by default `host:pid:…`; the first part of every permit's id. */
  readonly id: string;
  readonly #settings: ClientSettings;
  readonly #connection: RedisConnection;
  readonly #attempts: Attempts;
  readonly #wakeUps: WakeUps;
  readonly #keepAlive = new KeepAlive();
  /**
   * Held weakly, so that a name that was used once does not stay for ever: handles hold their engine, and so do the
   * timers and calls of one in which something is held, waited for or under way.
   */
  readonly #open = new Map<string, WeakRef<Engine>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (this.#open.get(name)?.deref() === undefined) {
      this.#open.delete(name);
      this.#wakeUps.forget(name);
    }
  });
  #lastRequestNo = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param connection a url, for a connection of the client's own (by ioredis if it is installed, else by node-redis):
   *   `redis://`, `rediss://` (TLS), `unix://`, and by ioredis alone `redis-sentinel://user:password@host:port,host:port/GROUP/db`
   *   or `redis-cluster://user:password@host:port,host:port` (`rediss-…` for TLS; one to a Cluster keeps the process alive
   *   until `close()`, the others only while a call is awaited); or an ioredis `Redis` or `Cluster` (5 or 6), an iovalkey connection, or a
   *   client or sentinel of node-redis (6), which is borrowed: it is shared with whoever else uses it, and not closed
   *   with the client. Connects in the background: an unreachable Redis shows in the first call.
   * @throws InvalidOptionsError
   */
  constructor(connection: string | IoredisLike | NodeRedisLike, options?: SemaphoreClientOptions) {
    super();
    this.#settings = parseClientOptions(options);
    const { prefix, presenceMs, attemptTimeoutMs, unavailableAfterMs } = this.#settings;
    this.#connection = withVersionCheck(
      connect(
        connection,
        {
          ready: () => this.#connected(),
          error: (error) => this.#report(error),
        },
        presenceMs,
        this.#settings.tls,
      ),
    );
    const mark = this.#connection.isCluster ? shardMark : '';
    this.id = `${this.#settings.label ?? defaultLabel()}:${nanoid(10)}${mark}`;
    this.#attempts = new Attempts(
      this.#connection,
      systemClock,
      attemptTimeoutMs,
      unavailableAfterMs,
      Math.min(1_000, presenceMs / 4),
    );
    this.#wakeUps = new WakeUps(this.#connection, prefix, this.id, systemClock, presenceMs / 3, {
      wakeUp: (message) => this.#engine(message.semaphore)?.wakeUp(message),
      listening: (semaphore) =>
        semaphore === undefined
          ? this.#each((engine) => engine.listening())
          : this.#engine(semaphore)?.listening(),
      error: (error) =>
        this.#report(
          this.#connection.isReply(error)
            ? new RedisRefusedError('let this client hear messages', undefined, error)
            : error,
        ),
    });
  }

  /**
   * A semaphore with this name; the same name in one client gives the same semaphore underneath. Asks nothing of Redis.
   *
   * @param name any unicode up to 200 characters without braces and control characters
   * @throws InvalidOptionsError
   * @throws ClientClosedError
   */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    return new Semaphore(this.#partsOf(name, options, false));
  }

  /**
   * As `semaphore`, but refusing releases of what is not held.
   *
   * @throws InvalidOptionsError
   * @throws ClientClosedError
   */
  boundedSemaphore(name: string, options: SemaphoreOptions): BoundedSemaphore {
    return new BoundedSemaphore(this.#partsOf(name, options, true));
  }

  /**
   * Who holds and who waits for a semaphore, without joining in. A name that nobody uses has limit 0, and `exists` is
   * `false`. Changes nothing.
   *
   * Rejects with `RedisUnavailableError`, `RedisRefusedError`, `UnsupportedServerError`, `ClientClosedError` or
   * `InvalidOptionsError`.
   */
  async inspect(name: string, options?: InspectOptions): Promise<SemaphoreSnapshot> {
    this.#checkOpen();
    const checkedName = parseName(name);
    const settings = parseInspectOptions(checkedName, options);
    const store = this.#storeOf(checkedName);
    return this.#keepAlive.during(inspect(store, this.#attempts, checkedName, settings));
  }

  /**
   * Takes a permit from its holder, in whatever process that is, or a waiter out of the line; the next in line are
   * served in the same step. No renewal, re-sent acquire or restoration brings it back.
   *
   * The holder is told: its `permit.signal` aborts with a `PermitLostError` that says so, a waiting `acquire` rejects
   * with `AcquireRevokedError`. At once, if its client hears messages, which it does from its first wait on; else at
   * its next check-in, within a third of `presenceMs`. Until then both sides may think that they hold the units, so
   * what they guard should look at the fencing token.
   *
   * Resolves `false` if nobody holds the permit or waits for it, and changes nothing then. Rejects as `inspect` does.
   * One that rejected may have been done all the same; called again, it then resolves `true`.
   *
   * @param permitId as `inspect` lists it, of a holder or a waiter
   */
  async revoke(name: string, permitId: string): Promise<boolean> {
    this.#checkOpen();
    const semaphore = parseName(name);
    const { revoked, ...news } = await this.#keepAlive.during(
      revoke(this.#storeOf(semaphore), this.#attempts, semaphore, permitId),
    );
    if (news.grants.length > 0) {
      this.#engine(semaphore)?.wakeUp({ semaphore, ...news }); // of our own, which travels in the reply
    }
    return revoked;
  }

  /**
   * Finds the names of all semaphores under this client's prefix, each once, in no order, as a stream. Redis is asked in small
   * steps with pauses, since it has to walk past every key that it has: ask rarely. On a Cluster, all primaries are.
   *
   * Rejects as `inspect` does.
   *
   * @example
   * ```ts
   * for await (const name of client.list({ match: 'jobs:*' })) console.log(await client.inspect(name));
   * ```
   */
  async *list(options?: ListOptions): AsyncGenerator<string, void, undefined> {
    const settings = parseListOptions(options);
    this.#checkOpen();
    const names = list(this.#connection, this.#attempts, systemClock, this.#settings.prefix, settings);
    for (;;) {
      const next = await this.#keepAlive.during(names.next());
      if (next.done) {
        return;
      }
      yield next.value;
    }
  }

  /**
   * Ends the client: waiting calls reject with `ClientClosedError` and leave the line, held permits are released (or,
   * with `release: false`, left to their leases, without renewal), own connections close, a borrowed one stays open. The
   * signals of permits that were released so don't abort.
   *
   * Never rejects, and takes no longer than one attempt (`attemptTimeoutMs`): what Redis could not be told by then,
   * the leases and the presence time decide. Closing twice is closing once.
   *
   * @param options whether held permits are released, by default `true`
   */
  close({ release = true }: { release?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#keepAlive.during(this.#close(release)).finally(() => this.#keepAlive.close());
    return this.#closing;
  }

  /** As `close()`, so that `await using` ends the client with its scope. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(release: boolean): Promise<void> {
    const engines = [...this.#engines()];
    const told = Promise.all(engines.map((engine) => engine.close(release)));
    let timer: { cancel(): void } | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = systemClock.after(this.#settings.attemptTimeoutMs, resolve);
    });
    await Promise.race([told, tooLong]);
    timer?.cancel();
    this.#attempts.close();
    for (const engine of engines) {
      engine.end();
    }
    this.#wakeUps.close();
    this.#open.clear();
    await this.#connection.close();
  }

  #partsOf(nameGiven: string, options: SemaphoreOptions, bounded: boolean): SemaphoreParts {
    this.#checkOpen();
    const name = parseName(nameGiven);
    const settings = parseSemaphoreOptions(name, options);
    const engine = this.#engine(name) ?? this.#openEngine(name, settings);
    if (bounded) {
      engine.setBounded();
    }
    return {
      name,
      settings,
      engine,
      attempts: this.#attempts,
      keepAlive: this.#keepAlive,
      reportError: (error) => this.#report(error),
    };
  }

  #openEngine(name: string, { limit }: SemaphoreSettings): Engine {
    const { presenceMs, retentionMs } = this.#settings;
    const engine = new Engine(
      this.#storeOf(name),
      this.#attempts,
      systemClock,
      () => ++this.#lastRequestNo,
      { name, clientId: this.id, limit, presenceMs, retentionMs },
      {
        waiting: () => this.#wakeUps.listen(name),
        missed: (record) => this.#wakeUps.miss(record),
        lost: (error) => this.#tell(() => this.emit('lost', error)),
        restored: (permits, waiters) =>
          this.#tell(() => this.emit('restored', { semaphore: name, permits, waiters })),
        error: (error) => this.#report(error),
      },
    );
    this.#open.set(name, new WeakRef(engine));
    this.#forgotten.register(engine, name);
    return engine;
  }

  #storeOf(name: string): SemaphoreStore {
    const { prefix, presenceMs, retentionMs } = this.#settings;
    return new SemaphoreStore(this.#connection, name, {
      prefix,
      clientId: this.id,
      presenceMs,
      retentionMs: Math.max(retentionMs, presenceMs),
    });
  }

  #connected(): void {
    this.#attempts.connected();
    this.#each((engine) => engine.connected());
  }

  #each(tell: (engine: Engine) => void): void {
    for (const engine of this.#engines()) {
      tell(engine);
    }
  }

  #engine(name: string): Engine | undefined {
    return this.#open.get(name)?.deref();
  }

  *#engines(): Generator<Engine> {
    for (const open of this.#open.values()) {
      const engine = open.deref();
      if (engine !== undefined) {
        yield engine;
      }
    }
  }

  /** An `error` event, if anybody listens: otherwise it would be thrown, out of a timer or a socket. */
  #report(error: unknown): void {
    this.#tell(() => {
      if (this.listenerCount('error') > 0) {
        this.emit('error', error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** A listener that throws must not stop what the client is doing; its error ends where nobody can catch it either. */
  #tell(emit: () => void): void {
    queueMicrotask(emit);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new ClientClosedError(undefined);
    }
  }
}

/** Short enough for records of 64 bytes, long enough to tell pods apart. */
function defaultLabel(): string {
  return `${hostname()
    .replace(/[/{}\p{Cc}]/gu, '-')
    .slice(0, 32)}:${process.pid}`;
}
