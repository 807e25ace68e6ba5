// ---- The call map: one column per level of calls; a list where the map does not fit.

const KINDS = {
  "api gateway": "API",
  function: "Lambda function",
  aws: "AWS",
  external: "external API",
  database: "database",
};
const PORT = 34; // pixels between lines that arrive at one node
const BACK = 14; // pixels for lines that go back
const BOX = [112, 204]; // pixels of a node's width, at least and at most

function drawMap() {
  if (report.map.edges.length === 0) return;
  const says =
    count > 1
      ? "Line width follows the time spent there. p95 is that of the calls, not of the requests."
      : "Line width follows the time spent there.";
  const box = h("div", { class: "map" });
  section("map", "Who calls whom", says, box).classList.add("wide");
  const plan = layers(report.map);
  onWidth(box, (width) => {
    const words = Math.max(...report.map.edges.map((edge) => wide(callWords(edge))));
    const columns = plan.columns.length;
    const node = Math.min(BOX[1], Math.floor((width - (columns - 1) * (words + 34)) / columns));
    box.replaceChildren(node < BOX[0] ? mapList() : mapPicture(plan, width, node, words));
    markNode();
  });
  watchers.push(markNode);
}

const nodeOf = (id) => report.map.nodes.find((node) => node.id === id);
const showNode = (node) => only({ node: node.id });
const callWords = (edge) => `${plural(edge.calls, "call")} · ${edge.calls > 1 ? "p95 " : ""}${ms(edge.p95_ns)}`;

function wrongWords(edge) {
  const found = ["timeout", "error", "throttle"].filter((name) => edge[`${name}s`] > 0);
  return found.map((name) => plural(edge[`${name}s`], name)).join(", ");
}

/** An AWS resource by its own name, with its service below; everything else by its kind. */
function nodeWords(node) {
  if (node.kind !== "aws") return [node.name, KINDS[node.kind]];
  const [service, ...rest] = node.name.split(" ");
  return rest.length > 0 ? [rest.join(" "), service === "DynamoDB" ? "DynamoDB table" : service] : [service, "AWS"];
}

function markNode() {
  for (const element of byId("map").querySelectorAll("[data-node]")) {
    element.setAttribute("aria-pressed", Number(element.dataset.node) === state.node);
  }
}

function mapPicture({ columns, ways }, width, nodeWidth, longest) {
  const gap = columns.length > 1 ? (width - columns.length * nodeWidth) / (columns.length - 1) : 0;
  const tall = (box) => (box.node === null ? PORT : Math.max(50, new Set(box.before).size * PORT + 8));
  const heights = columns.map((boxes) => boxes.reduce((sum, box) => sum + tall(box) + 20, -20));
  const height = Math.max(...heights) + 8;
  columns.forEach((boxes, at) => {
    const space = boxes.length > 1 ? Math.min(70, 20 + (height - 8 - heights[at]) / (boxes.length - 1)) : 0;
    const used = boxes.reduce((sum, box) => sum + tall(box), 0) + space * (boxes.length - 1);
    let y = (height - used) / 2;
    for (const box of boxes) {
      Object.assign(box, { x: at * (nodeWidth + gap), y, height: tall(box), middle: y + tall(box) / 2 });
      y += tall(box) + space;
    }
  });
  const back = ways.some(({ way }) => way.length === 2 && way[1].x <= way[0].x);
  const picture = s("svg", {
    width,
    height: height + (back ? 2 * BACK : 0),
    role: "group",
    "aria-label": "Map of calls",
  });
  const most = Math.max(1, ...ways.map(({ edge }) => edge.total_ns));
  const words = s("g", {});
  const sizes = { nodeWidth, gap, longest, bottom: height + BACK };
  for (const one of ways) picture.append(line(one, sizes, 1.2 + 6.3 * Math.sqrt(one.edge.total_ns / most), words));
  picture.append(words);
  for (const box of columns.flat()) if (box.node !== null) picture.append(nodeBox(box, nodeWidth));
  return picture;
}

/** Where a line leaves or reaches a box: beside the others, in the order of where they come from. */
function port(box, other, side, apart) {
  const others = [...new Set(box[side])].sort((a, b) => a.middle - b.middle);
  return box.middle + (others.indexOf(other) - (others.length - 1) / 2) * apart;
}

