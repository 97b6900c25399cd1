import { Redis } from 'ioredis';

/** Asks the server what things cost it. */
export class ServerProbe {
  readonly #redis: Redis;

  constructor(url: string) {
    this.#redis = new Redis(url, { connectionName: 'bench-probe' });
    this.#redis.on('error', () => {}); // a call that fails says so
  }

  /** CPU time that the server has used, in user and system mode, all threads, µs. */
  async cpuUs(): Promise<number> {
    const info = await this.info('cpu');
    return (Number(info['used_cpu_user']) + Number(info['used_cpu_sys'])) * 1e6;
  }

  /**
   * How many commands clients have sent. Scripts' own commands are counted by Redis under their names too, so only
   * those are added up that no script here calls.
   */
  async commandsFromClients(): Promise<number> {
    const info = await this.info('commandstats');
    return Object.entries(info)
      .filter(([name]) =>
        /^cmdstat_(eval|evalsha|ping|hello|subscribe|client\||config\||script\|)/.test(name),
      )
      .reduce((sum, [, stats]) => sum + Number(/calls=(\d+)/.exec(stats)?.[1]), 0);
  }

  async connections(): Promise<number> {
    return Number((await this.info('clients'))['connected_clients']);
  }

  async version(): Promise<string> {
    const info = await this.info('server');
    const valkey = info['valkey_version'];
    return valkey ? `Valkey ${valkey}` : `Redis ${info['redis_version']}`;
  }

  /** Of all keys with this prefix: how many, how much memory, and how many of them would stay for ever. */
  async keys(prefix: string): Promise<{ count: number; bytes: number; withoutTtl: number }> {
    const sum = { count: 0, bytes: 0, withoutTtl: 0 };
    for await (const keys of this.#redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
      const pipeline = this.#redis.pipeline();
      for (const key of new Set(keys as string[])) pipeline.memory('USAGE', key, 'SAMPLES', 0).pttl(key);
      const replies = (await pipeline.exec()) ?? [];
      for (let i = 0; i < replies.length; i += 2) {
        const [bytes, ttlMs] = [replies[i]?.[1], replies[i + 1]?.[1]];
        sum.count++;
        sum.bytes += Number(bytes);
        if (ttlMs === -1) sum.withoutTtl++;
      }
    }
    return sum;
  }

  close(): void {
    this.#redis.disconnect();
  }

  async info(section: string): Promise<Record<string, string>> {
    const text = await this.#redis.info(section);
    return Object.fromEntries(
      text.split('\r\n').flatMap((line) => {
        const colon = line.indexOf(':');
        return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
      }),
    );
  }
}
