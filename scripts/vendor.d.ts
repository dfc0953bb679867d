// Types of what the build puts beside the page's own modules.
declare module "*/comlink.min.mjs" {
  export * from "comlink";
}
declare module "*/katex.mjs" {
  export { default } from "katex";
}
declare module "*/pyodide.mjs" {
  export * from "pyodide";
}
