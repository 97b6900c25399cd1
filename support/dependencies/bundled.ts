/**
 * Packages whose code is part of what is published, so that whoever installs parkade installs nothing besides. nanoid has
 * no CommonJS; of zod a twentieth is used, and looking up the rest takes longer than all else that is loaded.
 */
export const inLibrary = ['nanoid', 'zod'];

/** Those, and what the command needs. */
export const inCommand = [
  ...inLibrary,
  '@hono/node-server',
  '@opentelemetry/api',
  'bintrees',
  'commander',
  'hono',
  'picocolors',
  'prom-client',
  'tdigest',
];

/** What is in the dashboard's page, which is a text within the command. */
export const inPage = ['uplot'];
