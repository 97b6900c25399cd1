import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Resolves when the next request of this process has got its place in line. */
export function nextQueued(): Promise<void> {
  return new Promise((resolve) => {
    subscribe('parkade:acquire:queued', function hear() {
      unsubscribe('parkade:acquire:queued', hear);
      resolve();
    });
  });
}
