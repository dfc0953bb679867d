// @ts-check
// Python in a worker. The build puts this file into the runtime's folder, beside Pyodide.
import { expose } from "comlink";
import { loadPyodide } from "pyodide";

/** What a boot waits for: the four files of Pyodide, and Python's own start. */
const STEPS = 5;
/** After a failure the browser's cache is not trusted. @type {RequestCache} */
const CACHE = location.hash ? "reload" : "default";

/** Hears how much of the way is done. @type {(progress: number) => void} */
let report = () => {};
let steps = 0;

/** @param {unknown} error */
const missing = (error) => {
  console.info("A file is missing:", error);
  return Object.assign(new Error("a file could not be loaded"), { name: "MissingFile" });
};

/** @type {(module: WebAssembly.Module) => void} */
let compiled = () => {};
/** @type {Promise<WebAssembly.Module>} */
const module = new Promise((resolve) => (compiled = resolve));

const { fetch } = globalThis;

/** Fetch a file, and report each part of it that arrives. @param {RequestInfo | URL} input */
const load = async (input, cache = CACHE) => {
  const response = await fetch(input, { cache }).catch((error) => Promise.reject(missing(error)));
  if (!response.ok || !response.body) throw missing(response.status);
  const parts = new TransformStream({
    transform(part, next) {
      report(steps / STEPS);
      next.enqueue(part);
    },
  });
  return new Response(response.body.pipeThrough(parts));
};

// The page compiles the WebAssembly while this worker starts, so Pyodide need not fetch it.
globalThis.fetch = (input) => (String(input).endsWith(".wasm") ? Promise.resolve(new Response()) : load(input));
WebAssembly.instantiateStreaming = async (_, imports) => {
  const instance = await WebAssembly.instantiate(await module, imports);
  return { module: await module, instance };
};

const python = loadPyodide({ indexURL: new URL(".", import.meta.url).href });
const browser = python.then(
  (pyodide) => pyodide.pyimport("calculator.web.worker"),
  // A script that does not come, or a file that ends too soon, is a TypeError.
  (error) => Promise.reject(error instanceof TypeError ? missing(error) : error),
);
browser.catch(() => {}); // whoever asks is told

/** @type {Promise<void> | undefined} */
let rest;
let attempts = 0;

/** Fetch the modules that no first answer needs. */
const fetchRest = async () => {
  const path = `/rest${attempts}.zip`; // Python remembers what was in an archive
  const answer = await load(new URL("rest.zip", import.meta.url), attempts++ ? "reload" : CACHE);
  const archive = new Uint8Array(await answer.arrayBuffer());
  (await python).FS.writeFile(path, archive);
  (await browser).extend(path);
};

/** Add them to Python, once; after a failure, once more. */
const extend = () =>
  (rest ??= fetchRest().catch((error) => {
    rest = undefined;
    throw missing(error);
  }));

/** @param {unknown} error Whether Python lacks a module. */
const isIncomplete = (error) => /** @type {any} */ (error).type === "ModuleNotFoundError";

expose({
  /** Takes Python itself, which Pyodide waits for. @param {WebAssembly.Module} given */
  compiled: (given) => compiled(given),

  /**
   * Resolve when Python is there.
   * @param {(progress: number) => void} listener Is told how much of the way is done, from 0 to 1.
   */
  boot: async (listener) => {
    report = listener;
    const step = (more = 1) => report((steps += more) / STEPS);
    void module.then(() => step());
    const observer = new PerformanceObserver((list) => step(list.getEntries().length));
    observer.observe({ type: "resource", buffered: true });
    await browser;
    observer.disconnect();
  },

  /**
   * Call a function of calculator/web/worker.py.
   * @param {string} name @param {string} text @returns {Promise<string>}
   */
  call: async (name, text) => {
    const functions = await browser;
    try {
      return functions[name](text);
    } catch (error) {
      if (!isIncomplete(error)) throw error;
    }
    await extend();
    return functions[name](text);
  },
});
