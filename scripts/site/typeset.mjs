// Sets formulas and draws charts for the build. Each line of standard input is a request in JSON,
// and is answered by one line: {"formulas": [{tex, displayMode}, …]} or {"chart": specification}
// by {"markup": …}, or by {"error": why} where KaTeX or Vega-Lite rejects it.
import { createInterface } from "node:readline";
import katex from "katex";

/**
 * The TeX beside each formula goes: nobody sees it, and a page is read the sooner without.
 * @param {{tex: string, displayMode: boolean}} formula
 */
const setFormula = ({ tex, displayMode }) =>
  katex.renderToString(tex, { displayMode }).replace(/<annotation [^]*?<\/annotation>/g, "");

/** @param {any} specification */
const drawChart = async (specification) => {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  return new vega.View(vega.parse(compile(specification).spec), { renderer: "none" }).toSVG();
};

for await (const line of createInterface({ input: process.stdin })) {
  const { formulas, chart } = JSON.parse(line);
  try {
    const markup = chart ? await drawChart(chart) : formulas.map(setFormula);
    process.stdout.write(`${JSON.stringify({ markup })}\n`);
  } catch (reason) {
    const error = `${chart ? "Vega-Lite" : "KaTeX"}: ${reason}`;
    process.stdout.write(`${JSON.stringify({ error })}\n`);
  }
}
