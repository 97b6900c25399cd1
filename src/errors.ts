/** The literal `code` of every error that parkade raises; `instanceof` breaks across bundles, a code does not. */
export type ParkadeErrorCode =
  | 'ACQUIRE_TIMEOUT'
  | 'ACQUIRE_REVOKED'
  | 'PERMIT_NOT_HELD'
  | 'PERMIT_LOST'
  | 'LIMIT_MISMATCH'
  | 'WEIGHT_EXCEEDS_LIMIT'
  | 'QUEUE_FULL'
  | 'NOT_REPLICATED'
  | 'CLIENT_CLOSED'
  | 'INVALID_OPTIONS'
  | 'UNSUPPORTED_SERVER'
  | 'REDIS_UNAVAILABLE'
  | 'REDIS_REFUSED';

/** What all errors of parkade have in common. */
export abstract class ParkadeError extends Error {
  abstract readonly code: ParkadeErrorCode;
  /** The semaphore's name, or `undefined` where the error is not about one. */
  readonly semaphore: string | undefined;

  constructor(message: string, semaphore: string | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.semaphore = semaphore;
  }
}

/** The time-out of an acquire passed before its turn came. It holds nothing, and leaves the line as soon as Redis can be told. */
export class AcquireTimeoutError extends ParkadeError {
  readonly code = 'ACQUIRE_TIMEOUT';
  readonly timeoutMs: number;

  constructor(semaphore: string, timeoutMs: number, why = 'the semaphore is in use') {
    super(`No permit of '${semaphore}' within ${timeoutMs} ms: ${why}.`, semaphore);
    this.timeoutMs = timeoutMs;
  }
}

/** Somebody took the waiting request out of the line, by `revoke`. It holds nothing. */
export class AcquireRevokedError extends ParkadeError {
  readonly code = 'ACQUIRE_REVOKED';
  /** The id that its permit would have had. */
  readonly permitId: string;

  constructor(semaphore: string, permitId: string) {
    super(`The request ${permitId} was taken out of the line of '${semaphore}': it was revoked.`, semaphore);
    this.permitId = permitId;
  }
}

/** A bounded semaphore refused a release: the caller does not hold that permit (any more). Nothing changed. */
export class PermitNotHeldError extends ParkadeError {
  readonly code = 'PERMIT_NOT_HELD';
  /** The permit that was to be released; `undefined` if none was named. */
  readonly permitId: string | undefined;
  /** How many permits the handle holds. */
  readonly heldCount: number;

  constructor(semaphore: string, permitId: string | undefined, heldCount: number, why: string) {
    super(
      `'${semaphore}' is bounded and refused the release${permitId === undefined ? '' : ` of ${permitId}`}: ` +
        `${why}. This handle holds ${heldCount} permit${heldCount === 1 ? '' : 's'}.`,
      semaphore,
    );
    this.permitId = permitId;
    this.heldCount = heldCount;
  }
}

/** A permit ended before it was released: its lease did, or it was revoked. Somebody else may hold its units now. */
export class PermitLostError extends ParkadeError {
  readonly code = 'PERMIT_LOST';
  readonly permitId: string;
  readonly fencingToken: number;
  /** Somebody took it away by `revoke`; otherwise its lease ended. */
  readonly revoked: boolean;

  readonly #why: string;

  constructor(
    semaphore: string,
    permitId: string,
    fencingToken: number,
    why: string,
    { revoked = false, cause }: { readonly revoked?: boolean; readonly cause?: unknown } = {},
  ) {
    super(`Permit ${permitId} of '${semaphore}' is lost: ${why}.`, semaphore, cause);
    this.permitId = permitId;
    this.fencingToken = fencingToken;
    this.revoked = revoked;
    this.#why = why;
  }

  /** @internal The same, with what failed because of it, or besides. */
  causedBy(cause: unknown): PermitLostError {
    const { semaphore = '', permitId, fencingToken, revoked } = this;
    return new PermitLostError(semaphore, permitId, fencingToken, this.#why, { revoked, cause });
  }
}

/** Another process declared another limit for this semaphore, and `onLimitMismatch` is `'error'`. */
export class LimitMismatchError extends ParkadeError {
  readonly code = 'LIMIT_MISMATCH';
  /** The limit that this handle declares. */
  readonly limit: number;
  /** The limit that was declared before. */
  readonly declaredLimit: number;

