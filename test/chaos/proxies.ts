import { FaultProxy, type ProxiedConnection } from '../support/fault-proxy.ts';
import type { Address, Detours } from './way.ts';

/**
 * All that stands between one worker and the target: a proxy in front of each server (and each sentinel), so that the
 * worker reaches none of them past the faults.
 */
export class Proxies implements AsyncDisposable {
  readonly detours: Detours;
  readonly #proxies: readonly FaultProxy[];

  private constructor(addresses: readonly Address[], proxies: readonly FaultProxy[]) {
    this.#proxies = proxies;
    this.detours = Object.fromEntries(
      addresses.map(({ host, port }, i) => {
        const { hostname, port: own } = new URL((proxies[i] as FaultProxy).url);
        return [`${host}:${port}`, { host: hostname, port: Number(own) }];
      }),
    );
  }

  static async before(addresses: readonly Address[]): Promise<Proxies> {
    const proxies: FaultProxy[] = [];
    for (const { host, port } of addresses) {
      proxies.push(await FaultProxy.before(`redis://${host}:${port}`, { partner: proxies[0] }));
    }
    return new Proxies(addresses, proxies);
  }

  cut(): void {
    for (const proxy of this.#proxies) proxy.cut();
  }

  goAway(): void {
    for (const proxy of this.#proxies) proxy.goAway();
  }

  resume(): void {
    for (const proxy of this.#proxies) proxy.resume();
  }

  hold(direction: 'requests' | 'replies'): void {
    for (const proxy of this.#proxies) proxy.hold(direction);
  }

  swallow(direction: 'requests' | 'replies'): void {
    for (const proxy of this.#proxies) proxy.swallow(direction);
  }

  delay(direction: 'requests' | 'replies', ms: number): void {
    for (const proxy of this.#proxies) proxy.delay(direction, ms);
  }

  /** Loses the next reply to a request with this text, whichever server it goes to. */
  async dropReplyTo(text: string): Promise<void> {
    await this.#proxies[0]?.dropReplyTo(text);
  }

  /** No reply will be lost any more. */
  disarm(): void {
    this.#proxies[0]?.disarm();
  }

  /** Connections whose client began with this text. */
  connectionsOf(text: string): ProxiedConnection[] {
    return this.#proxies.flatMap(({ connections }) =>
      [...connections].filter(({ beginning }) => beginning.includes(text)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  }
}
