import type { ConnectionOptions } from 'node:tls';
import * as z from 'zod/mini';
import { InvalidOptionsError } from './errors.ts';

const day = 24 * 60 * 60 * 1000;
/** Longer durations don't fit into a Node timer. */
const longestMs = 2 ** 31 - 1;

const int = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));
const ms = (least: number) => int(least, longestMs);
const count = (least: number) => z.int().check(z.gte(least));
const leaseMs = ms(100);

/** No braces, since the name is the Cluster hash tag; nothing that garbles a terminal. */
const word = (most: number, forbidden: RegExp, what: string) =>
  z.string().check(
    z.minLength(1),
    z.refine((text) => [...text].length <= most, { error: `at most ${most} characters` }),
    z.refine((text) => !forbidden.test(text), { error: `no ${what}` }),
    z.refine((text) => text.isWellFormed(), { error: 'well-formed unicode (no lone surrogates)' }),
  );

const nameSchema = word(200, /[{}\p{Cc}]/u, 'braces and control characters');

const clientSchema = z.strictObject({
  prefix: z._default(word(50, /[{}\p{Cc}]/u, 'braces and control characters'), 'parkade'),
  label: z.optional(word(50, /[/{}\p{Cc}]/u, 'slashes, braces and control characters')),
  presenceMs: z._default(ms(100), 10_000),
  retentionMs: z._default(ms(1000), day),
  unavailableAfterMs: z._default(ms(1), 10_000),
  attemptTimeoutMs: z._default(ms(10), 2_000),
  tls: z.optional(
    z.custom<ConnectionOptions>((value) => typeof value === 'object' && value !== null, {
      error: 'options of tls.connect',
    }),
  ),
});

const semaphoreSchema = z.strictObject({
  limit: count(0),
  leaseMs: z._default(leaseMs, 30_000),
  renew: z._default(z.boolean(), true),
  maxHoldMs: z.optional(ms(1)),
  maxWaiting: z.optional(count(0)),
  minReplicas: z._default(count(0), 0),
  replicaTimeoutMs: z._default(ms(10), 1_000),
  onLimitMismatch: z._default(z.enum(['error', 'adopt', 'resize']), 'error'),
});

const tryAcquireSchema = z.strictObject({
  weight: z.optional(count(1)),
  leaseMs: z.optional(leaseMs),
  renew: z.optional(z.boolean()),
});

const acquireSchema = z.extend(tryAcquireSchema, {
  timeoutMs: z.optional(ms(0)),
  signal: z.optional(
    z.custom<AbortSignal>((value) => value instanceof AbortSignal, { error: 'an AbortSignal' }),
  ),
});

const inspectSchema = z.strictObject({
  pageSize: z._default(int(1, 10_000), 100),
  page: z._default(count(0), 0),
});

const listSchema = z.strictObject({
  match: z._default(z.string().check(z.minLength(1), z.maxLength(1_000)), '*'),
  stepSize: z._default(int(1, 10_000), 1_000),
  pauseMs: z._default(ms(0), 5),
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
  parse(z.strictObject({ limit: count(0) }), { limit }, `Bad limit for '${name}'`, name).limit;
export const parseLeaseMs = (name: string, value: unknown): number =>
  parse(z.strictObject({ leaseMs }), { leaseMs: value }, `Bad lease for a permit of '${name}'`, name).leaseMs;

function parse<S extends z.ZodMiniType>(
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
