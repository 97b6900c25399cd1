import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { InvalidOptionsError } from './errors.ts';

/** What a `SemaphoreClient` can be told. */
export interface SemaphoreClientOptions {
  /** First part of every key and channel. Default `'parkade'`. */
  prefix?: string;
  /** The readable part of the client's id, in place of `host:pid`. */
  label?: string;
  /**
   * For how long a client that says nothing keeps its places in line, in ms. Default 10,000. A live client
   * checks in every third of it. Give all clients of a semaphore the same.
   */
  presenceMs?: number;
  /** TTL of a semaphore's keys, in ms, counted from its last use. Default a day. */
  retentionMs?: number;
  /** How long Redis may be away before a call gives up with `RedisUnavailableError`, in ms. Default 10,000. */
  unavailableAfterMs?: number;
  /** How long one attempt waits for its reply before it is made again, in ms. Default 2,000. */
  attemptTimeoutMs?: number;
  /** How to do TLS where the url asks for it: as `tls.connect` has it, such as `{ ca }`. Not for a borrowed connection. */
  tls?: ConnectionOptions;
}

/** What happens when another process declared another limit for the same semaphore. */
export type OnLimitMismatch = 'error' | 'adopt' | 'resize';

/** What a semaphore can be told. Leases and renewal are the handle's own; the limit is everyone's. */
export interface SemaphoreOptions {
  /** How many units the semaphore has, an integer ≥ 0. */
  limit: number;
  /** For how long a permit is valid unless renewed, in ms. Default 30,000. */
  leaseMs?: number;
  /** Whether permits are renewed, every third of their lease, until released. Default `true`. */
  renew?: boolean;
  /** Stop renewing a permit after this time, in ms; it is then lost when its lease ends. Default: never. */
  maxHoldMs?: number;
  /** How many may wait, over all processes; one more is refused with `QueueFullError`. Default: any number. */
  maxWaiting?: number;
  /**
   * A grant is handed out only when so many replicas have acknowledged it, an integer ≥ 0; else it is given back, and
   * `acquire` rejects with `NotReplicatedError`. Makes it unlikely, not impossible, that a failover forgets it. Default 0.
   */
  minReplicas?: number;
  /** How long the replicas have for that, in ms. Default 1,000. */
  replicaTimeoutMs?: number;
  /** What happens when another process declared another limit. Default `'error'`. */
  onLimitMismatch?: OnLimitMismatch;
}

/** What a handle declares of the semaphore. */
export type Declaration = Readonly<Required<Pick<SemaphoreOptions, 'limit' | 'onLimitMismatch'>>>;

/** What one attempt to take a permit can be told. */
export interface TryAcquireOptions {
  /** How many units to take, an integer ≥ 1. Default 1. */
  weight?: number;
  /** Instead of the semaphore's own. */
  leaseMs?: number;
  /** Instead of the semaphore's own. */
  renew?: boolean;
}

/** What one acquire can be told. */
export interface AcquireOptions extends TryAcquireOptions {
  /** Give up after this time, in ms; 0 is one attempt without waiting. Default: wait as long as it takes. */
  timeoutMs?: number;
  /** Give up when this aborts, with its reason. */
  signal?: AbortSignal;
}

/** Which part of a large semaphore a snapshot lists. */
export interface InspectOptions {
  /** How many holders, and how many waiters, to list at most; 1 to 10,000. Default 100. */
  pageSize?: number;
  /** Which page of them, counted from 0. Default 0. */
  page?: number;
}

/** Which semaphores to find, and how gently. */
export interface ListOptions {
  /** Only names that fit this pattern, as in Redis: `*`, `?`, `[abc]`, and a backslash before what is meant literally. */
  match?: string;
  /** How many keys of the database Redis walks past in one step; 1 to 10,000. Default 1,000. */
  stepSize?: number;
  /** How long to leave Redis alone between two steps, in ms. Default 5. */
  pauseMs?: number;
}

const day = 24 * 60 * 60 * 1000;
/** Longer durations don't fit into a Node timer. */
const longestMs = 2 ** 31 - 1;

const ms = (least: number) => z.int().min(least).max(longestMs);
const leaseMs = ms(100);
const weight = z.int().min(1);

/** At most 200 characters; no braces, since the name is the Cluster hash tag; nothing that garbles a terminal. */
const word = (most: number, forbidden: RegExp, what: string) =>
  z
    .string()
    .min(1)
    .refine((text) => [...text].length <= most, { error: `at most ${most} characters` })
    .refine((text) => !forbidden.test(text), { error: `no ${what}` })
    .refine((text) => text.isWellFormed(), { error: 'well-formed unicode (no lone surrogates)' });

const nameSchema = word(200, /[{}\p{Cc}]/u, 'braces and control characters');

