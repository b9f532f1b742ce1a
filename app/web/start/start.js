// What the start page says about the shop that runs here. Everything else on it works without.
const at = (id) => document.getElementById(id);

async function answer(path, options) {
  const response = await fetch(path, options);
  return response.json();
}

async function showHealth() {
  const state = at("state");
  try {
    const { status, ...parts } = await answer("/health/ready");
    const wrong = Object.entries(parts).filter(([, value]) => value !== "ok");
    state.className = `state ${status === "ok" ? "good" : "bad"}`;
    state.lastElementChild.textContent = wrong.length
      ? wrong.map(([name, value]) => `${name}: ${value}`).join(" · ")
      : "Everything is running";
    at("health").textContent = Object.entries(parts).map(([name, value]) => `${name} ${value}`).join(" · ");
  } catch {
    state.className = "state bad";
    state.lastElementChild.textContent = "The server does not answer";
  }
}

async function showShop() {
  const query = "{ shop { name currencyCode countries } products(first: 0) { totalCount } collections(first: 0) { totalCount } }";
  const { data } = await answer("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query }),
  });
  if (!data?.shop) return;
  at("shop").textContent = `${data.shop.name} is open`;
  at("facts").textContent = [
    count(data.products.totalCount, "product"),
    count(data.collections.totalCount, "collection"),
    `prices in ${data.shop.currencyCode}`,
    `ships to ${count(data.shop.countries.length, "country", "countries")}`,
  ].join(" · ");
}

async function showNewest() {
  const [newest] = await answer("/inbox/messages");
  if (newest) at("newest").textContent = `Newest: “${newest.subject ?? newest.preview}” to ${newest.to}`;
}

async function showFlows() {
  const flows = await answer("/flows/-/overview");
  const published = flows.filter(({ status }) => status === "PUBLISHED").length;
  const living = flows.reduce((sum, flow) => sum + flow.living, 0);
  if (published) at("living").textContent = `${count(published, "flow")} at work, ${count(living, "person", "people")} in them.`;
}

const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

document.addEventListener("click", async ({ target }) => {
  if (!target.matches(".copy")) return;
  await navigator.clipboard.writeText(target.dataset.copy ?? at(target.dataset.copyFrom).textContent);
  target.textContent = "Copied";
  setTimeout(() => (target.textContent = "Copy"), 1500);
});

showHealth();
setInterval(showHealth, 10_000);
showShop().catch(() => {});
showNewest().catch(() => {});
showFlows().catch(() => {});
