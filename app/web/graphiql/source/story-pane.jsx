// The story as people see it: the pane with its steps, and the values that arrive in the tabs' editors.
import { useEditorContext, useExecutionContext, usePluginStore } from "@graphiql/react";
import { parse } from "graphql";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { fill, placeholders } from "./story.js";

const FLASH_MS = 1600;
const NOTE_MS = 6000;
const MAX_UPDATES = 20;

const useStory = (story) => useSyncExternalStore(story.subscribe, story.snapshot);

/** The step whose operation is in the tab, if it still is. */
const stepOf = (story, tab) => {
  const name = /\b(?:query|mutation|subscription)\s+(\w+)/.exec(tab?.query ?? "")?.[1];
  return name && story.step(name);
};

/** Always mounted: puts what was learned into the editors of the tab that is open, where everybody sees it happen. */
export function StoryFlow({ story }) {
  const { values } = useStory(story);
  const { tabs, activeTabIndex, variableEditor, headerEditor } = useEditorContext({ nonNull: true });
  const [note, setNote] = useState(null);
  const step = stepOf(story, tabs[activeTabIndex]);

  useEffect(() => {
    if (!step || !variableEditor || !headerEditor) return;
    const arrived = new Map();
    for (const [editor, template] of [[variableEditor, step.variables], [headerEditor, step.headers]]) {
      const { text, names } = fill(template, editor.getValue(), values);
      if (text !== editor.getValue()) editor.setValue(text);
      for (const name of names) arrived.set(name, story.source(name));
      if (names.length) flash(editor.getWrapperElement());
    }
    if (arrived.size) setNote({ key: Date.now(), arrived: [...arrived] });
  }, [step, values, tabs[activeTabIndex]?.id, variableEditor, headerEditor]);

  useEffect(() => {
    if (!note) return undefined;
    const timer = setTimeout(() => setNote(null), NOTE_MS);
    return () => clearTimeout(timer);
  }, [note]);

  // GraphiQL leaves a tab that is opened from here where it is, out of sight or not.
  useEffect(() => {
    const tab = document.querySelector(".graphiql-tab-active");
    if (tab) show(tab, tab.parentElement, "left", "right", "scrollLeft");
  }, [activeTabIndex]);

  if (!note) return null;
  return (
    <div className="tw-note" role="status" key={note.key}>
      {note.arrived.map(([name, source]) => (
        <div key={name}>
          <code>{name}</code> {source ? `came from “${source.title}”` : "filled in"}
        </div>
      ))}
    </div>
  );
}

/** Scrolls only the strip or pane that it is in, and no further than it takes: the page of a phone stays as it is. */
function show(element, scroller, start, end, position) {
  const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (inner[start] < outer[start]) scroller[position] -= outer[start] - inner[start];
  else if (inner[end] > outer[end]) scroller[position] += Math.min(inner[end] - outer[end], inner[start] - outer[start]);
}

function flash(element) {
  element.classList.remove("tw-arrived");
  void element.offsetWidth; // a class that was there before must be seen to go before it comes again
  element.classList.add("tw-arrived");
  setTimeout(() => element.classList.remove("tw-arrived"), FLASH_MS);
}

export function storyPlugin(story, send) {
  return {
    title: "Story",
    icon: BookIcon,
    content: () => <StoryPane story={story} send={send} />,
  };
}

