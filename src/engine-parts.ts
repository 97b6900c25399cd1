import type { Attempts } from './attempts.ts';
import type { Clock } from './clock.ts';
import type { Keeper } from './keeper.ts';
import type { Line } from './line.ts';
import type { SemaphoreStore } from './redis/store.ts';
import type { Session } from './session.ts';
import type { Teller } from './teller.ts';

/** What the engine of one semaphore is made of. Each module picks what it needs. */
export interface EngineParts {
  readonly name: string;
  readonly clientId: string;
  readonly presenceMs: number;
  readonly clock: Clock;
  readonly attempts: Attempts;
  readonly store: SemaphoreStore;
  readonly session: Session;
  readonly line: Line;
  readonly keeper: Keeper;
  readonly teller: Teller;
}
