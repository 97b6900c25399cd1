import { type IoredisLike, letProcessEnd } from './ioredis-like.ts';

/** How long the server may be silent beyond the time for which it was told to wait, ms. */
const silenceMs = 2_000;

/** What a call resolves with: as soon as it is answered, and with a promise for the rest. */
export interface Replied {
  readonly reply: unknown;
  /** How many replicas have acknowledged what it wrote, in the end. Counts as handled when it rejects. */
  readonly acknowledged: Promise<number>;
}

/**
 * Of the time that is left, for how long to WAIT, ms; the rest is for the way there and back. An idle Redis looks ten
 * times a second whose time is over.
 */
const waitMs = (leftMs: number) => Math.max(1, Math.floor(Math.max(leftMs / 2, leftMs * 0.9 - 110)));

interface Call {
  send(redis: IoredisLike): Promise<unknown>;
  /** When replicas are not waited for any more, by `performance.now()`. */
  readonly untilMs: number;
  done(replied: Replied): void;
  failed(error: unknown): void;
}

/**
 * Makes calls over a connection of its own, and tells how many replicas have what they wrote. `WAIT` stops everything
 * that comes behind it on its connection, so it must not go over the one that all else uses.
 *
 * It goes in rounds: what was asked for during one goes out together in the next, with one `WAIT` behind it. `WAIT`
 * speaks of what its own connection has written. So nothing is ever sent again on another one, where it would be
 * answered for nothing: when the connection ends, all calls on it fail, and the next round opens another one.
 */
export class ReplicaRounds {
  readonly #open: () => IoredisLike;
  readonly #replicas: number;
  #redis: IoredisLike | undefined;
  #calls: Call[] = [];
  #isBusy = false;
  /** The server has executed the last call, and so knows its script. */
  #isWarm = false;
  #isClosed = false;

  /** @param open makes the connection to where the keys are, with these options besides its own */
  constructor(open: (overrides: object) => IoredisLike, replicas: number) {
    this.#replicas = replicas;
    this.#open = () =>
      open({
        retryStrategy: null,
        reconnectOnError: null,
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        enableAutoPipelining: false,
        enableOfflineQueue: true,
        enableReadyCheck: false,
        maxRetriesPerRequest: null,
        lazyConnect: false,
        connectionName: 'parkade-replicas',
      });
  }

  /** Makes a call in the next round. */
  run(send: (redis: IoredisLike) => Promise<unknown>, forMs: number): Promise<Replied> {
    return new Promise((done, failed) => {
      if (this.#isClosed) {
        failed(new Error('Connection is closed.'));
        return;
      }
      this.#calls.push({ send, untilMs: performance.now() + forMs, done, failed });
      if (!this.#isBusy) {
        this.#isBusy = true;
        queueMicrotask(() => void this.#goRound());
      }
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#redis?.disconnect();
    for (const { failed } of this.#calls.splice(0)) {
      failed(new Error('Connection is closed.'));
    }
  }

  async #goRound(): Promise<void> {
    while (this.#calls.length > 0) {
      const calls = this.#calls;
      this.#calls = [];
      await this.#round(calls);
    }
    this.#isBusy = false;
  }

  async #round(calls: readonly Call[]): Promise<void> {
    const redis = this.#connection();
    const leftMs = () => Math.max(...calls.map(({ untilMs }) => untilMs)) - performance.now();
    const timer = setTimeout(() => redis.disconnect(), leftMs() + silenceMs).unref();
    await opened(redis);
    const forMs = waitMs(leftMs()); // never 0, which would be for ever
    // In this order, on one connection.
    const replies = Promise.allSettled(calls.map((call) => call.send(redis)));
    let isGood = this.#isWarm;
    if (!this.#isWarm) {
      // Where the server may have to be given the script first, a WAIT behind the failed call would stop its second try.
      isGood = (await replies).some(({ status }) => status === 'fulfilled');
    }
    const acknowledged = isGood ? redis.wait(this.#replicas, forMs).then(Number) : Promise.resolve(0);
    acknowledged.catch(() => {});
    let isUnknown = false;
    (await replies).forEach((sent, i) => {
      const { done, failed } = calls[i] as Call;
      if (sent.status === 'fulfilled') {
        this.#isWarm = true;
        done({ reply: sent.value, acknowledged });
      } else {
        isUnknown = String(sent.reason).includes('NOSCRIPT');
        this.#isWarm = false;
        isGood &&= isUnknown;
        failed(sent.reason);
      }
    });
    await acknowledged.catch(() => {
      isGood = false;
    });
    clearTimeout(timer);
    if (!isGood && !isUnknown) {
      redis.disconnect(); // another server may be the primary now
      this.#redis = undefined;
    }
  }

  #connection(): IoredisLike {
    if (this.#redis === undefined) {
      const redis = this.#open();
      this.#isWarm = false;
      letProcessEnd(redis);
      redis.on('error', () => {}); // the calls on it fail, and say so
      redis.on('end', () => {
        if (this.#redis === redis) {
          this.#redis = undefined;
        }
      });
      this.#redis = redis;
    }
    return this.#redis;
  }
}

/** Resolves when it can be used, or has ended. */
function opened(redis: IoredisLike): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready' || redis.status === 'end') {
      resolve();
    } else {
      redis.on('ready', resolve);
      redis.on('end', resolve);
    }
  });
}
