import type { EngineParts } from './engine-parts.ts';
import { ClientClosedError } from './errors.ts';
import type { Lease } from './lease.ts';
import type { Outbox } from './outbox.ts';
import type { Revoked } from './redis/store.ts';

type RenewerParts = Pick<EngineParts, 'clock' | 'store' | 'session' | 'keeper' | 'teller'>;

export interface RenewerEvents {
  /** Its lease has ended on the server. */
  ended(lease: Lease): void;
  revoked(lease: Lease): void;
  error(error: Error): void;
}

/** Renews leases in Redis, those that are due together in one call. */
export class Renewer {
  readonly #parts: RenewerParts;
  readonly #events: RenewerEvents;
  readonly #push: (lease: Lease) => void;

  constructor(parts: RenewerParts, outbox: Outbox, events: RenewerEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#push = outbox.open<Lease>({
      send: (batch) => this.#keepRenewed(batch),
      isWanted: (lease) => lease.state === 'held',
      giveUpAtMs: (lease) => lease.deadlineMs,
      giveUp: () => {}, // the keeper notices by itself
    });
  }

  /** Renewals that are due. They are tried again until the deadline; the keeper hears how each went. */
  renewDue(leases: readonly Lease[]): void {
    for (const lease of leases) {
      this.#push(lease);
    }
  }

  /**
   * Renews one lease now; whether it is still held then is for the caller to look.
   *
   * @throws what `Session.call` throws
   */
  renewNow(lease: Lease, giveUpAtMs: number): Promise<void> {
    return this.#send([lease], giveUpAtMs);
  }

  async #keepRenewed(batch: readonly Lease[]): Promise<void> {
    try {
      await this.#send(batch, Math.min(...batch.map((lease) => lease.deadlineMs)));
    } catch (error) {
      if (!(error instanceof ClientClosedError)) {
        for (const lease of batch) {
          this.#parts.teller.renewalFailed(lease, error);
        }
        this.#events.error(error as Error);
      }
    } finally {
      for (const lease of batch) {
        if (lease.renewing) {
          this.#parts.keeper.retry(lease);
        }
      }
    }
  }

  async #send(batch: readonly Lease[], giveUpAtMs: number): Promise<void> {
    const { session, store, keeper } = this.#parts;
    let asked: Lease[] = [];
    const heard = await session.call(
      'renew',
      giveUpAtMs,
      (caller) => {
        asked = batch.filter((lease) => lease.state === 'held');
        for (const lease of asked) {
          const { bound, serverNowMs } = session;
          keeper.sending(lease, bound.deadlineIfSentNowMs(lease.leaseMs), serverNowMs + lease.leaseMs);
        }
        return store.renew(caller, asked);
      },
      () => batch.some((lease) => lease.state === 'held'),
    );
    if (heard.kind === 'ok') {
      await this.#hear(asked, heard.answers, heard.nowMs);
    }
  }

  async #hear(asked: readonly Lease[], answers: readonly (number | Revoked)[], nowMs: number): Promise<void> {
    const { session, keeper, teller } = this.#parts;
    let dataLost = false;
    asked.forEach((lease, i) => {
      const expiresAtMs = answers[i] as number | Revoked;
      if (!lease.isHeld()) {
        return; // its loss or release has taken the record out, behind this renewal
      }
      if (expiresAtMs === 'revoked') {
        this.#events.revoked(lease);
      } else if (expiresAtMs > 0) {
        keeper.confirm(lease, expiresAtMs, session.bound.deadlineMs(expiresAtMs));
        teller.renewed(lease);
      } else if (lease.expiresAtMs > nowMs) {
        dataLost = true; // it was confirmed for longer than this, and we did not release it
      } else {
        this.#events.ended(lease);
      }
    });
    if (dataLost) {
      await session.recover();
    }
  }
}
