// What flows from one tab of the story to the next. No user interface here: story-pane.jsx shows it.
//
// A step of story.json names what its answer teaches (`captures`) and what it needs (`{{name}}` in its variables
// and headers). Values live in sessionStorage, so that a reload goes on where it was and a new window starts afresh.

const PLACEHOLDER = /\{\{(\w+)\}\}/g;
const KEPT = "tradewind:story";

/** The value at a dotted path such as `products.nodes.0.id`, or undefined. */
export const valueAt = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);

/** Names of the placeholders that `value` (text, or anything JSON) still holds. */
export function placeholders(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name]) => name))];
}

const pretty = (value) => JSON.stringify(value, null, 2);

function render(text, values) {
  return text.replace(PLACEHOLDER, (whole, name) => values[name] ?? whole);
}

/**
 * Puts known values into the editor's JSON `text` wherever `template` has a placeholder, and leaves everything else as
 * the developer wrote it. Returns `{text, names}`: the new text, and the names whose value changed. Text that is not
 * JSON is somebody's work in progress and stays untouched.
 */
export function fill(template, text, values) {
  if (!template || !Object.keys(template).length) return { text, names: [] };
  let current;
  try {
    current = text.trim() ? JSON.parse(text) : structuredClone(template);
  } catch {
    return { text, names: [] };
  }
  const changed = new Set();
  const walk = (pattern, target) => {
    for (const [key, part] of Object.entries(pattern)) {
      if (typeof part === "string" && placeholders(part).length) {
        const value = render(part, values);
        if (value === target[key]) continue;
        if (placeholders(value).length && target[key] !== undefined) continue;
        placeholders(part).filter((name) => values[name]).forEach((name) => changed.add(name));
        target[key] = value;
      } else if (part && typeof part === "object" && target[key] && typeof target[key] === "object") {
        walk(part, target[key]);
      }
    }
  };
  walk(template, current);
  return { text: changed.size || !text.trim() ? pretty(current) : text, names: [...changed] };
}

export class Story {
  constructor(steps, storage) {
    this.steps = steps;
    this.storage = storage;
    this.listeners = new Set();
    let kept = {};
    try {
      kept = JSON.parse(storage.getItem(KEPT) ?? "{}");
    } catch {
      // Somebody edited it by hand: the story starts again.
    }
    this.state = { values: kept.values ?? {}, done: kept.done ?? {}, learned: null };
  }

  subscribe = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = () => this.state;

  step = (operationName) => this.steps.find((step) => step.operation === operationName);

  /** The step that teaches `name`. */
  source = (name) => this.steps.find((step) => name in step.captures);

  /** Takes what an operation's answer teaches. */
  learn(operationName, data) {
    const step = this.step(operationName);
    if (!step || !data) return;
    const learned = {};
    for (const [name, path] of Object.entries(step.captures)) {
      const value = path === "$new" ? crypto.randomUUID() : valueAt(data, path);
      if (typeof value === "string") learned[name] = value;
    }
    // A refusal answers with nulls: then nothing was learned, and a fresh key must not be made either.
    const paths = Object.entries(step.captures).filter(([, path]) => path !== "$new");
    if (paths.length && !paths.some(([name]) => name in learned)) return;
    this.set({
      values: { ...this.state.values, ...learned },
      done: { ...this.state.done, [step.operation]: true },
      learned: Object.keys(learned).length ? { step, names: Object.keys(learned) } : this.state.learned,
    });
  }

  /** A sentence for whoever runs a step before the one that it needs, or null. */
  explainMissing(operationName, request) {
    const names = placeholders(request);
    if (!this.step(operationName) || !names.length) return null;
    const wanted = names.map((name) => {
      const step = this.source(name);
      return step ? `${name} (run "${step.title}" first: its answer has it)` : name;
    });
    return `This step still needs ${wanted.join(", ")}.`;
  }

  restart() {
    this.set({ values: {}, done: {}, learned: null });
  }

  set(state) {
    this.state = state;
    this.storage.setItem(KEPT, JSON.stringify({ values: state.values, done: state.done }));
    this.listeners.forEach((listener) => listener());
  }
}
