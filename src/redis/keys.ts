/** The four keys of a semaphore. The name is the hash tag, so they share one Cluster slot. */
export interface SemaphoreKeys {
  /** Sorted set: record → lease expiry, ms of the server's clock. */
  readonly permits: string;
  /** Sorted set: record → ticket; the line in order. */
  readonly waiters: string;
  /** Sorted set: client id → present until, ms; clients that wait. And markers of added units and of revoked records. */
  readonly clients: string;
  /** Hash: the numbers that `lua/shared/numbers.lua` lists. */
  readonly state: string;
}

export function keysOf(prefix: string, name: string): SemaphoreKeys {
  const stem = `${prefix}:{${name}}`;
  return {
    permits: `${stem}:permits`,
    waiters: `${stem}:waiters`,
    clients: `${stem}:clients`,
    state: `${stem}:state`,
  };
}

/**
 * A key in the same slot that never exists, which every script that writes is given besides. While a slot moves, Redis
 * refuses scripts of which a key is missing at the node (TRYAGAIN, ASK) before they begin. Without it one may begin while
 * all four keys are there, empty one of them, and be stopped in the middle when it looks at that one again.
 */
export function absentKeyOf(prefix: string, name: string): string {
  return `${prefix}:{${name}}:absent`;
}

/** What the state keys of all semaphores look like whose names fit a pattern of Redis's kind. */
export function statePattern(prefix: string, names: string): string {
  return `${literally(prefix)}:{${names}}:state`;
}

/** The name of the semaphore that has this state key, or `undefined` if it is none. */
export function nameOfStateKey(prefix: string, key: string): string | undefined {
  const [start, end] = [`${prefix}:{`, '}:state'];
  return key.startsWith(start) && key.endsWith(end) ? key.slice(start.length, -end.length) : undefined;
}

/** A text as a pattern of Redis's kind that fits nothing else. */
export function literally(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

/** Where messages for a client go. */
export function channelOf(prefix: string, clientId: string): string {
  return `${prefix}:${clientId}`;
}

/** The end of a client id whose messages are to be tried on its shard channels first. */
export const shardMark = '+';

/** Where they go then: in the slot of the semaphore. `lua/shared/announce.lua` makes the same of the state key. */
export function shardChannelOf(prefix: string, name: string, clientId: string): string {
  return `${prefix}:{${name}}:${clientId}`;
}

/** What a record, the member of both permits and waiters, says. */
export interface RecordParts {
  readonly clientId: string;
  /** Rises with every request of a client. */
  readonly requestNo: number;
  readonly weight: number;
  /** The lease that a hand-off gives, ms. */
  readonly leaseMs: number;
  /** Nobody renews it, so a hand-off must give the lease in full. Written as a `!` at the end. */
  readonly firm: boolean;
}

export function writeRecord(parts: RecordParts): string {
  const { clientId, requestNo, weight, leaseMs, firm } = parts;
  return `${clientId}/${requestNo}/${weight}/${leaseMs}${firm ? '!' : ''}`;
}

/** The parts of a record, or `undefined` if the text is none. */
export function readRecord(record: string): RecordParts | undefined {
  const match = /^(.+)\/(\d+)\/(\d+)\/(\d+)(!?)$/su.exec(record);
  if (match === null) {
    return undefined;
  }
  const [, clientId = '', requestNo, weight, leaseMs, firm] = match;
  return {
    clientId,
    requestNo: Number(requestNo),
    weight: Number(weight),
    leaseMs: Number(leaseMs),
    firm: firm === '!',
  };
}
