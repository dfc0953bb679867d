// Types of what the build puts beside the page's own modules.
declare module "*/katex.mjs" {
  export { default } from "katex";
}
declare module "*/pyodide.mjs" {
  export * from "pyodide";
}
declare module "*/vega.min.mjs" {
  export { default as embed, type Result } from "vega-embed";
  export { expressionInterpreter } from "vega-interpreter";
}
