// Reads [{tex, displayMode}, …] as JSON, writes the HTML of each. A formula that is wrong ends it.
import { readFileSync } from "node:fs";
import katex from "katex";

/** @type {{tex: string, displayMode: boolean}[]} */
const formulas = JSON.parse(readFileSync(0, "utf8"));
const html = formulas.map(({ tex, displayMode }) => katex.renderToString(tex, { displayMode }));
process.stdout.write(JSON.stringify(html));
