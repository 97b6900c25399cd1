/**
 * What the command ends with, in the tradition of sysexits and of shells. `run` ends with the code of what it ran, unless
 * something else happened first.
 */
export const exitCodes = {
  ok: 0,
  /** What was asked for is not there: no such semaphore, no such permit. */
  notFound: 1,
  /** EX_USAGE: an option or argument is not what is allowed. */
  usage: 64,
  /** EX_UNAVAILABLE: Redis can't be reached, or refuses. */
  unavailable: 69,
  /** EX_SOFTWARE: a bug. */
  software: 70,
  /** EX_TEMPFAIL: no permit within the time-out. */
  timeout: 75,
  /** EX_CONFIG: others declared another limit. */
  mismatch: 78,
  /** The permit was lost, or the request revoked, so the command was ended or never begun. */
  lost: 79,
  /** As shells have it: the command is there and can't be run; it is not there. */
  notExecutable: 126,
  commandNotFound: 127,
  /** As shells have it: ended by a signal, whose number is added. */
  signal: 128,
} as const;
