// Bundles GraphiQL, its explorer pane and the story into two committed files, so that the page needs no CDN and
// the server needs no Node. Run it after a change in this folder: npm ci && npm run build
import { readFileSync, readdirSync, existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = dirname(here);

// Most of the stylesheet would be two font families, inline; the system's own fonts serve as well.
const withoutFonts = {
  name: "without-fonts",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

const result = await build({
  absWorkingDir: here,
  entryPoints: { graphiql: "main.jsx" },
  outdir: target,
  bundle: true,
  minify: true,
  metafile: true,
  format: "iife",
  target: ["es2022"],
  jsx: "automatic",
  legalComments: "none", // NOTICE holds the licences
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [withoutFonts],
});

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}

const licences = new Map(); // licence text -> the packages that carry it
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : "";
  const key = text || `Licence: ${license} (the package ships no licence file)`;
  licences.set(key, [...(licences.get(key) ?? []), `${name} ${version} (${license})`]);
}
const rule = "-".repeat(100);
const notice = [
  "graphiql.js and graphiql.css are bundled from the packages below, unchanged apart from the fonts left out.",
  "Made by source/build.mjs.",
  ...[...licences].map(([text, names]) => [rule, ...names, "", text].join("\n")),
];
writeFileSync(join(target, "NOTICE"), notice.join("\n\n") + "\n");
console.log(`${packages.size} packages bundled`);
