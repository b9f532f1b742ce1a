// GraphiQL with the explorer pane and, in development, the story.
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { usePluginStore } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { setNonce } from "get-nonce";
import { GraphiQL } from "graphiql";
import { Kind, parse } from "graphql";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import "graphiql/graphiql.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";
import { Story } from "./story.js";
import { StoryFlow, storyPlugin } from "./story-pane.jsx";

const root = document.getElementById("graphiql");
const told = (name) => document.querySelector(`meta[name=${name}]`).content;

// The dialogs' scroll lock adds a style element; the page's policy allows it by this nonce alone.
setNonce(told("nonce"));

const url = new URL("/graphql", location.href);
const send = createGraphiQLFetcher({
  url: url.href,
  subscriptionUrl: url.href.replace(/^http/, "ws"),
  enableIncrementalDelivery: false,
});

const steps = JSON.parse(told("story"));
const story = steps && new Story(steps, sessionStorage);
const explorer = explorerPlugin({ showAttribution: false });
const storyPane = story && storyPlugin(story, send);

/**
 * What the query itself says of its operation. GraphiQL notices a moment after a tab was opened, and until then would
 * send the name that belongs to the tab before.
 */
function inStep(request, options) {
  let documentAST;
  try {
    documentAST = parse(request.query);
  } catch {
    return [request, options]; // the server explains what is wrong with it
  }
  const operations = documentAST.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operations.length !== 1) return [request, { ...options, documentAST }];
  return [{ ...request, operationName: operations[0].name?.value }, { ...options, documentAST }];
}

function fetcher(...given) {
  const [request, options] = inStep(...given);
  const missing = story?.explainMissing(request.operationName, [request.variables, options?.headers]);
  if (missing) return { note: missing };
  const answered = send(request, options);
  if (story && typeof answered?.then === "function") {
    return answered.then((answer) => {
      if (!answer?.errors) story.learn(request.operationName, answer?.data);
      return answer;
    });
  }
  return answered;
}

/** Opens a pane as a click would, once GraphiQL has it: its own `visiblePlugin` leaves the pane's column hidden. */
function OpenPane({ title }) {
  const { plugins } = usePluginStore();
  useEffect(() => {
    document.querySelector(`.graphiql-sidebar button[aria-label="Show ${title}"]`)?.click();
  }, [plugins.length, title]);
  return null;
}

// The explorer focuses one of its fields when it opens, somewhere down the tree.
const showFromTop = () => setTimeout(() => document.querySelector(".graphiql-plugin")?.scrollTo(0, 0), 60);

const pretty = (value) => (value && Object.keys(value).length ? JSON.stringify(value, null, 2) : "");
const tabs = story?.steps.map((step) => ({
  query: step.document,
  variables: pretty(step.variables),
  headers: pretty(step.headers),
}));

const WELCOME = `# Type a query here, or click one together in the explorer on the left.
# Ctrl-Space completes, Ctrl-Enter runs.

{
  shop {
    name
  }
}
`;

createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={WELCOME}
    defaultTabs={tabs}
    // Tabs are kept over a reload. Their headers hold tokens: kept where the shop is a toy, nowhere else.
    shouldPersistHeaders={Boolean(story)}
    defaultEditorToolsVisibility="variables"
    onTogglePluginVisibility={showFromTop}
    plugins={storyPane ? [storyPane, explorer] : [explorer]}
  >
    <GraphiQL.Logo>
      <a className="tw-brand" href="/" title="Tradewind">
        <img src={root.dataset.mark} alt="" width="22" height="22" /> Tradewind
      </a>
      <OpenPane title={(storyPane ?? explorer).title} />
      {story && <StoryFlow story={story} />}
    </GraphiQL.Logo>
  </GraphiQL>,
);
