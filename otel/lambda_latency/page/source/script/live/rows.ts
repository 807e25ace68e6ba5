// ---- The rows that came from the server, and marks between them.

/** A request as the server sends it, as soon as it ended; `n` grows, `first` is that of its first row. */
export interface Row {
  n: number;
  first: number;
  id: string;
  end: number; // milliseconds since 1970
  route: string;
  ns: number;
  status: number | null;
  error: boolean;
  timeout: boolean;
  cold: boolean;
  parts: [label: string, bucket: string, ns: number, owner: string][];
  what: string; // why it failed
  where: string;
}

export interface Mark {
  n: number;
  end: number;
  mark: string;
}

const MOST = 5000; // as many as the server keeps
const FEW = 10; // newest requests that say whether requests fail now
const MOST_MARKS = 3;

const byTrace = new Map<string, Row>(); // the oldest first
export let marks: Mark[] = [];
/** The number of the newest row. */
export let last = 0;

const isMark = (row: Row | Mark): row is Mark => "mark" in row;
const nameOf = (row: Row | Mark): string => (isMark(row) ? row.mark : row.id);
const names = new Map<number, string>(); // of the rows that came, by number

/** Adds rows, the oldest first; one of a request that has a row replaces it. Rows that came by another way are
 * skipped. Returns whether they are of another run of the server, whose numbers begin anew. */
export function addRows(batch: readonly (Row | Mark)[]): boolean {
  const isNewRun = batch.some((row) => row.n <= last && names.get(row.n) !== nameOf(row));
  if (isNewRun) forgetRows();
  for (const row of batch) {
    if (names.has(row.n)) continue;
    names.set(row.n, nameOf(row));
    last = Math.max(last, row.n);
    if (isMark(row)) marks = [...marks, row].slice(-MOST_MARKS);
    else {
      byTrace.delete(row.id);
      byTrace.set(row.id, row);
    }
  }
  for (const id of byTrace.keys()) {
    if (byTrace.size <= MOST) break;
    byTrace.delete(id);
  }
  for (const number of names.keys()) {
    if (names.size <= 2 * MOST) break;
    names.delete(number);
  }
  return isNewRun;
}

/** Forgets rows and marks, and the number of the newest row: another run of the server counts from now on. */
function forgetRows(): void {
  byTrace.clear();
  names.clear();
  [marks, last] = [[], 0];
}

export const rowOf = (traceId: string): Row | undefined => byTrace.get(traceId);

/** The requests whose rows have larger numbers, and whose first rows came after a clear. */
export const rowsAfter = (number: number, cleared: number): Row[] =>
  [...byTrace.values()].filter((row) => row.n > number && row.first > cleared);

const hasFailed = (row: Row): boolean => row.error || row.timeout;

/** How many of the newest requests since the last mark fail, and what the newest of them says; null if fewer than
 * half do. */
export function failing(cleared: number): { newest: Row; text: string } | null {
  const since = Math.max(cleared, marks.at(-1)?.n ?? 0);
  const some = rowsAfter(since, cleared).slice(-FEW);
  const failed = some.filter(hasFailed);
  const newest = failed.at(-1);
  if (newest === undefined || 2 * failed.length < some.length) return null;
  const { what, where, status } = newest;
  const reason = what || (status === null ? "no reason was recorded" : `status ${status}`);
  const text = [reason, where].filter(Boolean).join(" in ");
  return { newest, text: `${failed.length} of the last ${some.length} requests fail: ${text}` };
}
