// The picture of a flow. The server says in boxes and rows where things stand; here that becomes pixels for the window.
import { icon, svg } from "./icons.js";

const WIDEST_BOX = 292;
const NARROWEST_BOX = 150;
const NARROW_BOX = 216; // below, texts take two lines
const END_HEIGHT = 32;
const GAP = 34;
const GAP_WITH_WORDS = 62;
const CORNER = 11;
const MEET = 0.66; // share of a gap, from its top
const MESSAGES = ["send_email", "send_sms", "send_voice"];
const CHOICES = ["condition", "split", "wait_for", "holdout"];

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Draws into `stage`; `choose` is called with the key of a step that was clicked. */
export function draw(stage, { nodes, lines, width, rows }, chosen, choose) {
  const room = stage.parentElement.clientWidth - padding(stage.parentElement);
  const unit = Math.max(NARROWEST_BOX, Math.min(WIDEST_BOX, Math.floor(room / width)));
  const heights = nodes.map((node) => (node.kind === "end" ? END_HEIGHT : unit < NARROW_BOX ? 104 : 80));
  const tops = rowTops(nodes, lines, rows, heights);
  const x = (place) => Math.round(place * unit);

  stage.classList.toggle("narrow", unit < NARROW_BOX);
  stage.style.width = `${x(width)}px`;
  stage.style.height = `${tops.end}px`;
  const focused = document.activeElement?.dataset?.step;
  const boxes = nodes.map((node, index) => {
    const made = node.kind === "end" ? ending(node) : box(node, node.key === chosen && node.key !== "", choose);
    made.style.left = `${x(node.x - node.width / 2)}px`;
    made.style.top = `${tops.at[node.row]}px`;
    made.style.width = `${x(node.width)}px`;
    made.style.height = `${heights[index]}px`;
    return made;
  });
  const ways = lines.map((line) => way(line, { nodes, heights, tops, x }));
  const marker = svg(
    "marker",
    { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    svg("path", { d: "M0 .8 7.500 4 0 7.200z" }),
  );
  const drawing = svg("svg", { class: "lines", "aria-hidden": "true" }, svg("defs", {}, marker), ...ways.map(({ path }) => path));
  stage.replaceChildren(drawing, ...boxes, ...ways.map(({ words }) => words).filter(Boolean));
  for (const { words } of ways) {
    if (!words) continue; // none is cut off at the edge
    const half = words.offsetWidth / 2;
    words.style.left = `${Math.max(half, Math.min(parseFloat(words.style.left), x(width) - half))}px`;
  }
  if (focused) stage.querySelector(`[data-step="${CSS.escape(focused)}"]`)?.focus();
}

const padding = (box) => {
  const { paddingLeft, paddingRight } = getComputedStyle(box);
  return parseFloat(paddingLeft) + parseFloat(paddingRight);
};

/** Where each row begins; below a row whose ways have words there is more room. */
function rowTops(nodes, lines, rows, heights) {
  const at = [];
  const below = [];
  let top = 0;
  for (let row = 0; row < rows; row++) {
    const height = Math.max(...nodes.map((node, index) => (node.row === row ? heights[index] : 0)));
    const words = lines.some((line) => line.label && nodes[line.from].row === row);
    at.push(top);
    below.push({ from: top + height, gap: words ? GAP_WITH_WORDS : GAP });
    top += height + below[row].gap;
  }
  return { at, below, end: below[rows - 1].from };
}

function box(node, isChosen, choose) {
  const kind = node.kind === "trigger" ? "start" : MESSAGES.includes(node.kind) ? "message" : CHOICES.includes(node.kind) ? "choice" : "";
  const made = element(
    "button",
    { className: `box ${kind} ${node.waiting ? "busy" : ""}`, type: "button", title: node.text, onclick: () => choose(node.key) },
    element("span", { className: "icon" }, icon(node.kind)),
    element(
      "span",
      { className: "words" },
      element("span", { className: "text", textContent: node.text }),
      element("span", { className: "counts" }, ...counts(node)),
    ),
  );
  made.dataset.step = node.key;
  made.setAttribute("aria-expanded", String(isChosen));
  return made;
}

function ending(node) {
  const made = element("div", { className: "box end" }, icon("end"), "End");
  made.dataset.step = node.key;
  return made;
}

function counts(node) {
  const skipped = (node.skipped ?? []).reduce((sum, [, count]) => sum + count, 0);
  const shown = [
    ["waiting", node.waiting],
    ["sent", node.sent],
    ["done", MESSAGES.includes(node.kind) ? 0 : node.done],
    ["skipped", skipped],
    ["failed", node.failed],
    ["clicked", node.clicked],
  ];
  return shown.filter(([, count]) => count).map(([name, count]) => element("span", { className: name, textContent: `${count.toLocaleString()} ${name}` }));
}

function way({ from, to, label, lanes }, { nodes, heights, tops, x }) {
  const [source, target] = [nodes[from], nodes[to]];
  const points = [[x(source.x), tops.at[source.row] + heights[from]]];
  const turn = (row, share) => tops.below[row].from + tops.below[row].gap * share;
  let here = x(source.x);
  const go = (place, y) => {
    if (place === here) return;
    points.push([here, y], [place, y]);
    here = place;
  };
  // Ways part high in a gap and meet low in one, so that neither is taken for the other.
  const split = source.row;
  if (lanes.length) {
    go(x(lanes[0][0]), turn(split, 0.28));
    go(x(target.x), turn(target.row - 1, MEET));
  } else {
    go(x(target.x), turn(split, label ? 0.28 : MEET));
  }
  points.push([x(target.x), tops.at[target.row] - 1]);
  const beside = lanes.length ? x(lanes[0][0]) : x(target.x);
  let words = null;
  if (label) {
    words = element("span", { className: "way", textContent: label, title: label });
    words.style.left = `${beside}px`;
    words.style.top = `${turn(split, 0.56)}px`;
  }
  return { path: svg("path", { d: rounded(points), "marker-end": "url(#tip)" }), words };
}

/** A line through the points with round corners. */
function rounded(points) {
  let d = `M${points[0].join(" ")}`;
  for (let place = 1; place < points.length - 1; place++) {
    const [[ax, ay], [bx, by], [cx, cy]] = [points[place - 1], points[place], points[place + 1]];
    const before = Math.hypot(bx - ax, by - ay);
    const after = Math.hypot(cx - bx, cy - by);
    const r = Math.min(CORNER, before / 2, after / 2);
    if (!r) continue;
    d += `L${bx - ((bx - ax) / before) * r} ${by - ((by - ay) / before) * r}`;
    d += `Q${bx} ${by} ${bx + ((cx - bx) / after) * r} ${by + ((cy - by) / after) * r}`;
  }
  return `${d}L${points.at(-1).join(" ")}`;
}
