import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type HistogramMetricData,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type InstrumentOptions, instrument } from '../../src/metrics/otel.ts';
import { openClient, openProxy } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until } from '../support/until.ts';

refuseStrayErrors();

/** Instruments this process into memory, until the test ends. */
function record(options: InstrumentOptions = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const stop = instrument({ meterProvider, tracerProvider, ...options });
  onTestFinished(async () => {
    stop();
    await meterProvider.shutdown();
    await tracerProvider.shutdown();
  });
  /** Each series of a metric, by name of the semaphore and the other attributes. */
  const read = async () => {
    exporter.reset();
    await reader.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics));
    return {
      names: all.map(({ descriptor }) => descriptor.name),
      of: (name: string) => {
        const metric = all.find(({ descriptor }) => descriptor.name === name);
        return Object.fromEntries(
          metric?.dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(' '), value]) ??
            [],
        );
      },
      histogram: (name: string) =>
        all.find(({ descriptor }) => descriptor.name === name) as HistogramMetricData | undefined,
    };
  };
  return { read, spans, tracerProvider, stop };
}

describe('the metrics of OpenTelemetry', () => {
  it('count grants, failures and losses, and tell what is held and waited for', async () => {
    const { read } = record();
    const proxy = await openProxy();
    const client = openClient({ connection: proxy.url, attemptTimeoutMs: 100 });
    const api = client.semaphore('api', { limit: 3, leaseMs: 500 });
    const heavy = await api.acquire({ weight: 2 });
    const light = await api.acquire();
    expect(await api.tryAcquire()).toBeNull();
    await rejection(api.acquire({ timeoutMs: 10 }));
    const waiting = api.acquire();
    await until('it waits', async () => (await read()).of('parkade.client.waiting')['api'] === 1);
    expect((await read()).of('parkade.client.held')).toEqual({ api: 3 });
    await heavy.release();
    const last = await waiting;
    await until(
      'leases were renewed',
      async () => ((await read()).of('parkade.permit.renewals')['api'] as number) > 0,
    );
    await light.release();
    proxy.goAway();
    await until('it is lost', () => last.signal.aborted);

    const metrics = await read();
    expect(metrics.of('parkade.client.held')).toEqual({ api: 0 });
    expect(metrics.of('parkade.client.waiting')).toEqual({ api: 0 });
    expect(metrics.of('parkade.client.limit')).toEqual({ api: 3 });
    expect(metrics.of('parkade.acquire.grants')).toEqual({ api: 3 });
    expect(metrics.of('parkade.acquire.failures')).toEqual({ 'api busy': 1, 'api timeout': 1 });
    expect(metrics.of('parkade.permit.losses')).toEqual({ api: 1 });
    expect(metrics.of('parkade.acquire.wait.duration')).toMatchObject({
      'api granted': { count: 3 },
      'api busy': { count: 1 },
      'api timeout': { count: 1 },
    });
    expect(metrics.of('parkade.permit.hold.duration')).toMatchObject({
      'api released': { count: 2 },
      'api lost': { count: 1 },
    });
    const histogram = metrics.histogram('parkade.acquire.wait.duration');
    expect(histogram?.descriptor.unit).toBe('s');
    const timeout = histogram?.dataPoints.find(
      ({ attributes }) => attributes['parkade.acquire.outcome'] === 'timeout',
    );
    expect(timeout?.value.sum).toBeGreaterThanOrEqual(0.009);
    expect(timeout?.value.sum).toBeLessThan(9);
    expect(timeout?.value.buckets.boundaries).toContain(0.0025);
  });

  it('do not explode: names are mapped, and from the most on all are called other', async () => {
    const { read } = record({ nameOf: (name) => name.split(':')[0] ?? '', maxNames: 2 });
    const client = openClient();
    for (const name of ['a:1', 'a:2', 'b', 'c', 'd', 'a:3']) {
      await client.semaphore(name, { limit: 1 }).acquire();
    }
    expect((await read()).of('parkade.acquire.grants')).toEqual({ a: 3, b: 1, other: 2 });
  });

  it('survive a function for names that throws', async () => {
    const { read } = record({
      nameOf: () => {
        throw new Error('no name');
      },
    });
    await openClient().semaphore('api', { limit: 1 }).acquire();
    expect((await read()).of('parkade.acquire.grants')).toEqual({ other: 1 });
  });

  it('leave out what began before, so that nothing held is ever below 0', async () => {
    const api = openClient().semaphore('api', { limit: 2 });
    const before = await api.acquire();
    const { read } = record();
    const after = await api.acquire();
    await before.release();
    expect((await read()).of('parkade.client.held')).toEqual({ api: 1 });
    await after.release();
    expect((await read()).of('parkade.client.held')).toEqual({ api: 0 });
  });

  it('end when the instrumentation is stopped', async () => {
    const { read, stop, spans } = record();
    const api = openClient().semaphore('api', { limit: 2 });
    await api.acquire();
    stop();
    await api.acquire();
    expect((await read()).of('parkade.acquire.grants')).toEqual({ api: 1 });
    expect(spans.getFinishedSpans()).toHaveLength(1);
  });

  it('refuse a nonsensical number of names', () => {
    expect(() => instrument({ maxNames: 0 })).toThrow('maxNames is 0, allowed is an integer ≥ 1');
  });
});

describe('the span around waiting', () => {
  it('says how it ended, and is an error only where the caller did not ask for it', async () => {
    const { spans } = record();
    const api = openClient().semaphore('api', { limit: 1 });
    const permit = await api.acquire();
    await api.tryAcquire();
    await rejection(api.acquire({ timeoutMs: 30 }));
    const [granted, busy, timeout] = spans.getFinishedSpans();
    expect(granted?.name).toBe('parkade.acquire');
    expect(granted?.attributes).toEqual({
      'parkade.semaphore.name': 'api',
      'parkade.permit.weight': 1,
      'parkade.acquire.outcome': 'granted',
      'parkade.permit.id': permit.id,
      'parkade.permit.fencing_token': permit.fencingToken,
    });
    expect(granted?.status.code).toBe(0);
    expect(busy?.attributes['parkade.acquire.outcome']).toBe('busy');
    expect(busy?.status.code).toBe(0);
    expect(timeout?.attributes['error.type']).toBe('timeout');
    expect(timeout?.status).toMatchObject({
      code: 2,
      message: expect.stringContaining("'api' within 30 ms"),
    });
    expect(timeout?.events.map(({ name }) => name)).toEqual(['queued']);
  });

  it('belongs to the trace of its caller, and there is none outside of one if that is asked for', async () => {
    let active: Context = ROOT_CONTEXT;
    const manager = {
      active: () => active,
      with: (inside: Context, fn: (...args: unknown[]) => unknown, self: unknown, ...args: unknown[]) => {
        const before = active;
        active = inside;
        try {
          return fn.apply(self, args);
        } finally {
          active = before;
        }
      },
      bind: (_: Context, target: unknown) => target,
      enable: () => manager,
      disable: () => manager,
    } as unknown as ContextManager;
    context.setGlobalContextManager(manager);
    onTestFinished(() => context.disable());
    const { spans, tracerProvider } = record({ requireParentSpan: true });
    const api = openClient().semaphore('api', { limit: 2 });
    await api.acquire();
    const parent = tracerProvider.getTracer('test').startSpan('job');
    await context.with(trace.setSpan(context.active(), parent), () => api.acquire());
    expect(spans.getFinishedSpans()).toHaveLength(1);
    expect(spans.getFinishedSpans()[0]?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(spans.getFinishedSpans()[0]?.spanContext().traceId).toBe(parent.spanContext().traceId);
  });
});
