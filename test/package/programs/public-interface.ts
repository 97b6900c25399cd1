// The types of the public interface. Compiled, never run: against the sources by `npm run check`, against the published
// declarations by the tests of the package. Whatever is marked @ts-expect-error must not compile.
import { expectTypeOf } from 'expect-type';
import * as parkade from 'parkade';
import {
  type AcquireFailure,
  type AcquireOptions,
  type AcquireRevokedError,
  AcquireTimeoutError,
  type BoundedSemaphore,
  type ClientClosedError,
  type Holder,
  type InspectOptions,
  type InvalidOptionsError,
  type IoredisLike,
  type LimitMismatchError,
  type ListOptions,
  type NodeRedisLike,
  type NotReplicatedError,
  type OnLimitMismatch,
  onFact,
  ParkadeError,
  type ParkadeErrorCode,
  type Permit,
  type PermitFact,
  type PermitLostError,
  type PermitNotHeldError,
  type QueueFullError,
  type RedisRefusedError,
  type RedisUnavailableError,
  type RequestFact,
  type Semaphore,
  SemaphoreClient,
  type SemaphoreClientEvents,
  type SemaphoreClientOptions,
  type SemaphoreOptions,
  type SemaphoreSnapshot,
  type TryAcquireOptions,
  type UnsupportedServerError,
  type WaiterInLine,
  type WeightExceedsLimitError,
} from 'parkade';

declare const client: SemaphoreClient;
declare const api: Semaphore;
declare const db: BoundedSemaphore;
declare const permit: Permit;
declare const ioredis: IoredisLike;
declare const nodeRedis: NodeRedisLike;

export function clients(): void {
  expectTypeOf(new SemaphoreClient('redis://localhost:6379')).toEqualTypeOf<SemaphoreClient>();
  new SemaphoreClient(ioredis, {});
  new SemaphoreClient(nodeRedis, { prefix: 'mine', label: 'pod-1', presenceMs: 1_000, retentionMs: 60_000 });
  new SemaphoreClient('rediss://redis', { tls: { ca: 'PEM' }, unavailableAfterMs: 1, attemptTimeoutMs: 10 });
  expectTypeOf<SemaphoreClientOptions['presenceMs']>().toEqualTypeOf<number | undefined>();
  expectTypeOf(client.id).toEqualTypeOf<string>();
  expectTypeOf(client.close).returns.toEqualTypeOf<Promise<void>>();
  expectTypeOf(client.close({ release: false })).toEqualTypeOf<Promise<void>>();
  expectTypeOf(client.revoke('api', 'id')).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(client.inspect('api', { pageSize: 1, page: 0 })).toEqualTypeOf<Promise<SemaphoreSnapshot>>();
  expectTypeOf(client.list({ match: 'jobs:*' })).toEqualTypeOf<AsyncGenerator<string, void, undefined>>();
  expectTypeOf<InspectOptions>().toEqualTypeOf<{
    pageSize?: number | undefined;
    page?: number | undefined;
  }>();
  expectTypeOf<keyof ListOptions>().toEqualTypeOf<'match' | 'stepSize' | 'pauseMs'>();
  // @ts-expect-error a client needs a connection
  new SemaphoreClient();
  // @ts-expect-error a port is no connection
  new SemaphoreClient(6379);
  // @ts-expect-error a misspelt option
  new SemaphoreClient('redis://localhost', { prefx: 'mine' });
  // @ts-expect-error the id is the client's own
  client.id = 'mine';
  // @ts-expect-error an option of close
  client.close({ force: true });
}

export function semaphores(): void {
  expectTypeOf(client.semaphore('api', { limit: 3 })).toEqualTypeOf<Semaphore>();
  expectTypeOf(client.boundedSemaphore('db', { limit: 3 })).toEqualTypeOf<BoundedSemaphore>();
  expectTypeOf<BoundedSemaphore>().toExtend<Semaphore>();
  expectTypeOf<SemaphoreOptions['limit']>().toEqualTypeOf<number>();
  expectTypeOf<OnLimitMismatch>().toEqualTypeOf<'error' | 'adopt' | 'resize'>();
  client.semaphore('api', {
    limit: 3,
    leaseMs: 1,
    renew: false,
    maxHoldMs: 1,
    maxWaiting: 0,
    minReplicas: 1,
  });
  client.semaphore('api', { limit: 3, onLimitMismatch: 'adopt', replicaTimeoutMs: 10, leaseMs: undefined });
  expectTypeOf(api.name).toEqualTypeOf<string>();
  expectTypeOf(api.limit).toEqualTypeOf<number>();
  expectTypeOf(api.resize(5)).toEqualTypeOf<Promise<void>>();
  expectTypeOf(api.inspect()).toEqualTypeOf<Promise<SemaphoreSnapshot>>();
  // @ts-expect-error a semaphore has a limit
  client.semaphore('api', {});
  // @ts-expect-error a semaphore has a limit
  client.boundedSemaphore('db');
  // @ts-expect-error durations have their unit in the name
  client.semaphore('api', { limit: 3, lease: 1_000 });
  // @ts-expect-error one of three words
  client.semaphore('api', { limit: 3, onLimitMismatch: 'ignore' });
  // @ts-expect-error a limit is a number
  client.semaphore('api', { limit: '3' });
  // @ts-expect-error the limit is set by resize
  api.limit = 5;
}

