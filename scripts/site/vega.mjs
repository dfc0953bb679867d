// What a page draws its charts with: the build makes one module of it, with all that it needs.
export { default as embed } from "vega-embed";
export { expressionInterpreter } from "vega-interpreter";
