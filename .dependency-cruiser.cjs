// The floors of src/: imports go downward only. See CONTRIBUTING.md.
const floors = [
  ['top', '^src/(index|cli/|metrics/)'],
  ['client', '^src/client[.]ts$'],
  [
    'handles',
    '^src/(semaphore|bounded-semaphore|concurrent-map|inspector|revocation|permit|pending-acquire)[.]ts$',
  ],
  ['engine', '^src/engine[.]ts$'],
  ['workings', '^src/(acknowledger|acquirer|releaser|renewer|check-in|restoration|engine-parts)[.]ts$'],
  ['parts', '^src/(session|outbox|line|waiter|keeper|lease|attempts|deadline|keep-alive|teller)[.]ts$'],
  ['redis', '^src/redis/'],
  ['ground', '^src/(errors|options|settings|clock|facts|abort-signals)[.]ts$'],
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...floors.slice(1).map(([name, path], i) => ({
      name: `${name}-imports-downward-only`,
      severity: 'error',
      from: { path },
      to: { path: floors.slice(0, i + 1).map(([, above]) => above) },
    })),
    {
      name: 'only-redis-knows-ioredis-and-lua',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/redis/' },
      to: { path: '(node_modules/(ioredis|redis)/|lua[.]generated)' },
    },
    {
      name: 'the-library-imports-nothing-around-it',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|support|scripts|examples|bench)/' },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
