// All flows, or one of them with its people. What came from a flow or a person is put in as text, never as HTML.
import { draw, element } from "./picture.js";

const REFRESH_MS = 2500;
const key = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const at = (id) => document.getElementById(id);

let shown = ""; // the answer that the page shows
let flow = null;
let chosen = null; // key of the step whose figures are open
let opened = null; // id of the run whose timeline is open

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(key ? `/flows/${encodeURIComponent(key)}/picture` : "/flows/-/overview");
    if (response.status === 404) return missing();
    if (!response.ok) throw new Error(String(response.status));
    const text = await response.text();
    live(true);
    if (text === shown) return;
    shown = text;
    if (key) await showFlow(JSON.parse(text));
    else showOverview(JSON.parse(text));
  } catch {
    live(false);
  }
}

function live(connected) {
  for (const sign of document.querySelectorAll(".live")) {
    sign.classList.toggle("away", !connected);
    sign.textContent = connected ? "Live" : "No connection";
  }
}

function missing() {
  clearInterval(timer);
  at("flow").hidden = true;
  at("missing").hidden = false;
}

// --- all flows -------------------------------------------------------------------------------------------------------

const status = ({ status }) => {
  const made = element("span", { textContent: status.toLowerCase() });
  made.className = `status ${status.toLowerCase()}`;
  return made;
};

const number = (value, name, busy = false) =>
  element(
    "span",
    { className: busy ? "number busy" : "number" },
    element("b", { textContent: typeof value === "number" ? value.toLocaleString() : value }),
    element("span", { textContent: name }),
  );

