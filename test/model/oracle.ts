/** A permit or a waiter as the oracle knows it. */
export interface Claim {
  readonly record: string;
  readonly client: string;
  readonly weight: number;
  /** The lease of a direct grant, ms. */
  readonly leaseMs: number;
  /** The lease of a hand-off, ms. */
  readonly handOffLeaseMs: number;
  /** Nobody renews it: a hand-off gives the lease in full. */
  readonly firm: boolean;
}

/**
 * What the scripts should do, said again in the simplest way: lists and loops, nothing stored that can be computed.
 * Written from `docs/design.md`, not from the Lua.
 */
export class Oracle {
  limit: number;
  nowMs: number;
  readonly presenceMs: number;
  /** Record → expiry, ms. */
  readonly permits = new Map<string, { readonly claim: Claim; expiresAtMs: number }>();
  line: Claim[] = [];
  /** Client → present until, ms. */
  readonly present = new Map<string, number>();
  /** Record → remembered until, ms. */
  readonly #revoked = new Map<string, number>();
  #lastMs = 0;
  #grace = { fromMs: 0, sinceMs: 0, untilMs: 0 };

  constructor(limit: number, presenceMs: number, nowMs: number) {
    this.limit = limit;
    this.presenceMs = presenceMs;
    this.nowMs = nowMs;
  }

  get held(): number {
    return [...this.permits.values()].reduce((sum, { claim }) => sum + claim.weight, 0);
  }

  /** Returns what becomes of each: granted, queued, full impossible or revoked. */
  acquire(client: string, claims: readonly { claim: Claim; maxWaiting: number }[]): string[] {
    this.#begin();
    this.#handOff(client);
    let queuedAny = false;
    const answers = claims.map(({ claim, maxWaiting }) => {
      if (this.permits.has(claim.record)) {
        return 'granted';
      }
      if (this.#isRevoked(claim.record)) {
        return 'revoked';
      }
      if (this.line.length === 0 && this.held + claim.weight <= this.limit) {
        this.permits.set(claim.record, { claim, expiresAtMs: this.nowMs + claim.leaseMs });
        return 'granted';
      }
      if (!this.line.some(({ record }) => record === claim.record)) {
        if (this.limit > 0 && claim.weight > this.limit) {
          return 'impossible';
        }
        if (maxWaiting >= 0 && this.line.length >= maxWaiting) {
          return 'full';
        }
        this.line.push(claim);
      }
      queuedAny = true;
      return 'queued';
    });
    if (queuedAny) {
      this.present.set(client, this.nowMs + this.presenceMs);
    }
    return answers;
  }

  release(client: string, record: string): boolean | 'revoked' {
    this.#begin();
    const own = record.startsWith(`${client}/`);
    const held = own && this.permits.delete(record);
    if (own) {
      this.line = this.line.filter((claim) => claim.record !== record);
    }
    this.#handOff(client);
    return !held && this.#isRevoked(record) ? 'revoked' : held;
  }

  renew(client: string, record: string, leaseMs: number): boolean | 'revoked' {
    this.#begin();
    const permit = this.permits.get(record);
    if (permit !== undefined) {
      permit.expiresAtMs = this.nowMs + leaseMs;
    }
    this.#handOff(client);
    return permit === undefined && this.#isRevoked(record) ? 'revoked' : permit !== undefined;
  }

  beat(client: string, waiting: boolean, record: string): string {
    this.#begin();
    if (waiting) {
      this.present.set(client, this.nowMs + this.presenceMs);
    }
    this.#handOff(client, true);
    if (this.line.some((claim) => claim.record === record)) {
      return 'queued';
    }
    return this.permits.has(record) ? 'granted' : this.#isRevoked(record) ? 'revoked' : 'unknown';
  }

  resize(client: string, limit: number): void {
    this.#begin();
    this.limit = limit;
    this.#handOff(client);
  }

  revoke(client: string, record: string, memoryMs: number): boolean {
    this.#begin();
    const permit = this.permits.get(record);
    if (permit !== undefined || this.line.some((claim) => claim.record === record)) {
      this.permits.delete(record);
      this.line = this.line.filter((claim) => claim.record !== record);
      this.#revoked.set(record, Math.max(permit?.expiresAtMs ?? 0, this.nowMs + memoryMs));
    }
    this.#handOff(client);
    return this.#isRevoked(record);
  }

  #isRevoked(record: string): boolean {
    return (this.#revoked.get(record) ?? 0) > this.nowMs;
  }

  #begin(): void {
    if (this.#lastMs > 0 && this.nowMs - this.#lastMs > this.presenceMs / 2) {
      const { sinceMs, untilMs } = this.#grace;
      if (this.#lastMs >= untilMs || this.#lastMs - sinceMs > 3 * this.presenceMs) {
        this.#grace.fromMs = this.#lastMs;
        this.#grace.sinceMs = this.nowMs;
      }
      this.#grace.untilMs = this.nowMs + this.presenceMs;
    }
    this.#lastMs = this.nowMs;
    for (const [record, { expiresAtMs }] of this.permits) {
      if (expiresAtMs <= this.nowMs) {
        this.permits.delete(record);
      }
    }
  }

  #presentUntilMs(client: string): number {
    const untilMs = this.present.get(client) ?? 0;
    return untilMs > 0 && untilMs >= this.#grace.fromMs ? Math.max(untilMs, this.#grace.untilMs) : untilMs;
  }

  /** @param sweep who can't be served is taken out although there is no room */
  #handOff(caller: string, sweep = false): void {
    for (
      let head = this.line[0];
      head !== undefined && (sweep || this.held < this.limit);
      head = this.line[0]
    ) {
      const untilMs =
        head.client === caller ? this.nowMs + this.presenceMs : this.#presentUntilMs(head.client);
      if (untilMs > this.nowMs && (head.weight <= this.limit || this.limit === 0)) {
        if (this.held + head.weight > this.limit) {
          return;
        }
        const leaseMs = head.firm ? head.handOffLeaseMs : Math.min(head.handOffLeaseMs, untilMs - this.nowMs);
        this.permits.set(head.record, { claim: head, expiresAtMs: this.nowMs + leaseMs });
      }
      this.line.shift();
    }
  }
}