const clientSchema = z.strictObject({
  prefix: word(50, /[{}\p{Cc}]/u, 'braces and control characters').default('parkade'),
  label: word(50, /[/{}\p{Cc}]/u, 'slashes, braces and control characters').optional(),
  presenceMs: ms(100).default(10_000),
  retentionMs: ms(1000).default(day),
  unavailableAfterMs: ms(1).default(10_000),
  attemptTimeoutMs: ms(10).default(2_000),
  tls: z
    .custom<ConnectionOptions>((value) => typeof value === 'object' && value !== null, {
      error: 'options of tls.connect',
    })
    .optional(),
});

const semaphoreSchema = z.strictObject({
  limit: z.int().min(0),
  leaseMs: leaseMs.default(30_000),
  renew: z.boolean().default(true),
  maxHoldMs: ms(1).optional(),
  maxWaiting: z.int().min(0).optional(),
  minReplicas: z.int().min(0).default(0),
  replicaTimeoutMs: ms(10).default(1_000),
  onLimitMismatch: z.enum(['error', 'adopt', 'resize']).default('error'),
});

const tryAcquireSchema = z.strictObject({
  weight: weight.optional(),
  leaseMs: leaseMs.optional(),
  renew: z.boolean().optional(),
});

const acquireSchema = tryAcquireSchema.extend({
  timeoutMs: ms(0).optional(),
  signal: z
    .custom<AbortSignal>((value) => value instanceof AbortSignal, { error: 'an AbortSignal' })
    .optional(),
});

const inspectSchema = z.strictObject({
  pageSize: z.int().min(1).max(10_000).default(100),
  page: z.int().min(0).default(0),
});

const listSchema = z.strictObject({
  match: z.string().min(1).max(1_000).default('*'),
  stepSize: z.int().min(1).max(10_000).default(1_000),
  pauseMs: ms(0).default(5),
});

export type ClientSettings = z.output<typeof clientSchema>;
export type SemaphoreSettings = z.output<typeof semaphoreSchema>;
export type AcquireSettings = z.output<typeof acquireSchema>;
export type InspectSettings = z.output<typeof inspectSchema>;
export type ListSettings = z.output<typeof listSchema>;

export const parseName = (name: unknown): string => parse(nameSchema, name, 'Bad semaphore name');
export const parseClientOptions = (options: unknown): ClientSettings =>
  parse(clientSchema, options ?? {}, 'Bad options of the SemaphoreClient');
export const parseSemaphoreOptions = (name: string, options: unknown): SemaphoreSettings =>
  parse(semaphoreSchema, options ?? {}, `Bad options of semaphore '${name}'`, name);
export const parseAcquireOptions = (name: string, options: unknown): AcquireSettings =>
  options === undefined ? {} : parse(acquireSchema, options, `Bad options of acquire on '${name}'`, name);
export const parseTryAcquireOptions = (name: string, options: unknown): AcquireSettings =>
  options === undefined
    ? {}
    : parse(tryAcquireSchema, options, `Bad options of tryAcquire on '${name}'`, name);
export const parseInspectOptions = (name: string, options: unknown): InspectSettings =>
  parse(inspectSchema, options ?? {}, `Bad options of inspect on '${name}'`, name);
export const parseListOptions = (options: unknown): ListSettings =>
  parse(listSchema, options ?? {}, 'Bad options of list');
export const parseLimit = (name: string, limit: unknown): number =>
  parse(z.strictObject({ limit: z.int().min(0) }), { limit }, `Bad limit for '${name}'`, name).limit;
export const parseLeaseMs = (name: string, value: unknown): number =>
  parse(z.strictObject({ leaseMs }), { leaseMs: value }, `Bad lease for a permit of '${name}'`, name).leaseMs;

function parse<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  semaphore?: string,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  throw new InvalidOptionsError(
    what,
    result.error.issues.map((issue) => describe(issue, value)),
    semaphore,
  );
}

/** One sentence that names the option, what came and what is allowed. */
function describe(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `${issue.keys.join(', ')} is not an option`;
  }
  const came = issue.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  return `${issue.path.join('.') || 'it'} is ${show(came)}, allowed is ${allowed(issue)}`;
}

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      // Every number among the options is an integer.
      return ['int', 'number'].includes(issue.expected) ? 'an integer' : withArticle(issue.expected);
    case 'too_small':
      return issue.origin === 'string' ? 'at least one character' : `an integer ≥ ${issue.minimum}`;
    case 'too_big':
      return `an integer ≤ ${issue.maximum}`;
    case 'invalid_value':
      return issue.values.map((option) => `'${String(option)}'`).join(' or ');
    default:
      return issue.message;
  }
}

function withArticle(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') {
    return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`.replace(/\p{Cc}/gu, '\uFFFD');
  }
  return value === undefined
    ? 'missing'
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value);
}