function showOverview(flows) {
  at("overview").hidden = false;
  at("empty").hidden = flows.length > 0;
  const focused = document.activeElement?.getAttribute("href");
  at("flows").replaceChildren(
    ...flows.map((one) =>
      element(
        "li",
        {},
        element(
          "a",
          { href: `/flows/${encodeURIComponent(one.key)}` },
          element(
            "span",
            { className: "flow" },
            element("span", { className: "title" }, one.name, status(one)),
            element("span", { className: "starts", textContent: `on ${one.trigger}` }),
          ),
          number(one.living, "active", one.living > 0),
          number(one.sent, "sent"),
          number(one.clicked, "clicked"),
          number(one.orders, "orders"),
          number(one.revenue, "revenue"),
        ),
      ),
    ),
  );
  if (focused) at("flows").querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

// --- one flow --------------------------------------------------------------------------------------------------------

async function showFlow(given) {
  flow = given;
  document.title = `${flow.name} · Flows · Tradewind`;
  at("flow").hidden = false;
  at("name").textContent = flow.name;
  at("status").replaceWith(Object.assign(status(flow), { id: "status" }));
  const draft = flow.latestVersion > flow.version ? `, version ${flow.latestVersion} is a draft` : "";
  at("trigger").textContent = `Starts on ${flow.trigger} · version ${flow.version}${draft}`;
  const figures = [
    ["Active", flow.living],
    ["Enrolled", flow.enrolled],
    ["Completed", flow.completed],
    ["Left early", flow.left],
    ["Sent", flow.sent],
    ["Clicked", flow.clicked],
    ["Orders", flow.orders],
    ["Revenue", flow.revenue],
  ];
  at("figures").replaceChildren(
    ...figures.map(([name, value]) =>
      element(
        "div",
        {},
        element("dt", { textContent: name }),
        element("dd", { textContent: typeof value === "number" ? value.toLocaleString() : value }),
      ),
    ),
  );
  at("exits").hidden = !flow.exits.length;
  at("exits").replaceChildren("Leaves at any step on ", ...codes(flow.exits));
  at("elsewhere").hidden = !flow.elsewhere.length;
  at("elsewhere").textContent = `On older versions: ${flow.elsewhere.map(({ key, waiting }) => `${waiting} at ${key}`).join(", ")}`;
  paint();
  showStep();
  await showRuns();
}

const codes = (words) =>
  words.flatMap((word, index) => [index ? ", " : "", element("code", { textContent: word })]);

function paint() {
  if (flow) draw(at("stage"), flow.picture, chosen, choose);
}

function choose(step) {
  chosen = chosen === step ? null : step;
  paint();
  showStep();
  if (chosen !== null) at("step").scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function showStep() {
  const step = chosen === null ? null : flow.picture.nodes.find((node) => node.key === chosen && node.kind !== "end");
  at("step").hidden = !step;
  if (!step) return;
  const rows = [];
  const add = (name, value, className = "") => {
    if (value === undefined) return;
    const text = typeof value === "number" ? value.toLocaleString() : value;
    rows.push(element("tr", { className }, element("th", { scope: "row", textContent: name }), element("td", { textContent: text })));
  };
  add(step.kind === "trigger" ? "Waiting for quiet" : "Waiting now", step.waiting);
  const isMessage = step.kind.startsWith("send_");
  if (step.kind === "trigger") {
    add("Enrolled", flow.enrolled);
    add("Left early", flow.left);
    for (const [reason, count] of flow.exited) add(reason, count, "reason");
  } else {
    add(isMessage ? "Reserved" : "Done", step.done);
    add("Skipped", (step.skipped ?? []).reduce((sum, [, count]) => sum + count, 0));
    for (const [reason, count] of step.skipped ?? []) add(reason, count, "reason");
    if (step.failed) add("Failed", step.failed);
  }
  if (isMessage) {
    for (const name of ["sent", "delivered", "clicked", "unsubscribed", "orders", "revenue"]) {
      add(name[0].toUpperCase() + name.slice(1), step[name]);
    }
  }
  at("step").replaceChildren(
    element(
      "div",
      { className: "head" },
      element("h2", { textContent: step.text }),
      element("button", { className: "close", type: "button", textContent: "×", ariaLabel: "Close", onclick: () => choose(chosen) }),
    ),
    element("p", { className: "about", textContent: step.key ? `Step ${step.key}` : "What starts the flow" }),
    element("table", {}, element("tbody", {}, ...rows)),
  );
}

// --- runs ------------------------------------------------------------------------------------------------------------

const moment = new Intl.DateTimeFormat([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const when = (iso) => element("time", { dateTime: iso, textContent: moment.format(new Date(iso)) });

function until(iso) {
  const now = Date.now() + flow.skewSeconds * 1000; // business time, which development moves
  const minutes = Math.round((new Date(iso) - now) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 90) return `in ${minutes} min`;
  return minutes < 48 * 60 ? `in ${Math.round(minutes / 60)} h` : `in ${Math.round(minutes / 1440)} days`;
}

function where(run) {
  if (run.status === "PENDING") return `waits for quiet${run.dueAt ? `, counts ${until(run.dueAt)}` : ""}`;
  if (run.status === "ACTIVE") return `at ${run.step ?? "the beginning"}${run.dueAt ? `, goes on ${until(run.dueAt)}` : ""}`;
  if (run.status === "COMPLETED") return "completed";
  return `${run.status === "FAILED" ? "failed" : "left"}: ${run.reason ?? ""}`;
}

async function showRuns() {
  const timeline = opened && (await loadTimeline(opened));
  const focused = document.activeElement?.dataset?.run;
  at("nobody").hidden = flow.runs.length > 0;
  at("runs").replaceChildren(
    ...flow.runs.map((run) => {
      const isOpen = run.id === opened && Boolean(timeline);
      const button = element(
        "button",
        { type: "button", onclick: () => open(run.id) },
        element("span", { className: "who", textContent: run.who, title: run.who }),
        when(run.enteredAt),
        element("span", {
          className: `where ${run.status.toLowerCase()}`,
          textContent: `${where(run)}${run.holdout ? " · held out" : ""}${run.version === flow.version ? "" : ` · version ${run.version}`}`,
        }),
      );
      button.dataset.run = run.id;
      button.setAttribute("aria-expanded", String(isOpen));
      return element("li", {}, button, ...(isOpen ? [timeline] : []));
    }),
  );
  if (focused) at("runs").querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
}

async function open(id) {
  opened = opened === id ? null : id;
  await showRuns();
}

async function loadTimeline(id) {
  const response = await fetch(`/flows/-/runs/${encodeURIComponent(id)}`).catch(() => null);
  if (!response?.ok) return null;
  const entries = await response.json();
  const kind = (text) => (text.startsWith("sent ") ? "sent" : /^(skipped|could not|failed)/.test(text) ? "skipped" : "");
  return element(
    "ol",
    { className: "timeline" },
    ...entries.map((entry) => element("li", { className: kind(entry.text) }, entry.text, when(entry.at))),
  );
}

addEventListener("resize", paint);
document.addEventListener("visibilitychange", refresh);
const timer = setInterval(refresh, REFRESH_MS);
refresh();
