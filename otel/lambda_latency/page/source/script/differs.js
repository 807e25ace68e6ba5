// ---- Other differences between chosen requests and the rest: values that are more frequent among the chosen ones, the
// least likely to be chance first. This module does not use the page.

const CHANCE = 0.001; // the probability of any false finding
const LEAST_MORE = 0.1; // least difference of the shares among chosen requests and the rest
const LEAST_SEEN = 3; // least number of requests with a value

export const CHOSEN = 1;
export const REST = 0;
const NEITHER = 2;

/** For each fact, the index of its value by request: -1 for another or no value, -2 if the request was not read. */
export function factColumns({ facts, read, columns }) {
  const count = columns.wall_ns.length;
  return facts.map(({ column, values, of }) => {
    const found = new Int32Array(count).fill(read === null || column ? -1 : -2);
    if (column === "route") found.set(columns.route);
    else if (column === "flags") columns.flags.forEach((flags, at) => (found[at] = (flags & values[0]) > 0 ? 0 : -1));
    else if (column === "status") {
      const number = new Map(values.map((value, at) => [value, at]));
      columns.status.forEach((status, at) => (found[at] = number.get(status) ?? -1));
    } else of.forEach((value, at) => (found[read === null ? at : read[at]] = value));
    return found;
  });
}

/** The side of each request: slow, other, or neither for requests with the flag `without`. */
export function slowAndOthers({ slow, columns }, without) {
  const side = Uint8Array.from(columns.flags, (flags) => ((flags & without) > 0 ? NEITHER : REST));
  for (const [request] of slow) side[request] = CHOSEN;
  return side;
}

/** The improbability of a share, in nats: Chernoff's bound on the probability of at least `seen`. */
function divergence(count, seen, expected) {
  if (count === 0) return 0;
  const [share, usual] = [seen / count, expected / count];
  const term = (a, b) => (a <= 0 ? 0 : a * Math.log(a / b));
  return count * (term(share, usual) + term(1 - share, 1 - usual));
}

/**
 * Values that stand out, the most certain first: `{ fact, value, chosen, rest, evidence, same }`, with shares of requests.
 *
 * `side` is CHOSEN, REST or another value per request. Requests are compared within their route, because routes differ in
 * many ways; only the route itself is compared among all. `same` are other values of the same requests.
 */
export function differing(side, facts, routes, isLeftOut = (_) => false) {
  const found = [];
  let asked = 0;
  facts.forEach((column, fact) => {
    if (isLeftOut(fact)) return;
    const tallies = tally(side, column, column.some((value, at) => value !== routes[at]) ? routes : null);
    tallies.values.forEach((one, value) => {
      if (one.all < LEAST_SEEN) return;
      asked++;
      const [chosen, rest] = [one.chosen / tallies.chosen, (one.all - one.chosen) / tallies.rest];
      if (!(chosen - rest >= LEAST_MORE) || one.chosen <= one.expected) return;
      const evidence = Math.max(
        divergence(tallies.chosen, one.chosen, one.expected),
        divergence(tallies.rest, one.all - one.chosen, one.all - one.expected),
      );
      found.push({ fact, value, chosen, rest, evidence, members: one.members, same: [] });
    });
  });
  const least = Math.log(asked / CHANCE);
  const certain = found.filter((one) => one.evidence > least);
  certain.sort((a, b) => b.evidence - a.evidence || a.fact - b.fact || a.value - b.value);
  const by = new Map();
  for (const one of certain) {
    const first = by.get(one.members);
    if (first === undefined) by.set(one.members, one);
    else first.same.push(one);
  }
  return [...by.values()];
}

/** For each value: the number of requests with it, of chosen requests with it, and the expected number by chance. */
function tally(side, column, routes) {
  const size = column.reduce((most, value) => Math.max(most, value), -1) + 1;
  const strata = []; // by route
  const [sum, members] = [[0, 0], new Float64Array(size)];
  for (let at = 0; at < column.length; at++) {
    const [of, value] = [side[at], column[at]];
    if ((of !== CHOSEN && of !== REST) || value < -1) continue;
    const route = routes === null ? 0 : routes[at];
    const stratum = (strata[route] ??= { all: 0, chosen: 0, has: new Int32Array(size), hasChosen: new Int32Array(size) });
    sum[of]++;
    stratum.all++;
    stratum.chosen += of;
    if (value < 0) continue;
    stratum.has[value]++;
    stratum.hasChosen[value] += of;
    members[value] += ((at + 1) * 2654435761) % 4294967291; // equal sums mean, almost certainly, equal requests
  }
  const values = Array.from({ length: size }, (_, value) => {
    const one = { all: 0, chosen: 0, expected: 0, members: members[value] };
    for (const { all, chosen, has, hasChosen } of strata.filter(Boolean)) {
      one.all += has[value];
      one.chosen += hasChosen[value];
      one.expected += (has[value] * chosen) / all;
    }
    return one;
  });
  return { rest: sum[REST], chosen: sum[CHOSEN], values };
}
