/** @module parkade */

export type { BoundedSemaphore } from './bounded-semaphore.ts';
export { SemaphoreClient, type SemaphoreClientEvents } from './client.ts';
export {
  AcquireRevokedError,
  AcquireTimeoutError,
  ClientClosedError,
  InvalidOptionsError,
  LimitMismatchError,
  NotReplicatedError,
  ParkadeError,
  type ParkadeErrorCode,
  PermitLostError,
  PermitNotHeldError,
  QueueFullError,
  RedisRefusedError,
  RedisUnavailableError,
  UnsupportedServerError,
  WeightExceedsLimitError,
} from './errors.ts';
export {
  type AcquireFailure,
  onFact,
  type ParkadeFacts,
  type PermitFact,
  type RequestFact,
} from './facts.ts';
export type { Holder, SemaphoreSnapshot, WaiterInLine } from './inspector.ts';
export type {
  AcquireOptions,
  InspectOptions,
  ListOptions,
  OnLimitMismatch,
  SemaphoreClientOptions,
  SemaphoreOptions,
  TryAcquireOptions,
} from './options.ts';
export type { Permit } from './permit.ts';
export type { IoredisLike } from './redis/ioredis-like.ts';
export type { NodeRedisLike } from './redis/node-redis-like.ts';
export type { Semaphore } from './semaphore.ts';
