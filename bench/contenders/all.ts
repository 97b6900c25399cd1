import { asyncSema } from './async-sema.ts';
import { bareLock, barePublish, bareScript } from './bare.ts';
import { bottleneck } from './bottleneck.ts';
import type { Contender } from './contender.ts';
import type { ContenderName } from './names.ts';
import { parkade } from './parkade.ts';
import { parkadeOtel } from './parkade-otel.ts';
import { redisSemaphore } from './redis-semaphore.ts';
import { redlock } from './redlock.ts';

export const contenders: Record<ContenderName, Contender> = {
  parkade,
  'parkade + OTel': parkadeOtel,
  'redis-semaphore': redisSemaphore,
  bottleneck,
  redlock,
  'async-sema': asyncSema,
  'SET NX + DEL': bareLock,
  EVALSHA: bareScript,
  PUBLISH: barePublish,
};
