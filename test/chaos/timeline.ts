/**
 * What happened, put together from a history: the story of each worker, each request and each permit. No judgement here;
 * the checks (checks/) make those.
 */
import { traitsOf } from './fault-kinds.ts';
import type { History, SupervisorEvent } from './history.ts';
import { reconnectMs } from './settings.ts';
import {
  type FaultStory,
  ms,
  type PermitStory,
  type RequestStory,
  type Timeline,
  type WorkerStory,
} from './stories.ts';

export function buildTimeline(history: History): Timeline {
  const { supervisor } = history;
  const settings = supervisor.find((event) => event.kind === 'settings')?.settings;
  if (settings === undefined) throw new Error('the history has no settings');
  const endAt = Math.max(...supervisor.slice(-1).map(({ at }) => at), 0);
  const faults = faultsOf(supervisor, endAt);
  const timeline = {
    settings,
    workers: [] as WorkerStory[],
    requests: [] as RequestStory[],
    permits: [] as PermitStory[],
    foreignReleases: [] as { at: number; worker: string; permit: string; result: boolean | string }[],
    faults,
    snapshots: supervisor.filter((event) => event.kind === 'snapshot'),
    phases: Object.fromEntries(
      supervisor.filter((event) => event.kind === 'phase').map(({ phase, at }) => [phase, at]),
    ),
    endAt,
    history,
  };
  for (const name of history.workers.keys()) {
    tellWorker(name, timeline);
  }
  timeline.permits.sort((a, b) => a.grantedAt - b.grantedAt);
  timeline.requests.sort((a, b) => a.askedAt - b.askedAt);
  return timeline;
}

function faultsOf(supervisor: readonly SupervisorEvent[], endAt: number): FaultStory[] {
  const ends = new Map(
    supervisor.filter((event) => event.kind === 'fault ends').map((event) => [event.id, event]),
  );
  return supervisor
    .filter((event) => event.kind === 'fault begins')
    .map(({ id, fault, slot, value = 0, at }) => {
      const end = ends.get(id);
      const to = end?.at ?? endAt;
      return { id, kind: fault, slot, value, from: at, to, note: end?.note, servedAt: end?.servedAt ?? to };
    });
}

type Building = { -readonly [K in keyof Timeline]: Timeline[K] } & {
  workers: WorkerStory[];
  requests: RequestStory[];
  permits: PermitStory[];
  foreignReleases: Timeline['foreignReleases'][number][];
};

function tellWorker(name: string, timeline: Building): void {
  const events = timeline.history.workers.get(name) ?? [];
  const worker = workerOf(name, timeline);
  if (worker === undefined) return; // killed before it could say a word
  timeline.workers.push(worker);
  const requests = new Map<number, RequestStory>();
  const permits = new Map<string, PermitStory>();
  for (const event of events) {
    const permit = 'permit' in event ? permits.get(event.permit) : undefined;
    const request = 'request' in event ? requests.get(event.request) : undefined;
    if (event.kind === 'ask') {
      const { weight, leaseMs, at } = event;
      const asked = { key: `${name}#${event.request}`, worker, weight, leaseMs, askedAt: at };
      const story: RequestStory = {
        ...asked,
        endedAt: Number.POSITIVE_INFINITY,
        outcome: 'open',
        code: undefined,
        permit: undefined,
      };
      requests.set(event.request, story);
      timeline.requests.push(story);
    } else if (event.kind === 'granted' && request !== undefined) {
      const story = permitOf(event, request);
      request.endedAt = event.at;
      request.outcome = 'granted';
      request.permit = story;
      permits.set(event.permit, story);
      timeline.permits.push(story);
    } else if (event.kind === 'refused' && request !== undefined) {
      request.endedAt = event.at;
      request.outcome = event.outcome;
      request.code = event.code;
    } else if (event.kind === 'trusts' && permit !== undefined) {
      permit.lastTrustAt = event.at;
    } else if (event.kind === 'lost' && permit !== undefined) {
      permit.lostAt = event.at;
      permit.lostTickAt = event.tickedAt;
    } else if (event.kind === 'releasing' && permit !== undefined) {
      permit.releasingAt = event.at;
      permit.heldAtRelease = event.held;
      if (!event.held) permit.lostTickAt ??= event.tickedAt;
    } else if (event.kind === 'released') {
      const { at, which, result } = event;
      if (which === 'foreign')
        timeline.foreignReleases.push({ at, worker: name, permit: event.permit, result });
      else permit?.releases.push({ at, which, result });
    }
  }
}

function permitOf(
  event: { permit: string; weight: number; token: number; at: number; held: boolean },
  request: RequestStory,
): PermitStory {
  return {
    permit: event.permit,
    request,
    worker: request.worker,
    weight: event.weight,
    token: event.token,
    grantedAt: event.at,
    heldAtFirst: event.held,
    lostAt: undefined,
    lostTickAt: undefined,
    lastTrustAt: undefined,
    releasingAt: undefined,
    heldAtRelease: undefined,
    releases: [],
  };
}

function workerOf(name: string, { history, faults, settings, endAt }: Building): WorkerStory | undefined {
  const events = history.workers.get(name) ?? [];
  const started = events.find((event) => event.kind === 'started');
  if (started === undefined) return undefined;
  const { slot, client, at: startedAt } = started;
  const killed = history.supervisor.find((event) => event.kind === 'killed' && event.worker === name);
  const exited = history.supervisor.find((event) => event.kind === 'exited' && event.worker === name);
  const endedAt = killed?.at ?? exited?.at ?? endAt;
  const onIt = faults.filter((fault) => fault.slot === slot && fault.from < endedAt && fault.to > startedAt);
  const lags = events.filter((event) => event.kind === 'lagged').map(({ from, at }) => ({ from, to: at }));
  const stops = onIt.filter(({ kind }) => kind === 'stop' || kind === 'block');
  const onAll = faults.filter(({ kind }) => traitsOf(kind).strikes === 'server' && kind !== 'resize');
  const recoveryUs = (reconnectMs + settings.presenceMs / 3 + settings.attemptTimeoutMs) * ms;
  const disturbing = [...onIt, ...onAll].map(({ from, to }) => ({ from, to: to + recoveryUs }));
  // A time-out or an abort says nothing of Redis, which it may never have reached; nor does an error.
  const answer = events.find(
    (event) =>
      event.kind === 'granted' ||
      event.kind === 'restored' ||
      (event.kind === 'refused' && event.outcome === 'not at once'),
  );
  return {
    worker: name,
    slot,
    client,
    startedAt,
    endedAt,
    wasKilled: killed !== undefined,
    lastSignAt: Math.max(...events.slice(-1).map(({ at }) => at)),
    pauses: [...lags, ...stops],
    disturbances: [...disturbing, ...lags],
    firstAnswerAt: answer?.at ?? Number.POSITIVE_INFINITY,
  };
}
