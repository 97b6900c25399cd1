/*
 * The numbers of a semaphore as the scripts pack them into the state hash (`lua/shared/numbers.lua`), by name.
 */

const fields = {
  numbers: {
    doubles: [
      'terms',
      'epoch',
      'limit',
      'declared',
      'held',
      'seq',
      'lastMs',
      'dueMs',
      'retentionMs',
      'presenceMs',
      'freshAtMs',
    ],
    flags: ['hasLine', 'isCalm', 'isRare'],
  },
  rare: {
    doubles: [
      'skewUs',
      'openAtMs',
      'graceFromMs',
      'graceUntilMs',
      'graceSinceMs',
      'refusedAtMs',
      'revokedUntilMs',
    ],
    flags: ['bounded'],
  },
};

type Numbers = Readonly<Record<string, number | undefined>>;

/** What a state hash says; rare numbers only where they were ever set. */
export function unpackState(hash: Readonly<Record<string, Buffer>>): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [field, { doubles, flags }] of Object.entries(fields)) {
    const packed = hash[field];
    if (packed === undefined) continue;
    const set = (name: string, value: number) => {
      if (field === 'numbers' || value !== 0) numbers[name] = value;
    };
    doubles.forEach((name, i) => void set(name, packed.readDoubleLE(8 * i)));
    flags.forEach((name, i) => void set(name, packed.readUInt8(8 * doubles.length + i)));
  }
  return numbers;
}

/** The hash that says these numbers. */
export function packState(numbers: Numbers): Record<string, Buffer> {
  const hash: Record<string, Buffer> = {};
  for (const [field, { doubles, flags }] of Object.entries(fields)) {
    if (field === 'rare' && numbers['isRare'] !== 1) continue;
    const packed = Buffer.alloc(8 * doubles.length + flags.length);
    doubles.forEach((name, i) => void packed.writeDoubleLE(numbers[name] ?? 0, 8 * i));
    flags.forEach((name, i) => void packed.writeUInt8(numbers[name] ?? 0, 8 * doubles.length + i));
    hash[field] = packed;
  }
  return hash;
}