export async function permits(signal: AbortSignal | undefined): Promise<void> {
  await using held = await api.acquire({ timeoutMs: 3_000, weight: 2, leaseMs: 1_000, renew: true, signal });
  expectTypeOf(held).toEqualTypeOf<Permit>();
  expectTypeOf(api.tryAcquire({ weight: 2 })).toEqualTypeOf<Promise<Permit | null>>();
  expectTypeOf<AcquireOptions>().toExtend<TryAcquireOptions>();
  expectTypeOf(permit).toHaveProperty('id').toEqualTypeOf<string>();
  expectTypeOf(permit.weight).toEqualTypeOf<number>();
  expectTypeOf(permit.fencingToken).toEqualTypeOf<number>();
  expectTypeOf(permit.expiresInMs).toEqualTypeOf<number>();
  expectTypeOf(permit.isHeld).toEqualTypeOf<boolean>();
  expectTypeOf(permit.signal).toEqualTypeOf<AbortSignal>();
  expectTypeOf(permit.release()).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(permit.renew(1_000)).toEqualTypeOf<Promise<void>>();
  expectTypeOf(permit).toExtend<AsyncDisposable>();
  expectTypeOf(client).toExtend<AsyncDisposable>();
  expectTypeOf(api.release()).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(db.release(permit)).toEqualTypeOf<Promise<boolean>>();
  await db.release({ id: 'read from somewhere' });
  // @ts-expect-error tryAcquire does not wait
  await api.tryAcquire({ timeoutMs: 3_000 });
  // @ts-expect-error it may be null
  (await api.tryAcquire()).release();
  // @ts-expect-error the unit is in the name
  await api.acquire({ timeout: 3_000 });
  // @ts-expect-error a permit is released by its handle or id
  await api.release('id');
  // @ts-expect-error a permit comes by acquire
  new parkade.Permit();
  // @ts-expect-error a semaphore comes from a client
  new parkade.Semaphore();
  // @ts-expect-error it cannot be set
  permit.fencingToken = 7;
}

export async function runs(rows: AsyncIterable<Date>): Promise<void> {
  expectTypeOf(await api.run(() => 'done')).toEqualTypeOf<string>();
  expectTypeOf(await api.run(async ({ fencingToken }) => fencingToken)).toEqualTypeOf<number>();
  expectTypeOf(await api.run(async () => {}, { timeoutMs: 1 })).toEqualTypeOf<void>();
  expectTypeOf(await api.map(['a', 'b'], async (text) => text.length)).toEqualTypeOf<number[]>();
  expectTypeOf(await api.map(new Set([1]), (n, one, index) => [n, one.id, index] as const)).toEqualTypeOf<
    (readonly [number, string, number])[]
  >();
  expectTypeOf(await api.map(rows, (row) => row.getTime())).toEqualTypeOf<number[]>();
  // @ts-expect-error the items are strings
  await api.map(['a'], (item: number) => item);
  // @ts-expect-error a number is not iterable
  await api.map(5, (item) => item);
  // @ts-expect-error there is something to run
  await api.run();
}