function line({ edge, way }, { nodeWidth, gap, longest, bottom }, thick, words) {
  const wrong = wrongWords(edge);
  const whole = wide(callWords(edge)) + wide(` · ${wrong}`, `600 ${SMALL}`);
  const aside = wrong !== "" && gap - 50 > whole;
  let path = "";
  let [x, y] = [0, 0];
  for (let at = 1; at < way.length; at++) {
    const [from, to] = [way[at - 1], way[at]];
    const [left, right] = [from.x + nodeWidth, to.x];
    const start = from.node === null ? y : port(from, to, "after", 10);
    const end = to.node === null ? to.middle : port(to, from, "before", PORT);
    const flat =
      at === way.length - 1 ? Math.min(right - left - 24, Math.max((aside ? whole : longest) + 12, gap * 0.5)) : 0;
    [x, y] = [right, end];
    if (right <= left) {
      // A call to a caller, or to itself: drawn below everything, and up again.
      path = `M${left} ${start}c${BACK} 0 ${BACK} 0 ${BACK} ${BACK}V${bottom}H${right - BACK}V${end + BACK}c0 ${-BACK} 0 ${-BACK} ${BACK} ${-BACK}`;
      continue;
    }
    const bend = right - flat;
    const half = (bend - left) / 2;
    path += `${path ? "L" : "M"}${left} ${start}C${left + half} ${start} ${bend - half} ${end} ${bend} ${end}`;
    path += to.node === null ? `H${right + nodeWidth}` : `H${right}`;
  }
  const last = nodeOf(edge.to);
  const kind = last.kind === "function" ? "gateway" : last.kind;
  const text = (at, content, name) => s("text", { x: x - 8, y: at, "text-anchor": "end", class: name }, content);
  words.append(
    text(y - thick / 2 - 4, [callWords(edge), aside && s("tspan", { class: "bad" }, ` · ${wrong}`)], "words"),
  );
  if (wrong !== "" && !aside) words.append(text(y + thick / 2 + 12, wrong, "words bad"));
  return s("path", { d: path, class: `call p-${kind}`, "stroke-width": thick.toFixed(1) });
}

function nodeBox({ node, x, y, height }, width) {
  const [name, kind] = nodeWords(node);
  const acts = count > 1 && {
    tabindex: 0,
    role: "button",
    "aria-label": `${kind} ${name}: filter the list`,
    onclick: () => showNode(node),
  };
  const element = s(
    "g",
    { class: "node", "data-node": node.id, ...acts },
    s("rect", { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, rx: 6 }),
    s("text", { class: "strong", x: x + 12, y: y + height / 2 - 2 }, fitted(name, width - 22, NODE)),
    s("text", { x: x + 12, y: y + height / 2 + 14 }, kind),
    s("title", {}, name),
  );
  if (acts) {
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      showNode(node);
    });
  }
  return element;
}

/** The same as indented lines; what calls in a circle is named once more, and no further. */
function mapList() {
  const { nodes, edges } = report.map;
  const called = new Set(edges.map((edge) => edge.to));
  const item = (node, edge, above) => {
    const [name, kind] = nodeWords(node);
    const wrong = edge ? wrongWords(edge) : "";
    const title = [h("b", { class: "isolated" }, name), " ", h("span", { class: "kind" }, kind)];
    const below = above.includes(node.id) ? [] : edges.filter((one) => one.from === node.id);
    return h(
      "li",
      {},
      count > 1 ? h("button", { "data-node": node.id, onclick: () => showNode(node) }, title) : h("span", {}, title),
      edge && h("small", {}, callWords(edge), wrong !== "" && h("span", { class: "bad" }, ` · ${wrong}`)),
      below.length > 0 &&
        h(
          "ul",
          {},
          below.map((one) => item(nodeOf(one.to), one, [...above, node.id])),
        ),
    );
  };
  const tops = nodes.filter((node) => !called.has(node.id));
  return h(
    "ul",
    { class: "map-list" },
    (tops.length > 0 ? tops : nodes.slice(0, 1)).map((node) => item(node, null, [])),
  );
}
