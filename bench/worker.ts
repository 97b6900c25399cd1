/**
 * A process in which a contender runs, which does what the program that started it says over IPC (see crew.ts). It
 * ends when that one does.
 */
import { contenders } from './contenders/all.ts';
import type { Client, Contender, Semaphore, Setting } from './contenders/contender.ts';
import type { ContenderName } from './contenders/names.ts';
import { type DrainPlan, type DrainResult, drain } from './loads/drain.ts';
import { HandOffSide } from './loads/hand-off.ts';
import { type LinePlan, type LineResult, standInLine } from './loads/line.ts';
import { type NamesPlan, type NamesResult, useNames } from './loads/names.ts';
import { makePairs, type PairsPlan, type PairsResult } from './loads/pairs.ts';
import { ServerProbe } from './server-probe.ts';

/** The calls that a worker answers. */
export interface Calls {
  open(contender: ContenderName, setting: Setting): void;
  pairs(plan: PairsPlan): PairsResult;
  drain(plan: DrainPlan): DrainResult;
  standInLine(plan: LinePlan): LineResult;
  leaveLine(): void;
  names(plan: NamesPlan): NamesResult;
  ask(name: string): void;
  /** Both on the clock that all processes share, ms. */
  granted(name: string): number;
  release(name: string): number;
  close(): void;
}

export type Request = {
  readonly [Call in keyof Calls]: { no: number; call: Call; args: Parameters<Calls[Call]> };
}[keyof Calls];

export type Answer = { readonly no: number } & ({ readonly value: unknown } | { readonly error: string });

let contender: Contender;
let setting: Setting;
let client: Client;
let probe: ServerProbe;
const semaphores = new Map<string, Promise<Semaphore>>();
const sides = new Map<string, HandOffSide>();
const inLine: Client[] = [];

/** Opened once, so that a round is not about that. */
function semaphoreOf(name: string, limit: number): Promise<Semaphore> {
  const semaphore = semaphores.get(name) ?? client.semaphore(name, limit);
  semaphores.set(name, semaphore);
  return semaphore;
}

function sideOf(name: string): HandOffSide {
  const side = sides.get(name);
  if (side === undefined) throw new Error(`Nobody asked for ${name}.`);
  return side;
}

const calls: {
  [Call in keyof Calls]: (...args: Parameters<Calls[Call]>) => Promise<ReturnType<Calls[Call]>>;
} = {
  async open(name, opened) {
    contender = await contenders[name]();
    setting = opened;
    client = await contender.open(setting);
    probe = new ServerProbe(setting.url);
    await probe.cpuUs(); // connected
  },
  pairs: async (plan) => makePairs(await semaphoreOf(plan.name, plan.limit), plan),
  drain: async (plan) => drain(await semaphoreOf(plan.name, plan.limit), plan, probe),
  standInLine: (plan) => standInLine(contender, setting, plan, inLine),
  async leaveLine() {
    await Promise.all(inLine.splice(0).map((each) => each.close()));
  },
  names: (plan) => useNames(client, plan),
  async ask(name) {
    const side = sides.get(name) ?? new HandOffSide(await semaphoreOf(name, 1));
    sides.set(name, side);
    side.ask();
  },
  granted: (name) => sideOf(name).granted(),
  release: (name) => sideOf(name).release(),
  async close() {
    await client.close();
    probe.close();
  },
};

async function answer({ no, call, args }: Request): Promise<Answer> {
  try {
    const run = calls[call] as (...given: unknown[]) => Promise<unknown>;
    return { no, value: await run(...args) };
  } catch (error) {
    return { no, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', async (request: Request) => process.send?.(await answer(request)));
process.once('disconnect', () => process.exit());