export function snapshots(snapshot: SemaphoreSnapshot): void {
  expectTypeOf(snapshot.holders).toEqualTypeOf<readonly Holder[]>();
  expectTypeOf(snapshot.waiters).toEqualTypeOf<readonly WaiterInLine[]>();
  expectTypeOf<keyof Holder>().toEqualTypeOf<'id' | 'client' | 'weight' | 'expiresInMs'>();
  expectTypeOf<keyof WaiterInLine>().toEqualTypeOf<'id' | 'client' | 'weight' | 'position' | 'waitingMs'>();
  expectTypeOf(snapshot.exists).toEqualTypeOf<boolean>();
  expectTypeOf<Exclude<keyof SemaphoreSnapshot, 'holders' | 'waiters' | 'exists' | 'name'>>().toEqualTypeOf<
    'limit' | 'held' | 'available' | 'holding' | 'waiting' | 'oldestWaitMs'
  >();
  // @ts-expect-error a snapshot does not change
  snapshot.held = 0;
  // @ts-expect-error nor do its lists
  snapshot.holders.push();
}

/** Errors are told apart by their class, or by `code` where two copies of parkade are loaded. */
export function errors(error: unknown): number | readonly string[] | string | undefined {
  expectTypeOf<ParkadeError['code']>().toEqualTypeOf<ParkadeErrorCode>();
  expectTypeOf<ParkadeError>().toExtend<Error>();
  expectTypeOf<ParkadeError['semaphore']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<ParkadeErrorCode>().toEqualTypeOf<AnyError['code']>();
  // @ts-expect-error it is only what the others have in common
  new ParkadeError('message', 'api');
  // @ts-expect-error no such code
  const unknown: ParkadeErrorCode = 'TIMEOUT';

  if (!(error instanceof ParkadeError)) {
    return unknown;
  }
  if (error instanceof AcquireTimeoutError) {
    expectTypeOf<typeof error>().toEqualTypeOf<AcquireTimeoutError>();
    expectTypeOf<(typeof error)['code']>().toEqualTypeOf<'ACQUIRE_TIMEOUT'>();
  }
  const told = error as AnyError;
  switch (told.code) {
    case 'ACQUIRE_TIMEOUT':
      return told.timeoutMs;
    case 'ACQUIRE_REVOKED':
      return told.permitId;
    case 'PERMIT_NOT_HELD':
      return told.permitId ?? told.heldCount;
    case 'PERMIT_LOST':
      return told.revoked ? told.permitId : told.fencingToken;
    case 'LIMIT_MISMATCH':
      return told.limit - told.declaredLimit;
    case 'WEIGHT_EXCEEDS_LIMIT':
      return told.weight - told.limit;
    case 'QUEUE_FULL':
      return told.waiting - told.maxWaiting;
    case 'NOT_REPLICATED':
      return told.wanted - told.acknowledged + told.timeoutMs;
    case 'INVALID_OPTIONS':
      return told.problems;
    case 'UNSUPPORTED_SERVER':
      return told.version + told.minimum;
    case 'REDIS_UNAVAILABLE':
      return told.address;
    case 'CLIENT_CLOSED':
    case 'REDIS_REFUSED':
      return told.semaphore;
    default:
      expectTypeOf(told).toBeNever();
      return undefined;
  }
}

type AnyError =
  | AcquireRevokedError
  | AcquireTimeoutError
  | ClientClosedError
  | InvalidOptionsError
  | LimitMismatchError
  | NotReplicatedError
  | PermitLostError
  | PermitNotHeldError
  | QueueFullError
  | RedisRefusedError
  | RedisUnavailableError
  | UnsupportedServerError
  | WeightExceedsLimitError;

export function events(): void {
  expectTypeOf<keyof SemaphoreClientEvents>().toEqualTypeOf<'error' | 'lost' | 'restored'>();
  client.on('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>());
  client.once('lost', (error) => expectTypeOf(error).toEqualTypeOf<PermitLostError>());
  client.on('restored', (what) => {
    expectTypeOf(what.semaphore).toEqualTypeOf<string>();
    expectTypeOf(what.permits + what.waiters).toEqualTypeOf<number>();
  });
  // @ts-expect-error of permits that are lost one hears the error
  client.on('lost', (permit: Permit) => permit.release());
  expectTypeOf(onFact('parkade:acquire:start', () => {})).toEqualTypeOf<() => void>();
  onFact('parkade:acquire:granted', ({ request, permit: granted, waitMs, limit }) => {
    expectTypeOf(request).toEqualTypeOf<RequestFact>();
    expectTypeOf(granted).toEqualTypeOf<PermitFact>();
    expectTypeOf(waitMs + limit).toEqualTypeOf<number>();
  });
  onFact('parkade:acquire:failed', ({ outcome, error }) => {
    expectTypeOf(outcome).toEqualTypeOf<AcquireFailure>();
    expectTypeOf(error).toBeUnknown();
  });
  // @ts-expect-error no such channel
  onFact('parkade:acquire:end', () => {});
}
