/** @module parkade/otel */

import {
  type Attributes,
  type MeterProvider,
  metrics,
  type TracerProvider,
  trace,
  ValueType,
} from '@opentelemetry/api';
import { InvalidOptionsError } from '../errors.ts';
import { onFact } from '../facts.ts';
import { boundedNames, otherName } from './names.ts';
import { traceRequests } from './spans.ts';
import { countUsage, type Usage } from './usage.ts';

/** What the instrumentation can be told. */
export interface InstrumentOptions {
  /** Default: the global one. */
  meterProvider?: MeterProvider;
  /** Default: the global one. */
  tracerProvider?: TracerProvider;
  /** What a semaphore is called in metrics: `(name) => name.split(':')[0]` for one series a kind. Default: its name. */
  nameOf?: (semaphore: string) => string;
  /** How many different names metrics may carry; all further ones are `other`. Default 100. */
  maxNames?: number;
  /** Whether waiting is traced. Default `true`. */
  spans?: boolean;
  /** Trace only what happens inside of another span. Default `false`. */
  requireParentSpan?: boolean;
}

/** Seconds. A free permit takes a round trip to Redis; a permit may be waited for, or held, for minutes. */
const waitBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const holdBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/**
 * Records what all clients of this process do as OpenTelemetry metrics, and their waiting as spans, until the returned
 * function is called. Call it once, before semaphores are used: requests that were made before are not counted, and of
 * permits that were granted before, only renewals and the end. Needs `@opentelemetry/api`.
 *
 * The gauges tell this process's own share; what everyone holds is the business of `parkade exporter`, which asks once
 * and not once for each process.
 *
 * @throws InvalidOptionsError
 *
 * @example
 * ```ts
 * import { instrument } from 'parkade/otel';
 *
 * const stop = instrument({ nameOf: (name) => name.split(':')[0] ?? name });
 * ```
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { meterProvider, tracerProvider, nameOf = (name: string) => name } = options;
  const { maxNames = 100, spans = true, requireParentSpan = false } = options;
  if (!Number.isSafeInteger(maxNames) || maxNames < 1) {
    throw new InvalidOptionsError('Bad options of instrument', [
      `maxNames is ${String(maxNames)}, allowed is an integer ≥ 1`,
    ]);
  }
  const safely = (name: string) => {
    try {
      return String(nameOf(name));
    } catch {
      return otherName; // a listener must not throw: it would end the process
    }
  };
  const bounded = boundedNames(safely, maxNames);
  const stops = [recordMetrics(meterProvider ?? metrics.getMeterProvider(), bounded)];
  if (spans) {
    stops.push(
      traceRequests((tracerProvider ?? trace.getTracerProvider()).getTracer('parkade'), requireParentSpan),
    );
  }
  return () => stops.forEach((stop) => void stop());
}

function recordMetrics(provider: MeterProvider, nameOf: (semaphore: string) => string): () => void {
  const meter = provider.getMeter('parkade');
  const named = (semaphore: string): Attributes => ({ 'parkade.semaphore.name': nameOf(semaphore) });
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      valueType: ValueType.DOUBLE,
      advice: { explicitBucketBoundaries },
    });
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(name, { unit, description, valueType: ValueType.INT });

  const wait = seconds(
    'parkade.acquire.wait.duration',
    'From asking for a permit to the end of the request, by outcome.',
    waitBoundaries,
  );
  const hold = seconds(
    'parkade.permit.hold.duration',
    'For how long permits were held, by how they ended.',
    holdBoundaries,
  );
  const grants = counter('parkade.acquire.grants', '{grant}', 'Permits granted.');
  const failures = counter(
    'parkade.acquire.failures',
    '{request}',
    'Requests that ended without a permit, by outcome.',
  );
  const losses = counter(
    'parkade.permit.losses',
    '{permit}',
    'Permits that ended before they were released.',
  );
  const renewals = counter('parkade.permit.renewals', '{renewal}', 'Leases renewed.');
  const renewalFailures = counter(
    'parkade.permit.renewal.failures',
    '{renewal}',
    'Renewals that could not be made.',
  );
  const restorations = counter(
    'parkade.semaphore.restorations',
    '{restoration}',
    'How often this process put back what Redis had lost.',
  );

  const usage = countUsage(nameOf);
  const gauge = (name: string, unit: string, description: string, value: (usage: Usage) => number) => {
    const instrument = meter.createObservableGauge(name, { unit, description, valueType: ValueType.INT });
    const observe = (result: { observe(value: number, attributes: Attributes): void }) => {
      for (const [key, one] of usage.byName) {
        result.observe(value(one), { 'parkade.semaphore.name': key });
      }
    };
    instrument.addCallback(observe);
    return () => instrument.removeCallback(observe);
  };
  const ended = (how: string) => (fact: { permit: { semaphore: string }; holdMs: number }) =>
    hold.record(fact.holdMs / 1000, { ...named(fact.permit.semaphore), 'parkade.permit.end': how });
  const lost = ended('lost');

  const stops = [
    usage.stop,
    gauge('parkade.client.held', '{unit}', 'Units that this process holds.', ({ held }) => held),
    gauge(
      'parkade.client.waiting',
      '{request}',
      'Requests of this process in line.',
      ({ waiting }) => waiting,
    ),
    gauge(
      'parkade.client.limit',
      '{unit}',
      'The limit in force, for everyone, as this process last heard it.',
      ({ limit }) => limit,
    ),
    onFact('parkade:acquire:granted', ({ request, waitMs }) => {
      const attributes = named(request.semaphore);
      grants.add(1, attributes);
      wait.record(waitMs / 1000, { ...attributes, 'parkade.acquire.outcome': 'granted' });
    }),
    onFact('parkade:acquire:failed', ({ request, waitMs, outcome }) => {
      const attributes = { ...named(request.semaphore), 'parkade.acquire.outcome': outcome };
      failures.add(1, attributes);
      wait.record(waitMs / 1000, attributes);
    }),
    onFact('parkade:permit:released', ended('released')),
    onFact('parkade:permit:lost', (fact) => {
      losses.add(1, named(fact.permit.semaphore));
      lost(fact);
    }),
    onFact('parkade:permit:renewed', ({ permit }) => renewals.add(1, named(permit.semaphore))),
    onFact('parkade:permit:renewal-failed', ({ permit }) => renewalFailures.add(1, named(permit.semaphore))),
    onFact('parkade:semaphore:restored', ({ semaphore }) => restorations.add(1, named(semaphore))),
  ];
  return () => stops.forEach((stop) => void stop());
}
