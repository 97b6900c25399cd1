import type { EngineParts } from './engine-parts.ts';
import { ClientClosedError, RedisRefusedError, RedisUnavailableError } from './errors.ts';
import type { Lease } from './lease.ts';
import type { Outbox } from './outbox.ts';
import type { Revoked } from './redis/store.ts';

interface Release {
  readonly record: string;
  /** The lease, if this is the first release of a permit of ours. */
  readonly lease: Lease | undefined;
  readonly giveUpAtMs: number;
  /** Who waits for the answer; `undefined` in the background. */
  readonly asker: { done(released: boolean): void; failed(reason: unknown): void } | undefined;
}

/** Takes records out of Redis: permits that users release, and in the background whatever must not stay. */
export class Releaser {
  readonly #parts: Pick<EngineParts, 'name' | 'clock' | 'attempts' | 'store' | 'session'>;
  readonly #reportError: (error: Error) => void;
  readonly #push: (release: Release) => void;
  /** The permits of ours whose first release is not answered yet, by record. */
  readonly #leaving = new Map<string, Lease>();
  #closed = false;

  constructor(
    parts: Pick<EngineParts, 'name' | 'clock' | 'attempts' | 'store' | 'session'>,
    outbox: Outbox,
    reportError: (error: Error) => void,
  ) {
    this.#parts = parts;
    this.#reportError = reportError;
    this.#push = outbox.open<Release>({
      send: (batch, wasHeldBack) => this.#send(batch, wasHeldBack),
      isWanted: () => true,
      giveUpAtMs: (release) => (this.#closed ? 0 : release.giveUpAtMs),
      giveUp: (release) => this.#fail(release, parts.attempts.unavailable('release', parts.name)),
    });
  }

  /** Resolves whether the record was a held permit of ours. `lease` is given at its first release. */
  release(record: string, lease: Lease | undefined): Promise<boolean> {
    if (this.#closed) {
      return Promise.reject(new ClientClosedError(this.#parts.name));
    }
    if (lease !== undefined) {
      this.#leaving.set(record, lease);
    }
    return new Promise((done, failed) => {
      const giveUpAtMs = this.#parts.attempts.giveUpAtMs();
      this.#push({ record, lease, giveUpAtMs, asker: { done, failed } });
    });
  }

  /** In the background: nobody waits for the answer, and it is tried until there is one. */
  giveBack(record: string): void {
    if (!this.#closed) {
      this.#push({ record, lease: undefined, giveUpAtMs: Number.POSITIVE_INFINITY, asker: undefined });
    }
  }

  /** From now on nothing can be said to Redis. */
  close(): void {
    this.#closed = true;
  }

  async #send(batch: readonly Release[], wasHeldBack: boolean): Promise<void> {
    const { session, store, attempts } = this.#parts;
    const records = batch.map(({ record }) => record);
    const awaited = batch.filter(({ asker }) => asker !== undefined);
    const giveUpAtMs = Math.max(
      ...(awaited.length > 0 ? awaited : batch).map((release) => release.giveUpAtMs),
      wasHeldBack ? attempts.giveUpAtMs() : 0,
    );
    try {
      const heard = await session.call('release', giveUpAtMs, (caller) => store.release(caller, records));
      if (heard.kind === 'ok') {
        batch.forEach((release, i) => {
          this.#hear(release, heard.answers[i] as boolean | Revoked, heard.repeated);
        });
      }
    } catch (error) {
      for (const release of batch) {
        this.#fail(release, error);
      }
    }
  }

  #hear({ record, lease, asker }: Release, answer: boolean | Revoked, repeated: boolean): void {
    const leaving = this.#leaving.get(record);
    if (lease !== undefined) {
      this.#leaving.delete(record);
    } else if (leaving !== undefined && answer === true) {
      leaving.releaseUnconfirmed = true; // this one, for a grant that was told twice, has overtaken it
    }
    // A release that may have been executed before finds nothing because it was; what was revoked was so before.
    const before =
      lease !== undefined &&
      answer !== 'revoked' &&
      (repeated || lease.releaseUnconfirmed) &&
      this.#parts.clock.monotonicMs() < lease.deadlineMs;
    if (lease !== undefined) {
      lease.state = 'released';
      lease.releaseUnconfirmed = false;
    }
    asker?.done(answer === true || before);
  }

  /** The caller can try again; but nobody has to for it to happen: it is said when Redis is back. */
  #fail({ record, lease, asker }: Release, error: unknown): void {
    if (lease !== undefined) {
      this.#leaving.delete(record);
      lease.releaseUnconfirmed = true;
    }
    if (error instanceof RedisUnavailableError) {
      this.giveBack(record);
    } else if (asker === undefined && error instanceof RedisRefusedError) {
      this.#reportError(error);
    }
    asker?.failed(this.#closed ? new ClientClosedError(this.#parts.name) : error);
  }
}
