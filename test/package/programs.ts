/** By what a program opens its connections. */
export type Library = 'ioredis' | 'redis';

/** How it loads its parts. */
export type Format = 'esm' | 'cjs';

/** What `takesTurns` comes to when all is well. */
export const allIsWell = 'null true true PERMIT_NOT_HELD';

const load = {
  esm: (names: string, from: string) => `import ${names} from '${from}';`,
  cjs: (names: string, from: string) => `const ${names.replace('* as ', '')} = require('${from}');`,
};

const borrowed: Record<Library, string> = {
  ioredis: `
    const redis = new Redis(process.env.REDIS_URL);
    console.log('borrowed', await takesTurns(parkade, redis));
    redis.disconnect();`,
  redis: `
    const redis = createClient({ url: process.env.REDIS_URL });
    await redis.connect();
    console.log('borrowed', await takesTurns(parkade, redis));
    redis.destroy();`,
};

/** A program that gives parkade a url, and then a connection of its own. It ends by itself, or never. */
export function programOf(format: Format, library: Library): string {
  const made = library === 'ioredis' ? '{ Redis }' : '{ createClient }';
  return `
    ${load[format]('* as parkade', 'parkade')}
    ${load[format](made, library)}
    ${load[format]('{ takesTurns }', './takes-turns.cjs')}
    async function main() {
      console.log('by url', await takesTurns(parkade, process.env.REDIS_URL));
      ${borrowed[library]}
    }
    main();
  `;
}

/** What it prints. */
export const output = `by url ${allIsWell}\nborrowed ${allIsWell}\n`;
