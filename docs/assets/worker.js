// @ts-check
// Python in a worker. The build puts this file into the runtime's folder, beside Pyodide.
import { expose } from "../../vendor/comlink.min.mjs";
import { loadPyodide } from "./pyodide.mjs";

/** What a boot waits for: Comlink, the five files of Pyodide, and Python's own start. */
const STEPS = 7;

/** @type {(module: WebAssembly.Module) => void} */
let compiled = () => {};
/** @type {Promise<WebAssembly.Module>} */
const module = new Promise((resolve) => (compiled = resolve));

// The page compiles the WebAssembly while this worker starts, so Pyodide need not fetch it.
const { fetch } = globalThis;
globalThis.fetch = (input, init) =>
  String(input).endsWith(".wasm") ? Promise.resolve(new Response()) : fetch(input, init);
WebAssembly.instantiateStreaming = async (_, imports) => {
  const instance = await WebAssembly.instantiate(await module, imports);
  return { module: await module, instance };
};

const start = async () => {
  const pyodide = await loadPyodide({ indexURL: new URL(".", import.meta.url).href });
  return pyodide.pyimport("calculator.browser");
};

const browser = start();
browser.catch(() => {}); // whoever asks is told

expose({
  /** Takes Python itself, which Pyodide waits for. */
  compiled,

  /**
   * Resolve when Python is there.
   * @param {(progress: number) => void} report Is told how much of the way is done, from 0 to 1.
   */
  boot: async (report) => {
    let arrived = 0;
    const tell = (more = 1) => report((arrived += more) / STEPS);
    void module.then(() => tell());
    const observer = new PerformanceObserver((list) => tell(list.getEntries().length));
    observer.observe({ type: "resource", buffered: true });
    await browser;
    observer.disconnect();
  },

  /**
   * Call a function of calculator/browser.py.
   * @param {string} name @param {string} text @returns {Promise<string>}
   */
  call: async (name, text) => (await browser)[name](text),
});
