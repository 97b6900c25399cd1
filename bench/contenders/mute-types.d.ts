/** The library as it is, but for what tells the facts (bench/build-worker.ts). */
declare module 'parkade-mute' {
  export { SemaphoreClient } from 'parkade';
}
