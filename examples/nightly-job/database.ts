import initSqlJs from 'sql.js';

/** What a pod asks of the database: to write a total, with the fencing token of the permit under which it was made. */
export interface Write {
  night: string;
  pod: string;
  totalCents: number;
  fencingToken: number;
}

const { Database } = await initSqlJs();
const db = new Database();
db.run(`
  CREATE TABLE fences (name TEXT PRIMARY KEY, token INTEGER NOT NULL);
  CREATE TABLE totals (night TEXT PRIMARY KEY, pod TEXT NOT NULL, cents INTEGER NOT NULL);
  INSERT INTO fences VALUES ('nightly-totals', 0);
`);

/**
 * Writes if nobody with a higher token was here before. The check, the raising of the fence and the write are one
 * transaction: nothing can come in between.
 *
 * @returns why it was refused, or `undefined` when it was written
 */
export function writeTotal({ night, pod, totalCents, fencingToken }: Write): string | undefined {
  db.run('BEGIN IMMEDIATE');
  try {
    db.run(`UPDATE fences SET token = ?1 WHERE name = 'nightly-totals' AND token <= ?1`, [fencingToken]);
    if (db.getRowsModified() === 0) {
      const [result] = db.exec(`SELECT token FROM fences WHERE name = 'nightly-totals'`);
      db.run('ROLLBACK');
      return `token ${fencingToken} comes after ${result?.values[0]?.[0]}`;
    }
    db.run('INSERT OR REPLACE INTO totals VALUES (?, ?, ?)', [night, pod, totalCents]);
    db.run('COMMIT');
    return undefined;
  } catch (error) {
    db.run('ROLLBACK');
    throw error;
  }
}

/** Who has written this night's total, if anybody. */
export function writerOf(night: string): string | undefined {
  const [result] = db.exec('SELECT pod FROM totals WHERE night = ?', [night]);
  return result?.values[0]?.[0] as string | undefined;
}
