/** Without the contenders themselves: what the program needs to speak of them. */
export type ContenderName =
  | 'parkade'
  // With somebody who listens to its metrics.
  | 'parkade + OTel'
  // Without the looks whether somebody does.
  | 'parkade, mute'
  // Peers.
  | 'redis-semaphore'
  | 'bottleneck'
  | 'redlock'
  // Bounds of what is possible: the ceiling, and floors.
  | 'async-sema'
  | 'SET NX + DEL'
  | 'EVALSHA'
  | 'PUBLISH'
  | 'PUBLISH, one connection';