  constructor(semaphore: string, limit: number, declaredLimit: number) {
    super(
      `'${semaphore}' was declared with limit ${declaredLimit}, here with ${limit}. Use the same limit everywhere, ` +
        `or say with onLimitMismatch what is to happen: 'adopt' the other one, or 'resize' to this one.`,
      semaphore,
    );
    this.limit = limit;
    this.declaredLimit = declaredLimit;
  }
}

/** The request asks for more units than the semaphore has, so it could never be granted. */
export class WeightExceedsLimitError extends ParkadeError {
  readonly code = 'WEIGHT_EXCEEDS_LIMIT';
  readonly weight: number;
  /** The limit in force. */
  readonly limit: number;

  constructor(semaphore: string, weight: number, limit: number) {
    super(`Weight ${weight} can never fit into '${semaphore}', whose limit is ${limit}.`, semaphore);
    this.weight = weight;
    this.limit = limit;
  }
}

/** The line is as long as `maxWaiting` allows. Nothing was queued. */
export class QueueFullError extends ParkadeError {
  readonly code = 'QUEUE_FULL';
  readonly maxWaiting: number;
  /** How many were waiting. */
  readonly waiting: number;

  constructor(semaphore: string, maxWaiting: number, waiting: number) {
    super(`The line of '${semaphore}' is full: ${waiting} waiting, maxWaiting is ${maxWaiting}.`, semaphore);
    this.maxWaiting = maxWaiting;
    this.waiting = waiting;
  }
}

/** A grant was not acknowledged by as many replicas as `minReplicas` asks for. It was given back, and nothing is held. */
export class NotReplicatedError extends ParkadeError {
  readonly code = 'NOT_REPLICATED';
  /** How many replicas should have acknowledged it. */
  readonly wanted: number;
  /** How many have, as far as is known. */
  readonly acknowledged: number;
  readonly timeoutMs: number;

  constructor(semaphore: string, wanted: number, acknowledged: number, timeoutMs: number, cause?: unknown) {
    super(
      `A permit of '${semaphore}' was granted, but acknowledged by ${acknowledged} of ${wanted} replicas within ` +
        `${timeoutMs} ms, so it was given back. Check that so many replicas are connected and keep up.`,
      semaphore,
      cause,
    );
    this.wanted = wanted;
    this.acknowledged = acknowledged;
    this.timeoutMs = timeoutMs;
  }
}

/** The client was closed before or while the call ran. A waiting call leaves the line, and nothing of it is held. */
export class ClientClosedError extends ParkadeError {
  readonly code = 'CLIENT_CLOSED';

  constructor(semaphore: string | undefined) {
    super('The SemaphoreClient is closed: make a new one to go on.', semaphore);
  }
}

/** An option or argument is not what is allowed. Nothing was done. */
export class InvalidOptionsError extends ParkadeError {
  readonly code = 'INVALID_OPTIONS';
  /** One sentence for each bad option: which, what came, what is allowed. */
  readonly problems: readonly string[];

  constructor(what: string, problems: readonly string[], semaphore?: string) {
    super(`${what}: ${problems.join('; ')}.`, semaphore);
    this.problems = problems;
  }
}

/** The server is too old to run the scripts. None was sent to it. */
export class UnsupportedServerError extends ParkadeError {
  readonly code = 'UNSUPPORTED_SERVER';
  readonly version: string;
  readonly minimum: string;

  constructor(version: string, minimum: string, address: string) {
    super(
      `The server at ${address} is version ${version}; parkade needs Redis ${minimum} or newer, or Valkey.`,
      undefined,
    );
    this.version = version;
    this.minimum = minimum;
  }
}

/**
 * Redis did not answer for as long as `unavailableAfterMs` allows. What was asked is given up: a request is
 * taken out of the line as soon as Redis is back, a permit that could not be released ends with its lease.
 */
export class RedisUnavailableError extends ParkadeError {
  readonly code = 'REDIS_UNAVAILABLE';
  /** Where it was tried, without password. */
  readonly address: string;

  constructor(
    doing: string,
    address: string,
    afterMs: number,
    semaphore: string | undefined,
    cause?: unknown,
  ) {
    const last = cause instanceof Error && cause.message ? ` The last error was: ${cause.message}.` : '';
    super(
      `Redis at ${address} did not answer for ${afterMs} ms, so parkade could not ${doing}.${last} ` +
        'Check that it runs there and can be reached.',
      semaphore,
      cause,
    );
    this.address = address;
  }
}

/** Redis answered with an error of its own (OOM, NOAUTH, NOPERM, WRONGTYPE, …), which is the `cause`. */
export class RedisRefusedError extends ParkadeError {
  readonly code = 'REDIS_REFUSED';

  constructor(doing: string, semaphore: string | undefined, cause: Error) {
    super(`Redis refused to ${doing}: ${cause.message}`, semaphore, cause);
  }
}
