// Types of what the build puts beside the page's own modules.
declare module "*/katex.js" {
  export { default } from "katex";
}
declare module "*/vega.js" {
  export { default as embed, type Result } from "vega-embed";
  export { expressionInterpreter } from "vega-interpreter";
}
