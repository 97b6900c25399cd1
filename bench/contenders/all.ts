import type { Contender } from './contender.ts';
import type { ContenderName } from './names.ts';

/** Each is loaded only where it takes part: a process that runs one should not carry the others. */
export const contenders: Record<ContenderName, () => Promise<Contender>> = {
  parkade: async () => (await import('./parkade.ts')).parkade,
  'parkade + OTel': async () => (await import('./parkade-otel.ts')).parkadeOtel,
  'parkade, mute': async () => (await import('./parkade-mute.ts')).parkadeMute,
  'redis-semaphore': async () => (await import('./redis-semaphore.ts')).redisSemaphore,
  bottleneck: async () => (await import('./bottleneck.ts')).bottleneck,
  redlock: async () => (await import('./redlock.ts')).redlock,
  'async-sema': async () => (await import('./async-sema.ts')).asyncSema,
  'SET NX + DEL': async () => (await import('./bare.ts')).bareLock,
  EVALSHA: async () => (await import('./bare.ts')).bareScript,
  PUBLISH: async () => (await import('./bare.ts')).barePublish,
  'PUBLISH, one connection': async () => (await import('./bare.ts')).barePublishOnOne,
};
