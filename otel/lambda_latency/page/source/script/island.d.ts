// The data of the page, from report-island.schema.json: `make lab NAME=bundle` writes this file.

export interface Island { command: string; version: string; sources: string[]; window: { from: string | null; to: string | null }; requests: number; sampling: { seen: number; total: number | null; by_route: Share[] }; wall_ns: { p50: number; p95: number; p99: number; max: number }; cohorts: { difference_ns: number }; buckets: Bucket[]; verdict: { kind: string; sentence: string; evidence: string; trace_id: string | null }; cold_starts: { requests: number; mean_ns: number | null }; timeouts: Timeout[]; problems: Problem[]; parts: { bucket: string; label: string; owner: string }[]; columns: Columns; findings: Finding[]; notes: string[]; members: [number, number[]][]; slow: number[]; border_ns: number | null; saves: { pieces: Piece[]; part: number }[]; bound: string; words: Record<string, string>; markdown: string; change: Change | null; seen: string; by_hour: Share[]; console: string | null; kept: number; flame: [number, string, number, number, number][]; facts: Fact[]; read: number[] | null; headline: Piece[]; excess: string }

export interface Piece { text: string; strong?: true; owner?: true; part?: number; fact?: string }

export interface Place { label: string; called: string; source: string; doing: string; excess_ns: number; slow_ns: number; requests: number }

export interface Finding { kind: "none" | "gate" | "failed" | "change" | "class" | "verdict" | "timeout" | "depends" | "rest"; key: string; pieces: Piece[]; evidence?: Piece[][]; depends?: Piece[][]; next?: string[]; part?: number; owner?: string; ground?: string; members?: number[]; trace_id?: string; against?: string; confidence?: "high" | "medium" | "low"; places?: Place[]; log?: string; row: Row; issue?: string; shows?: Piece[]; calls?: number[] }

export interface Columns { trace_id: string[]; start_ms: number[]; wall_ns: number[]; route: number[]; status: (number | null)[]; flags: number[]; buckets: string; cells: [number, string][]; spans: number[]; routes: string[] }

export interface Frame { file: string; line: number; function: string; text: string; own: boolean }

export interface Timeout { trace_id: string; limit_ns: number; running: string; elapsed_ns: number; frames: Frame[]; threads: { name: string; frames: Frame[] }[] }

export interface Bucket { total_ns: number; calls: number; errors: number; throttles: number }

export interface Fact { name: string; texts: string[]; column?: "route" | "flags" | "status"; values?: number[]; of?: number[] }

export interface Share { seen: number; total: number; route?: string; start_ms?: number }

export interface Problem { source: string; line: number | null; reason: string; count: number; effect: string }

export interface Change { rows: string[][]; says: string; bins: { edges_ns: number[]; then: number[]; now: number[] } | null; frames: [number, string, number, number, number, number][] }

export interface Row { name: string; time?: string; unit?: string; requests?: string; callers?: string; when?: string; depends?: string; excess?: string; excess_ns?: number }
