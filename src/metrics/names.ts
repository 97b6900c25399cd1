/** What series of metrics that are no semaphore of their own are called. */
export const otherName = 'other';

/**
 * Which semaphore names metrics may carry: what `nameOf` makes of them, and no more than `most` different ones. Every
 * further name becomes `other`, so that a name made from an id cannot fill the memory of whoever keeps the metrics.
 */
export function boundedNames(nameOf: (name: string) => string, most: number): (name: string) => string {
  const known = new Set<string>();
  return (semaphore) => {
    const name = nameOf(semaphore);
    if (known.has(name)) {
      return name;
    }
    if (known.size >= most) {
      return otherName;
    }
    known.add(name);
    return name;
  };
}
