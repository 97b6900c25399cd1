// Counts grants, with parkade and its instrumentation each loaded in both ways.
import { createRequire } from 'node:module';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { takesTurns } from './takes-turns.cjs';

const require = createRequire(import.meta.url);
const ways = {
  import: (name) => import(name),
  require: async (name) => require(name),
};

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

for (const [wayOfOtel, loadOtel] of Object.entries(ways)) {
  for (const [wayOfParkade, loadParkade] of Object.entries(ways)) {
    const reader = new Reader();
    const { instrument } = await loadOtel('parkade/otel');
    const stop = instrument({ meterProvider: new MeterProvider({ readers: [reader] }) });
    await takesTurns(await loadParkade('parkade'), process.env.REDIS_URL);
    const { resourceMetrics } = await reader.collect();
    stop();
    const grants = resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter((metric) => metric.descriptor.name === 'parkade.acquire.grants')
      .flatMap((metric) => metric.dataPoints);
    const sum = grants.reduce((total, point) => total + point.value, 0);
    console.log(wayOfOtel, wayOfParkade, sum);
  }
}
