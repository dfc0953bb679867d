// @ts-check
// Python in a worker. The build puts this file into the runtime's folder, beside Pyodide.
import { expose } from "comlink";
import { loadPyodide } from "pyodide";

/** What a boot waits for: the four files of Pyodide, and Python's own start. */
const STEPS = 5;

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

const python = loadPyodide({ indexURL: new URL(".", import.meta.url).href });
const browser = python.then((pyodide) => pyodide.pyimport("calculator.browser"));
browser.catch(() => {}); // whoever asks is told

/** @type {Promise<void> | undefined} */
let rest;

/** Fetch the modules that no first answer needs, once; after a failure, once more. */
const extend = async () => {
  const answer = await fetch(new URL("rest.zip", import.meta.url));
  if (!answer.ok) throw new Error("its files could not be loaded");
  (await python).FS.writeFile("/rest.zip", new Uint8Array(await answer.arrayBuffer()));
  (await browser).extend("/rest.zip");
};

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
  call: async (name, text) => {
    const functions = await browser;
    try {
      return functions[name](text);
    } catch (error) {
      if (/** @type {any} */ (error).type !== "ModuleNotFoundError") throw error;
      await (rest ??= extend().catch((reason) => ((rest = undefined), Promise.reject(reason))));
      return functions[name](text);
    }
  },
});
