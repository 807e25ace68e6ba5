// ---- Where the time goes: slow requests against typical ones, or chosen requests against the rest.

import { dependsList } from "./depends.js";
import { h, section } from "./elements.js";
import { bucketsOf, count, parts, partClass, report, requests } from "./report.js";
import { isFiltered, view, watchers } from "./state.js";
import { callsCell, comparedRow, differences, ownerCell, partName, partsHead, trouble } from "./table.js";
import { OWNED, ms, percent, say, signedMs } from "./words.js";

const SMALL_SHARE = 0.01; // least share of the difference of owners and parts that are listed
const MOST_CHOSEN = 10; // rows of the table of chosen requests against the rest

export function drawParts() {
  const whole = report.cohorts.slow.requests > 0 && count > 1 ? slowAgainstTypical() : means();
  const [title, says, ...rest] = whole;
  const element = section("parts", title, says, rest);
  if (count <= 1) return;
  const depends = dependsList();
  if (depends) element.append(depends);
  const usual = [...element.childNodes];
  watchers.push(() => {
    const chosen = isFiltered() && view.length > 0 && view.length < count;
    element.replaceChildren(...(chosen ? chosenAgainstRest() : usual));
  });
}

function chosenAgainstRest() {
  const [title, says, ...rest] = chosenParts();
  return [h("h2", { id: "parts-title" }, title), h("p", { class: "says" }, says), ...rest];
}

function chosenParts() {
  const chosen = new Uint8Array(count);
  for (const request of view) chosen[request] = 1;
  const sums = [new Float64Array(parts.length), new Float64Array(parts.length)];
  const walls = [0, 0];
  for (let request = 0; request < count; request++) {
    const side = chosen[request];
    walls[side] += requests.wall_ns[request];
    const buckets = bucketsOf(request);
    for (let at = 0; at < buckets.length; at += 2) sums[side][buckets[at]] += buckets[at + 1];
  }
  const [rest, few] = [count - view.length, view.length];
  const mean = [walls[0] / rest, walls[1] / few];
  const rows = parts.map(({ owner }, part) => {
    const [typical, slow] = [sums[0][part] / rest, sums[1][part] / few];
    const [difference, share] = [slow - typical, (slow - typical) / (mean[1] - mean[0] || 1)];
    return { part, owner, typical_mean_ns: typical, slow_mean_ns: slow, difference_ns: difference, difference_share: share };
  });
  const largest = rows
    .filter((row) => Math.abs(row.difference_ns) >= SMALL_SHARE * Math.abs(mean[1] - mean[0]))
    .sort((a, b) => Math.abs(b.difference_ns) - Math.abs(a.difference_ns))
    .slice(0, MOST_CHOSEN);
  const axis = differences(largest);
  const names = [say("rest"), say("chosen")];
  const table = h(
    "table",
    { class: "parts compared" },
    partsHead(["rest", "chosen", "difference", "share"]),
    h("tbody", {}, largest.map((row) => comparedRow(row, axis, false, names))),
  );
  const numbers = { few, others: rest, chosen: ms(mean[1]), rest: ms(mean[0]) };
  return [say("parts.chosen"), say("parts.of_chosen", numbers), table];
}

function slowAgainstTypical() {
  const { slow, typical, difference_ns: difference } = report.cohorts;
  const told = (part) => ({ ...report.buckets[part], part });
  const [large, small] = [report.rows.map(told), report.folded.map(told)];
  const axis = differences([...large, ...small]);
  const names = [say("typical"), say("slow")];
  const lead = report.buckets.findIndex(
    (one) => one.bucket === report.verdict.bucket && one.name === report.verdict.name,
  );
  const rows = (few) => few.map((row) => comparedRow(row, axis, row.part === lead, names));
  const more = rows(small);
  for (const row of more) row.hidden = true;
  const table = h(
    "table",
    { class: "parts compared" },
    partsHead(["typical", "slow", "difference", "share", "calls"]),
    h("tbody", {}, rows(large), more),
  );
  const shares = difference > 0 ? differenceByOwner(difference) : "";
  const says = [
    say("parts.of_slow", { slow: ms(slow.mean_ns), typical: ms(typical.mean_ns) }),
    shares !== "" && say("parts.between", { difference: ms(difference), shares }),
  ];
  return [say("parts.slow"), says.filter(Boolean).join(" "), table, small.length > 0 && unfold(small, more)];
}

function differenceByOwner(difference) {
  const owned = { ours: 0, theirs: 0, platform: 0, unknown: 0 };
  for (const bucket of report.buckets) owned[bucket.owner] += bucket.difference_ns;
  const least = Math.max(5e5, difference * SMALL_SHARE);
  const whose = Object.entries(owned).filter(([, ns]) => Math.abs(ns) >= least);
  whose.sort((a, b) => b[1] - a[1]);
  return whose.map(([owner, ns]) => `${ns < 0 ? signedMs(ns) : ms(ns)} ${OWNED[owner]}`).join(", ");
}

function unfold(small, rows) {
  const together = (name) => ms(small.reduce((sum, row) => sum + row[name], 0));
  const sums = { typical: together("typical_mean_ns"), slow: together("slow_mean_ns") };
  const folded = say("parts.more", { n: small.length, ...sums });
  const button = h("button", { class: "link", id: "more-parts", "aria-expanded": "false" }, folded);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    for (const row of rows) row.hidden = !open;
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? say("parts.fewer") : folded;
  });
  return h("p", { class: "more" }, button);
}

/** The parts of one request, or the means of many of which none is slow. */
function means() {
  const one = count === 1;
  const whole = report.buckets.reduce((sum, row) => sum + row.total_ns, 0);
  const order = report.buckets.map((bucket, part) => ({ ...bucket, part })).filter((row) => row.total_ns > 0);
  const scale = Math.max(1, ...order.map((row) => row.total_ns));
  const owned = { theirs: 0, ours: 0, platform: 0, unknown: 0 };
  for (const row of order) owned[row.owner] += row.total_ns;
  const shares = Object.entries(owned)
    .filter(([, ns]) => ns > 0)
    .map(([name, ns]) => `${ms(ns / count)} ${OWNED[name]}`);
  const row = (each) =>
    h(
      "tr",
      {},
      partName(each),
      ownerCell(each),
      h(
        "td",
        { class: "bars" },
        h("div", { class: `fill ${partClass(each.part)}`, $width: `${(each.total_ns / scale) * 100}%` }),
      ),
      h("td", { class: "num difference" }, ms(each.total_ns / count)),
      h("td", { class: "num share" }, percent(each.total_ns, whole)),
      callsCell(each),
      trouble(each),
    );
  const table = h(
    "table",
    { class: "parts means" },
    partsHead([one ? "time" : "mean", "share", "calls"]),
    h("tbody", {}, order.map(row)),
  );
  const says = say(one ? "parts.of_one" : "parts.of_all", { whole: ms(whole / count), shares: shares.join(", ") });
  return [say("parts.means"), says, table];
}
