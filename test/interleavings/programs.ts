import type { Op, Program } from './program.ts';

const acquire: Op = { do: 'acquire', as: 'x' };
const release: Op = { do: 'release', of: 'x' };
const abort: Op = { do: 'abort', of: 'x' };
/** Held until its lease ends. */
const brief: Op = { do: 'acquire', as: 'x', leaseMs: 500, renew: false };

/** Those of `npm test`: small, and each for rules that others don't need. */
export const smallPrograms: readonly Program[] = [
  {
    name: 'hand-over',
    about: 'two ask for one unit and give it back, and a message is lost or comes twice',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { 'lose-message': 1, 'double-message': 1 },
    horizonMs: 0,
  },
  {
    name: 'second thoughts',
    about: 'who waits gives up while it may be served',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, abort, release],
    ],
    horizonMs: 0,
  },
  {
    name: 'lost replies',
    about: 'a request or a reply is lost, and the call is made again',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { 'lose-reply': 1, 'lose-request': 1 },
    horizonMs: 0,
  },
  {
    name: 'a loss of data',
    about: 'FLUSHALL while one holds for a while and one waits',
    limit: 1,
    clients: [[brief], [acquire, release]],
    faults: { flush: 1 },
    horizonMs: 0,
  },
  {
    name: 'a loss of data, and releases',
    about: 'FLUSHALL while one holds and one waits',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { flush: 1 },
    horizonMs: 0,
  },
  {
    name: 'late replies',
    about: 'a reply comes when the permit that it grants has nearly ended, or has',
    limit: 1,
    clients: [[brief], [brief]],
    faults: { delay: 1 },
    horizonMs: 510,
  },
  {
    name: 'calls that overtake',
    about: 'a call is executed ahead of an earlier one of its client',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { overtake: 1 },
    horizonMs: 0,
  },
  {
    name: 'a renewal',
    about: 'it is made, or lost and made again, while one waits',
    limit: 1,
    clients: [
      [acquire, { do: 'renew', of: 'x', leaseMs: 500 }, release],
      [acquire, release],
    ],
    faults: { 'lose-reply': 1 },
    horizonMs: 0,
  },
  {
    name: 'a crash',
    about: 'one dies wherever it stands',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { crash: 1 },
    horizonMs: 0,
  },
  {
    name: 'a deaf client',
    about: 'the connection for messages breaks',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { deafen: 1 },
    horizonMs: 0,
  },
];

/** Those that take longer. */
const largePrograms: readonly Program[] = [
  {
    name: 'a waiter dies',
    about: 'the first in line ends without a word',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, { do: 'crash' }],
      [acquire, release],
    ],
    horizonMs: 0,
  },
  {
    name: 'second thoughts, and another request',
    about: 'who waits gives up while it may be served, and asks again',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, abort, release, { do: 'acquire', as: 'y' }, { do: 'release', of: 'y' }],
    ],
    horizonMs: 0,
  },
  {
    name: 'weights',
    about: 'a heavy request at the head is not overtaken by a light one',
    limit: 2,
    clients: [
      [acquire, release],
      [{ do: 'acquire', as: 'x', weight: 2 }, release],
      [{ do: 'try', as: 'x' }, release],
    ],
    horizonMs: 0,
  },
  {
    name: 'a holder dies',
    about: 'one holds, or has just asked, and ends without a word',
    limit: 1,
    clients: [
      [acquire, { do: 'crash' }],
      [acquire, release],
    ],
    horizonMs: 3_100,
  },
  {
    name: 'late releases',
    about: 'a reply or a release comes when the permit has nearly ended, or has',
    limit: 1,
    clients: [
      [{ do: 'acquire', as: 'x', leaseMs: 500, renew: false }, release],
      [{ do: 'try', as: 'x' }, release],
    ],
    faults: { delay: 1 },
    horizonMs: 510,
  },
  {
    name: 'cuts',
    about: 'a connection breaks: what is under way comes twice, and old copies late',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, abort, release],
    ],
    faults: { 'cut-late': 1 },
    horizonMs: 0,
  },
  {
    name: 'second thoughts, and calls that overtake',
    about: 'who waits gives up while it may be served, and asks again; calls overtake each other',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, abort, release, { do: 'acquire', as: 'y' }, { do: 'release', of: 'y' }],
    ],
    faults: { overtake: 1 },
    horizonMs: 0,
  },
  {
    name: 'limits, and releases',
    about: 'the limit is set up while one waits, and a try meets it',
    limit: 1,
    clients: [
      [acquire, { do: 'resize', limit: 2 }, release],
      [acquire, release],
    ],
    horizonMs: 0,
  },
  {
    name: 'crashes',
    about: 'one dies wherever it stands, and time passes',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { crash: 1 },
    horizonMs: 3_100,
  },
  {
    name: 'three and a loss of data',
    about: 'FLUSHALL while one holds for a while and two wait',
    limit: 1,
    clients: [[brief], [brief], [brief]],
    faults: { flush: 1 },
    horizonMs: 0,
  },
  {
    name: 'three in line, and one dies',
    about: 'three hold for a while, one after the other; one dies wherever it stands',
    limit: 1,
    clients: [[brief], [brief], [brief]],
    faults: { crash: 1 },
    horizonMs: 0,
  },
  {
    name: 'a cut',
    about: 'a connection breaks, and what is unanswered is sent again',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { cut: 1 },
    horizonMs: 0,
  },
  {
    name: 'long delays',
    about: 'channels stand still while leases and presences end',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { delay: 2 },
    horizonMs: 3_100,
  },
  {
    name: 'paused',
    about: 'an event loop stands still past its lease',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { pause: 1 },
    horizonMs: 4_000,
  },
  {
    name: 'renewals',
    about: 'a renewal, lost and made again, meets the release and the next in line',
    limit: 1,
    clients: [
      [acquire, { do: 'renew', of: 'x', leaseMs: 500 }, release],
      [acquire, release],
    ],
    faults: { 'lose-reply': 1, delay: 1 },
    horizonMs: 1_100,
  },
  {
    name: 'a deaf subscriber',
    about: 'the connection for messages breaks, and messages are lost',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { deafen: 1, 'lose-message': 2 },
    horizonMs: 2_100,
  },
  {
    name: 'a loss of data under fire',
    about: 'FLUSHALL with a delay and a crash',
    limit: 1,
    clients: [
      [acquire, release],
      [acquire, release],
    ],
    faults: { flush: 1, delay: 1, crash: 1 },
    horizonMs: 1_600,
  },
];

export const allPrograms: readonly Program[] = [...smallPrograms, ...largePrograms];
