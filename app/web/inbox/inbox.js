// The inbox: a list that keeps itself fresh, and one message in four views. Everything that came from a message is put
// in as text, and the mail itself is shown in a frame that can run no script and belongs to no origin.
const REFRESH_MS = 2000;

const at = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 800px)");

let messages = [];
let known = null; // ids seen before, to point out what is new
let opened = null;
let view = null;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });

function shortTime(iso) {
  const date = new Date(iso);
  return (date.toDateString() === new Date().toDateString() ? clock : day).format(date);
}

async function refresh() {
  if (document.hidden) return;
  try {
    const newest = await load("/inbox/messages");
    at("live").className = "";
    at("live").textContent = "Live";
    const same = newest.length === messages.length && newest.every(
      ({ id, deliveries }, index) => id === messages[index].id && deliveries === messages[index].deliveries,
    );
    if (same && known) return;
    messages = newest;
    showList();
    if (!opened && messages.length && !narrow.matches && !location.hash) open(messages[0].id);
  } catch {
    at("live").className = "away";
    at("live").textContent = "No connection";
  }
}

function showList() {
  const focused = document.activeElement?.dataset?.id;
  at("empty").hidden = messages.length > 0;
  at("nothing").hidden = Boolean(opened) || !messages.length;
  at("messages").replaceChildren(
    ...messages.map((message) => {
      const sms = message.channel === "SMS";
      const button = element(
        "button",
        { onclick: () => (location.hash = message.id) },
        element("span", { className: "to", textContent: message.to }),
        element("time", { textContent: shortTime(message.sentAt), dateTime: message.sentAt }),
        element("span", { className: "subject" }, ...(sms ? [tag("SMS", "sms"), " "] : []), message.subject ?? message.preview),
        ...(sms ? [] : [element("span", { className: "preview", textContent: message.preview })]),
      );
      button.dataset.id = message.id;
      if (message.id === opened?.id) button.setAttribute("aria-current", "true");
      return element("li", { className: known && !known.has(message.id) ? "fresh" : "" }, button);
    }),
  );
  if (focused) at("messages").querySelector(`[data-id="${focused}"]`)?.focus();
  known = new Set(messages.map(({ id }) => id));
}

const tag = (text, kind = "") => element("span", { className: `tag ${kind}`, textContent: text });

async function open(id) {
  try {
    opened = id ? await load(`/inbox/messages/${encodeURIComponent(id)}`) : null;
  } catch {
    opened = null; // a link to a message of another shop, or of before the data was removed
  }
  document.body.classList.toggle("reading", Boolean(opened));
  at("message").hidden = !opened;
  showList();
  if (opened) showMessage();
}

function showMessage() {
  const sms = opened.channel === "SMS";
  at("subject").textContent = opened.subject ?? "Text message";
  at("about").replaceChildren(
    `To ${opened.to} · ${full.format(new Date(opened.sentAt))} `,
    tag(opened.purpose.toLowerCase()),
    " ",
    tag(opened.template),
    ...(opened.deliveries > 1 ? [" ", tag(`delivered ${opened.deliveries} times`, "sms")] : []),
  );
  at("tab-desktop").hidden = !opened.hasHtml;
  at("tab-phone").hidden = !opened.hasHtml && !sms;
  at("tab-headers").hidden = sms;
  at("open").hidden = !opened.hasHtml;
  at("open").href = `/inbox/messages/${opened.id}/html`;
  const usual = sms ? "phone" : opened.hasHtml ? (narrow.matches ? "phone" : "desktop") : "text";
  show(view && !at(`tab-${view}`).hidden ? view : usual);
}

function show(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  at("view").setAttribute("aria-labelledby", `tab-${name}`);
  at("view").replaceChildren(VIEWS[name]());
}

const frame = () => {
  const made = element("iframe", { title: `Mail: ${opened.subject}`, src: `/inbox/messages/${opened.id}/html` });
  made.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  return made;
};

const VIEWS = {
  desktop: () => element("div", { className: "desktop" }, frame()),
  phone: () => element("div", { className: "phone" }, opened.channel === "SMS" ? conversation() : frame()),
  text: () => element("pre", { textContent: opened.text }),
  headers: () =>
    element(
      "table",
      {},
      element(
        "tbody",
        {},
        ...Object.entries(opened.headers).map(([name, value]) =>
          element("tr", {}, element("th", { textContent: name, scope: "row" }), element("td", { textContent: value })),
        ),
      ),
    ),
};

/** All texts to the same number, oldest first, as the phone shows them. */
function conversation() {
  const texts = messages.filter(({ channel, to }) => channel === "SMS" && to === opened.to).reverse();
  const bubbles = element("div", { className: "bubbles" }, element("p", { className: "who", textContent: opened.to }));
  for (const message of texts) {
    const chosen = message.id === opened.id;
    bubbles.append(
      element(
        "div",
        { className: chosen ? "bubble chosen" : "bubble" },
        element("p", {}, ...linked(chosen ? opened.text : message.text)),
        element("time", { textContent: full.format(new Date(message.sentAt)) }),
      ),
    );
  }
  queueMicrotask(() => bubbles.querySelector(".chosen")?.scrollIntoView({ block: "nearest" }));
  return bubbles;
}

const linked = (text) =>
  text
    .split(/(https?:\/\/[^\s]+)/)
    .map((part, index) => (index % 2 ? element("a", { href: part, textContent: part, target: "_blank", rel: "noopener" }) : part));

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.onclick = () => show((view = tab.id.slice("tab-".length)));
}
document.querySelector("[role=tablist]").onkeydown = ({ key }) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!step) return;
  const tabs = [...document.querySelectorAll("[role=tab]:not([hidden])")];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.click();
  next.focus();
};
at("back").onclick = () => (location.hash = "");
onhashchange = () => {
  const id = location.hash.slice(1);
  if (id || narrow.matches) open(id);
};
onvisibilitychange = refresh;

if (location.hash) open(location.hash.slice(1));
refresh();
setInterval(refresh, REFRESH_MS);
