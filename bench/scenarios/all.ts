import type { Scenario } from '../scenario.ts';
import { contend } from './contend.ts';
import { contend0 } from './contend0.ts';
import { deep } from './deep.ts';
import { handOff } from './hand-off.ts';
import { idle } from './idle.ts';
import { many } from './many.ts';
import { memory } from './memory.ts';
import { pods } from './pods.ts';
import { seq } from './seq.ts';
import { server } from './server.ts';
import { wide } from './wide.ts';

export const scenarios: readonly Scenario[] = [
  seq,
  wide,
  contend,
  contend0,
  deep,
  handOff,
  server,
  idle,
  memory,
  many,
  pods,
];