function StoryPane({ story, send }) {
  const { values, done } = useStory(story);
  const { tabs, activeTabIndex, changeTab } = useEditorContext({ nonNull: true });
  const { run, isFetching } = useExecutionContext({ nonNull: true });
  const { plugins, setVisiblePlugin } = usePluginStore();
  const active = stepOf(story, tabs[activeTabIndex]);
  const tabOf = (step) => tabs.findIndex((tab) => stepOf(story, tab) === step);
  const next = active && story.steps[story.steps.indexOf(active) + 1];
  const open = (step) => {
    const index = tabOf(step);
    if (index >= 0) changeTab(index);
  };
  const missing = active
    ? placeholders([active.variables, active.headers]).filter((name) => !values[name])
    : [];
  const shown = useRef(null);
  useEffect(() => {
    const pane = shown.current?.closest(".graphiql-plugin");
    if (pane) show(shown.current, pane, "top", "bottom", "scrollTop");
  }, [active, missing.length, done[active?.operation]]);
  const explorer = plugins.find(({ title }) => title === "GraphiQL Explorer");

  return (
    <section className="tw-story" aria-label="Story">
      <div className="graphiql-doc-explorer-title">Story</div>
      <p>
        From the first look to the parcel at the door. Run a step, then go on to the next: what its answer teaches is
        filled in there.
      </p>
      <ol>
        {story.steps.map((step) => (
          <li key={step.operation} className={step === active ? "active" : ""} ref={step === active ? shown : undefined}>
            <button
              type="button"
              onClick={() => open(step)}
              disabled={tabOf(step) < 0}
              aria-current={step === active ? "step" : undefined}
            >
              <span className={done[step.operation] ? "mark done" : "mark"} aria-hidden="true">
                {done[step.operation] ? "✓" : story.steps.indexOf(step) + 1}
              </span>
              <span>
                <b>{step.title}</b>
                {step === active && <small>{step.says}</small>}
              </span>
            </button>
            {step === active && (
              <div className="tw-actions">
                <button type="button" className="tw-run" onClick={run} disabled={isFetching || missing.length > 0}>
                  {done[step.operation] ? "Run again" : "Run"}
                </button>
                {next && (
                  <button type="button" onClick={() => open(next)} disabled={!done[step.operation]}>
                    Next: {next.title}
                  </button>
                )}
                {missing.length > 0 && (
                  <small>
                    Needs {missing.map((name) => `${name} from “${story.source(name)?.title ?? "elsewhere"}”`).join(", ")}.
                  </small>
                )}
              </div>
            )}
          </li>
        ))}
      </ol>
      {values.orderToken && <LiveTracking key={values.orderToken} token={values.orderToken} send={send} />}
      {Object.keys(values).length > 0 && (
        <details className="tw-values">
          <summary>What the answers taught</summary>
          <dl>
            {Object.entries(values).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd title={value}>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <div className="tw-foot">
        {explorer && (
          <button type="button" onClick={() => setVisiblePlugin(explorer)}>
            Click a query together
          </button>
        )}
        <a href="/inbox" target="_blank" rel="noopener">
          Open the inbox
        </a>
        <button type="button" onClick={() => startOver(story)}>
          Start over
        </button>
      </div>
    </section>
  );
}

function startOver(story) {
  story.restart();
  Object.keys(localStorage)
    .filter((key) => key.startsWith("graphiql:"))
    .forEach((key) => localStorage.removeItem(key));
  // GraphiQL writes its tabs half a second after a change; a reload now would let it write the old ones once more.
  location.replace("/graphql");
}

const LIVE = `subscription LiveTracking($token: String!) {
  orderTracking(token: $token) {
    number
    status
    fulfillmentStatus
    shipments { carrier trackingNumber status events { status description } }
  }
}`;

const LIVE_DOCUMENT = parse(LIVE);

/** Stays open while the other tabs are used, so that a parcel's way is seen the moment that staff report it. */
function LiveTracking({ token, send }) {
  const [updates, setUpdates] = useState([]);
  const [problem, setProblem] = useState(null);
  const end = useRef(null);

  useEffect(() => {
    const stream = send({ query: LIVE, operationName: "LiveTracking", variables: { token } }, { documentAST: LIVE_DOCUMENT });
    let open = true;
    (async () => {
      try {
        const iterator = (await stream)[Symbol.asyncIterator]();
        end.current = () => iterator.return?.();
        for (let step = await iterator.next(); open && !step.done; step = await iterator.next()) {
          const tracking = step.value.data?.orderTracking;
          if (tracking) setUpdates((known) => [describe(tracking), ...known].slice(0, MAX_UPDATES));
          else setProblem(step.value.errors?.[0]?.message ?? "No answer.");
        }
      } catch {
        if (open) setProblem("The connection broke. Reload to connect again.");
      }
    })();
    return () => {
      open = false;
      end.current?.();
    };
  }, [token, send]);

  return (
    <div className="tw-live" aria-live="polite">
      <h3>
        <i aria-hidden="true" /> Live
      </h3>
      {problem && <p>{problem}</p>}
      <ul>
        {updates.map((update, index) => (
          <li key={updates.length - index}>
            <time>{update.at}</time> {update.text}
          </li>
        ))}
      </ul>
    </div>
  );
}

function describe(tracking) {
  const parcels = tracking.shipments.map(({ carrier, status, events }) => {
    const last = events.at(-1);
    return `${carrier}: ${words(status)}${last?.description ? `, ${last.description}` : ""}`;
  });
  const state = `${words(tracking.status)}, ${words(tracking.fulfillmentStatus)}`;
  return {
    at: new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    text: [`Order ${tracking.number} ${state}`, ...parcels].join(" · "),
  };
}

const words = (name) => name.toLowerCase().replaceAll("_", " ");

function BookIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" aria-hidden="true">
      <path d="M12 6.5C10 5 7 4.500 3.500 4.500v14c3.500 0 6.500.5 8.500 2 2-1.500 5-2 8.500-2v-14c-3.500 0-6.500.5-8.500 2zm0 0v14" />
    </svg>
  );
}
