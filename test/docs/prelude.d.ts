// What the pages' snippets take for granted. Not part of the project's own program: these are globals.
import type * as parkade from 'parkade';

declare global {
  /** Of the README's first lines. */
  const client: parkade.SemaphoreClient;
  const api: parkade.Semaphore;
  const db: parkade.BoundedSemaphore;
  const semaphore: parkade.Semaphore;
  const permit: parkade.Permit;

  /** What users have of their own. */
  const url: string;
  const urls: string[];
  const signal: AbortSignal;
  const card: string;
  function charge(card: string, fencingToken: number): Promise<void>;
  function fetchPage(url: string, signal: AbortSignal): Promise<string>;
  function work(signal?: AbortSignal): Promise<void>;
  const statsd: { timing(name: string, ms: number, tags: Record<string, string>): void };
  const logger: { warn(message: unknown): void };
}
