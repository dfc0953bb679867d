// @ts-check
// The way from nothing to a worker in which Python runs: its files, each of which may fail to come.
import { proxy, wrap } from "comlink";
import { Failure } from "./failure.js";

const MODULES = ["worker.js", "pyodide.asm.js"];

/**
 * Start the worker, which begins to load Python at once.
 * @param {URL} folder @param {boolean} again Whether a file in the browser's cache may be damaged.
 * @param {() => void} hear
 */
export const startWorker = async (folder, again, hear) => {
  if (!("WebAssembly" in globalThis)) throw new Failure("webassembly");
  if (again) await refresh(folder, hear);
  let readsType = false; // a browser without module workers never asks for it
  const options = {
    get type() {
      readsType = true;
      return /** @type {WorkerType} */ ("module");
    },
  };
  const url = new URL("worker.js", folder);
  if (again) url.hash = "again";
  try {
    const worker = new Worker(url, options);
    if (readsType) return worker;
    worker.terminate();
  } catch (error) {
    throw new Failure("workers", error);
  }
  throw new Failure("workers");
};

/**
 * Put the scripts into the browser's cache anew: an import has no option for it.
 * @param {URL} folder @param {() => void} hear
 */
const refresh = async (folder, hear) => {
  for (const name of MODULES) {
    const response = heard(await load(new URL(name, folder), true), hear);
    await response.arrayBuffer().catch((error) => {
      throw new Failure("missing", error);
    });
  }
};

/** @param {URL} url @param {boolean} again */
const load = async (url, again) => {
  const response = await fetch(url, { cache: again ? "reload" : "default" }).catch((error) => {
    throw new Failure("missing", error);
  });
  if (!response.ok) throw new Failure("missing", response.status);
  return response;
};

/** Whether a line is known to load the largest file, of 9 MB, well within the patience of client.js. */
const isFast = () => /** @type {any} */ (navigator).connection?.downlink >= 5; // Mbit/s

/** A response each part of which is a sign of life. @param {Response} response @param {() => void} hear */
const heard = (response, hear) => {
  const parts = new TransformStream({
    transform: (part, next) => {
      hear();
      next.enqueue(part);
    },
  });
  return new Response(response.body?.pipeThrough(parts), response);
};

/**
 * Load WebAssembly and compile it, while it arrives where the host names its type.
 * @param {URL} url @param {boolean} again @param {() => void} hear
 */
const compile = async (url, again, hear) => {
  const loaded = await load(url, again);
  const response = isFast() ? loaded : heard(loaded, hear); // which holds up the compiler a little
  const isNamed = response.headers.get("Content-Type") === "application/wasm";
  try {
    if (isNamed && "compileStreaming" in WebAssembly) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new Failure(error instanceof WebAssembly.CompileError ? "damaged" : "missing", error);
  }
};

/**
 * Resolve to the worker's functions when Python is there.
 * @param {Worker} worker @param {URL} folder @param {boolean} again
 * @param {(progress?: number) => void} report Hears how much of the way is done, from 0 to 1, or that it goes on.
 */
export const loadPython = async (worker, folder, again, report) => {
  const remote = /** @type {any} */ (wrap(worker));
  // The largest file is on its way, and compiled, before the worker asks for it.
  const compiled = compile(new URL("pyodide.asm.wasm", folder), again, report);
  const booted = remote.boot(proxy(report)).catch((/** @type {Error} */ error) => {
    throw new Failure(error.name === "MissingFile" ? "missing" : "damaged", error);
  });
  await Promise.all([compiled.then((module) => remote.compiled(module)), booted]);
  return remote;
};
