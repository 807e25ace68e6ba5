// ---- The report that the page draws: that of the last verdict, and the requests that ended after it.

import type { Bucket, Island, Timeout } from "../island.js";
import { number, plural } from "../numbers.js";
import type { Row } from "./rows.js";

/** A report from the server, with the spans of examples, and the number of the newest row that it is about. */
export interface Verdict {
  report: Island;
  lines: string[];
  last: number;
}

/** What the server says about a request: its spans, whose parts are numbers of `parts`, its timeout, its log. */
export interface Answer {
  line: string;
  parts: [label: string, bucket: string, owner: string][];
  timeout: Timeout | null;
  logs: [functionName: string, text: string][];
  left_out: number;
}

const [COLD_START, ERROR, TIMEOUT] = [1, 2, 4]; // bits of `flags`
const MS = 1e6;
const NOTHING: Bucket = { total_ns: 0, calls: 0, errors: 0, throttles: 0 };

/** A report that rows and answers are added to; nothing of the verdict's is changed. */
export class Composed {
  readonly report: Island;
  readonly lines: string[];

  constructor({ report, lines, last }: Verdict, rows: readonly Row[]) {
    const { columns, buckets, parts } = report;
    this.lines = [...lines];
    this.report = {
      ...report,
      columns: Object.fromEntries(
        Object.entries(columns).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
      ) as unknown as Island["columns"],
      parts: [...parts],
      buckets: parts.map((_, part) => ({ ...(buckets[part] ?? NOTHING) })),
      timeouts: [...report.timeouts],
    };
    const judged = new Set(columns.trace_id);
    const fresh = rows.filter((row) => row.n > last && !judged.has(row.id));
    for (const row of fresh) this.addRow(row);
    this.sumUp(fresh.length);
  }

  private partOf(label: string, bucket: string, owner: string): number {
    const { parts, buckets } = this.report;
    const known = parts.findIndex((part) => part.label === label && part.bucket === bucket);
    if (known >= 0) return known;
    buckets.push({ ...NOTHING });
    return parts.push({ label, bucket, owner }) - 1;
  }

  /** The cell of a part: rows do not say who called it, so that it counts for its first caller. */
  private cellOf(part: number): number {
    const { cells } = this.report.columns;
    const known = cells.findIndex(([of]) => of === part);
    return known >= 0 ? known : cells.push([part, cells[0]?.[1] ?? ""]) - 1;
  }

  private addRow(row: Row): void {
    const { columns, buckets } = this.report;
    if (!columns.routes.includes(row.route)) columns.routes.push(row.route);
    const cells = row.parts.map(([label, bucket, ns, owner]): [number, number] => [
      this.partOf(label, bucket, owner),
      ns,
    ]);
    for (const [part, ns] of cells) {
      const sums = buckets[part];
      if (sums !== undefined) sums.total_ns += ns;
    }
    const text = cells.map(([part, ns]) => `${this.cellOf(part)} ${ns}`).join(" ");
    columns.buckets = columns.trace_id.length > 0 ? `${columns.buckets};${text}` : text;
    columns.trace_id.push(row.id);
    columns.start_ms.push(Math.floor(row.end - row.ns / MS));
    columns.wall_ns.push(row.ns);
    columns.route.push(columns.routes.indexOf(row.route));
    columns.status.push(row.status);
    const failed = row.timeout ? TIMEOUT : row.error ? ERROR : 0;
    columns.flags.push((row.cold ? COLD_START : 0) | failed);
    columns.spans.push(-1);
  }

  /** What a report says about all of its requests. */
  private sumUp(fresh: number): void {
    const { report } = this;
    const { columns } = report;
    const count = columns.trace_id.length;
    const walls = Float64Array.from(columns.wall_ns).sort();
    const atRank = (percent: number): number => walls[Math.max(1, Math.ceil((percent * count) / 100)) - 1] ?? 0;
    const starts = columns.start_ms.reduce(
      ([least, most], start) => [Math.min(least, start), Math.max(most, start)] as const,
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
    );
    const [from = null, to = null] = count > 0 ? starts.map((start) => new Date(start).toISOString()) : [];
    const isJudged = report.requests > 0;
    Object.assign(report, {
      requests: count,
      kept: count,
      wall_ns: { p50: atRank(50), p95: atRank(95), p99: atRank(99), max: walls.at(-1) ?? 0 },
      window: { from, to },
      seen: fresh > 0 ? `${number(fresh)} of them came after the findings` : report.seen,
      facts: report.facts.map((fact) => ({ ...fact, ...factValues(fact.name, columns) })),
    });
    if (isJudged) return;
    const text = count > 0 ? `${plural(count, "request")}; the findings follow` : "Waiting for the first request";
    Object.assign(report, { headline: [{ text }], findings: [], notes: [], seen: "" });
  }

  /** Adds the spans and the timeout of a request, if it is one of the report's. */
  addAnswer(traceId: string, { line, parts, timeout }: Answer): void {
    const { columns, timeouts } = this.report;
    const place = columns.trace_id.indexOf(traceId);
    if (place < 0) return;
    if (timeout !== null && !timeouts.some((known) => known.trace_id === traceId)) timeouts.push(timeout);
    if ((columns.spans[place] ?? -1) >= 0) return;
    const numbers = parts.map(([label, bucket, owner]) => this.partOf(label, bucket, owner));
    const [rows = "", ...details] = line.split("\t");
    const spans = JSON.parse(rows) as { spans: { part: number }[]; path: [number, number, number, number][] };
    for (const span of spans.spans) span.part = numbers[span.part] ?? -1;
    for (const section of spans.path) section[3] = numbers[section[3]] ?? -1;
    columns.spans[place] = this.lines.push([JSON.stringify(spans), ...details].join("\t")) - 1;
  }
}

/** The values of a fact of a column, which rows may have added to. */
function factValues(name: string, { routes, status }: Island["columns"]): { texts?: string[]; values?: number[] } {
  if (name === "route") return { texts: [...routes] };
  if (name !== "status") return {};
  const values = [...new Set(status.filter((code) => code !== null))].sort((a, b) => a - b);
  return { values, texts: values.map((code) => `status ${code}`) };
}
