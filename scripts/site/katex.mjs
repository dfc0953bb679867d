// Reads [{tex, displayMode}, …] as JSON, writes the HTML of each. A formula that is wrong ends it.
// The TeX beside each formula goes: nobody sees it, and a page is read the sooner without.
import { readFileSync } from "node:fs";
import katex from "katex";

/** @type {{tex: string, displayMode: boolean}[]} */
const formulas = JSON.parse(readFileSync(0, "utf8"));
const html = formulas.map(({ tex, displayMode }) => 
  katex.renderToString(tex, { displayMode }).replace(/<annotation [^]*?<\/annotation>/g, ""),
);
process.stdout.write(JSON.stringify(html));
