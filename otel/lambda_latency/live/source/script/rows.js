// ---- The rows that came, and those that the list shows. Views import this store; it imports no view.

export const MOST = 5000; // rows in this page, as many as the server keeps

export const store = {
  all: [], // rows and marks, the oldest first
  view: [], // those that the list shows, the newest first
  held: [], // rows that came during a pause
  last: 0, // the number of the newest row that came
  cleared: 0, // rows up to this number are not shown
  seen: 0, // rows that came since this page was opened
  lost: false,
  paused: false,
  query: "",
  only: new Set(),
  least: 0, // nanoseconds of the shortest request that is shown
  slowest: false, // the slowest first, in place of the newest
  slow: new Set(), // ids of the requests that the verdict calls slow
  chosen: null, // ids of the requests of a cause, and its name
  open: "",
  current: null,
};
const byTrace = new Map();
export const watchers = [];

const FLAGS = {
  slow: (row) => store.slow.has(row.id),
  error: (row) => row.error || row.timeout,
  timeout: (row) => row.timeout,
  cold: (row) => row.cold,
};

function haystack(row) {
  row.text ??= [
    row.id,
    row.route,
    row.status ?? "",
    row.what,
    row.where,
    ...row.parts.map(([label]) => label),
    ...Object.keys(FLAGS).filter((name) => FLAGS[name](row)),
  ]
    .join("\n")
    .toLowerCase();
  return row.text;
}

function isShown(row) {
  if (row.first <= store.cleared) return false;
  if (row.mark) return !isFiltered() && !store.slowest;
  if (row.ns < store.least || (store.chosen !== null && !store.chosen.ids.has(row.id))) return false;
  for (const name of store.only) if (!FLAGS[name](row)) return false;
  return store.query === "" || haystack(row).includes(store.query);
}

export const isFiltered = () =>
  store.query !== "" || store.only.size > 0 || store.least > 0 || store.chosen !== null;

const FEW = 10; // newest requests by which failing is told before a verdict

/** How many of the newest requests since the last mark fail, with what most of them say; null if fewer than half do. */
export function failing() {
  const newest = [];
  for (let at = store.all.length - 1; at >= 0 && newest.length < FEW && !store.all[at].mark; at--)
    if (store.all[at].first > store.cleared) newest.push(store.all[at]);
  const failed = newest.filter(FLAGS.error);
  if (failed.length === 0 || 2 * failed.length < newest.length) return null;
  const [{ what, where, status }] = failed;
  const why = [what || (status ? `status ${status}` : "no reason was recorded"), where].filter(Boolean).join(" in ");
  return { failed, text: `${failed.length} of the last ${newest.length} requests fail: ${why}` };
}

/** Filters anew, and tells the views. */
export function refresh() {
  const view = [];
  for (let at = store.all.length - 1; at >= 0; at--) if (isShown(store.all[at])) view.push(store.all[at]);
  store.view = store.slowest ? view.sort((a, b) => b.ns - a.ns) : view;
  for (const watch of watchers) watch();
}

/** Rows from the server, the oldest first. A row of a request that has one already replaces it. */
export function addRows(batch) {
  for (const row of batch) if (row.n > store.last) store.last = row.n;
  store.seen += batch.length;
  store.held.push(...batch);
  if (store.held.length > MOST) store.held.splice(0, store.held.length - MOST);
  if (store.paused) {
    for (const watch of watchers) watch();
  } else takeHeld();
}

function takeHeld() {
  let replaced = false;
  for (const row of store.held) {
    const before = row.mark ? undefined : byTrace.get(row.id);
    if (before !== undefined) before.gone = replaced = true;
    if (!row.mark) byTrace.set(row.id, row);
    if (before !== undefined && store.current === before) store.current = row;
    store.all.push(row);
  }
  store.held = [];
  if (replaced) store.all = store.all.filter((row) => !row.gone);
  if (store.all.length > MOST) {
    for (const row of store.all.splice(0, store.all.length - MOST)) if (byTrace.get(row.id) === row) byTrace.delete(row.id);
  }
  refresh();
}

export function pause(on) {
  store.paused = on;
  if (on) for (const watch of watchers) watch();
  else takeHeld();
}

/** Forgets the rows that came until now; what comes later is shown. */
export function clear() {
  store.cleared = store.last;
  store.all = [];
  store.held = [];
  byTrace.clear();
  store.current = null;
  store.lost = false;
  store.chosen = null;
  refresh();
}

export const counted = (name) =>
  store.all.reduce((sum, row) => sum + (!row.mark && row.first > store.cleared && FLAGS[name](row) ? 1 : 0), 0);
