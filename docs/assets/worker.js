// @ts-check
// Python in a worker. The build puts this file into the runtime's folder, beside Pyodide.
import { expose } from "../../vendor/comlink.min.mjs";
import { loadPyodide } from "./pyodide.mjs";

/** What a boot waits for: Comlink, the five files of Pyodide, and Python's own start. */
const STEPS = 7;

/** Where the WebAssembly does not arrive, Pyodide only writes a warning, and waits for ever. */
const failure = new Promise((_, reject) => {
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = (...given) => {
    const instance = instantiateStreaming(...given);
    instance.catch(reject);
    return instance;
  };
});

const start = async () => {
  const pyodide = await loadPyodide({ indexURL: new URL(".", import.meta.url).href });
  return pyodide.pyimport("calculator.browser");
};

const browser = Promise.race([start(), failure]);
browser.catch(() => {}); // whoever asks is told

expose({
  /**
   * Resolve when Python is there.
   * @param {(progress: number) => void} report Is told how much of the way is done, from 0 to 1.
   */
  boot: async (report) => {
    const observer = new PerformanceObserver(() =>
      report(performance.getEntriesByType("resource").length / STEPS),
    );
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
