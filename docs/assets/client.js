// @ts-check
// One worker for the whole visit: it starts when a reader comes near a form, survives instant
// navigation, and after a failure is replaced by a new one.
import { proxy, wrap } from "comlink";

/** @typedef {{name: "printed" | "loading" | "ready" | "failed", progress?: number, reason?: string}} State */

/** @type {State} */
let state = { name: "printed" };
/** @type {Set<(state: State) => void>} */
const listeners = new Set();
/** @type {Promise<(name: string, text: string) => Promise<string>> | undefined} */
let started;

const MISSING = "its files could not be loaded";

/** @param {State} next */
const become = (next) => {
  state = next;
  for (const listener of listeners) listener(state);
};

/**
 * Tell a listener the state, now and whenever it changes.
 * @param {(state: State) => void} listener @param {AbortSignal} signal
 */
export const watch = (listener, signal) => {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  listener(state);
};

/**
 * Start Python, or do nothing where it is started. Resolves to its one function.
 * @param {string} version The folder under runtime/ that the page was built with.
 */
export const start = (version) => (started ??= boot(version));

/** @param {string} version */
const boot = async (version) => {
  become({ name: "loading", progress: 0 });
  const folder = new URL(`runtime/${version}/`, import.meta.url);
  const worker = new Worker(new URL("worker.js", folder), { type: "module" });
  const remote = /** @type {any} */ (wrap(worker));
  const failure = new Promise((_, reject) => {
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      reject(new Error(event.message || MISSING));
    });
    // The largest file is on its way, and compiled, before the worker asks for it.
    WebAssembly.compileStreaming(fetch(new URL("pyodide.asm.wasm", folder))).then(
      (module) => remote.compiled(module),
      () => reject(new Error(MISSING)),
    );
  });
  failure.catch(() => {});
  try {
    const report = proxy((/** @type {number} */ progress) => become({ name: "loading", progress }));
    await Promise.race([remote.boot(report), failure]);
  } catch (error) {
    worker.terminate();
    started = undefined;
    become({ name: "failed", reason: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  performance.mark("calculator:ready");
  become({ name: "ready" });
  return (/** @type {string} */ name, /** @type {string} */ text) =>
    Promise.race([remote.call(name, text), failure]);
};

/**
 * Ask Python: a name of calculator/browser.py, and its question.
 * @param {string} version @param {string} name @param {object} question
 * @returns {Promise<any>}
 */
export const ask = async (version, name, question) =>
  JSON.parse(await (await start(version))(name, JSON.stringify(question)));
