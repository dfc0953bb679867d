// @ts-check
// Python, one for the whole visit: it starts when a reader comes near a form and survives instant
// navigation. A boot that failed is over: what it still says is not heard, and the next is another.
import { loadPython, startWorker } from "./boot.js";
import { Failure, isOutOfDate } from "./failure.js";

/** @typedef {{name: "printed" | "loading" | "ready" | "failed", progress?: number, message?: string, remedy?: import("./failure.js").Remedy}} State */

const LOADING = 45; // seconds without a sign of life, after which a reader is told
const ANSWERING = 20;

/** @type {State} */
let state = { name: "printed" };
/** @type {Set<(state: State) => void>} */
const listeners = new Set();
/** @type {Python | undefined} */
let python;
let boots = 0;
/** A failure after which no other boot helps. @type {Failure | undefined} */
let over;

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

class Python {
  /** @type {Worker | undefined} */
  worker;
  isReady = false;
  awaited = 0; // answers
  silence = 0;
  /** @type {(reason: Failure) => void} */
  fail = () => {};
  /** @type {Promise<never>} */
  failure = new Promise((_, reject) => (this.fail = reject));

  /** @param {string} version The folder under runtime/ that the page was built with. */
  constructor(version) {
    this.version = version;
    this.failure.catch((failure) => this.end(failure));
    this.ready = Promise.race([this.boot(boots++ > 0), this.failure]);
    this.ready.catch((error) => this.fail(error instanceof Failure ? error : new Failure("crashed", error)));
  }

  /** @param {boolean} again */
  async boot(again) {
    await null; // who made this keeps it before anybody hears of it
    this.become({ name: "loading", progress: 0 });
    this.hear();
    const folder = new URL(`runtime/${this.version}/`, import.meta.url);
    /** @param {number} [progress] */
    const report = (progress = state.progress) => {
      this.hear();
      if (!this.isReady) this.become({ name: "loading", progress });
    };
    this.worker = await startWorker(folder, again, report);
    if (python !== this) return this.worker.terminate(); // it was given up meanwhile
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      const kind = this.isReady ? "crashed" : event.message ? "damaged" : "missing";
      this.fail(new Failure(kind, event.message));
    });
    const remote = await loadPython(this.worker, folder, again, report);
    this.isReady = true;
    this.hear();
    performance.mark("calculator:ready");
    this.become({ name: "ready" });
    return remote;
  }

  /** @param {State} next */
  become(next) {
    if (python === this) become(next);
  }

  /** Wait for the next sign of life, while anything is awaited. */
  hear() {
    clearTimeout(this.silence);
    if (this.isReady && this.awaited === 0) return;
    const [kind, seconds] = this.isReady ? ["slow", ANSWERING] : ["silent", LOADING];
    this.silence = window.setTimeout(() => this.fail(new Failure(kind)), 1000 * seconds);
  }

  /**
   * @param {string} name @param {string} text
   * @returns {Promise<string>}
   */
  async call(name, text) {
    const remote = await this.ready;
    this.awaited += 1;
    this.hear();
    try {
      return await Promise.race([remote.call(name, text), this.failure]);
    } catch (error) {
      const kind = /** @type {Error} */ (error).name;
      if (kind === "MissingFile" && (await isOutOfDate(this.version))) this.fail(new Failure("old"));
      // All but what Python raised, or a file that can be fetched again, has ended it.
      else if (!["PythonError", "MissingFile", "Failure"].includes(kind)) this.fail(new Failure("crashed", error));
      throw error;
    } finally {
      this.awaited -= 1;
      this.hear();
    }
  }

  /** Give up; who asks next starts another. @param {Failure} failure */
  async end(failure) {
    clearTimeout(this.silence);
    this.worker?.terminate();
    if (python !== this) return;
    python = undefined;
    const told = fail(failure);
    if (!["missing", "damaged"].includes(failure.kind) || !(await isOutOfDate(this.version))) return;
    if (state === told) fail(new Failure("old"));
  }
}

/** @param {Failure} failure */
const fail = (failure) => {
  const { message, remedy } = failure;
  if (remedy !== "retry") over = failure;
  become({ name: "failed", message, remedy });
  return state;
};

/** @param {string} version */
const running = (version) => {
  if (over) throw over;
  // Instant navigation has brought a page of another release.
  if (python && python.version !== version) python.fail(new Failure("old"));
  return (python ??= new Python(version));
};

/**
 * Start Python where nobody has: after a failure only typing or the button tries again.
 * @param {string} version
 */
export const start = (version) => {
  if (state.name === "printed") running(version);
};

/**
 * Start Python again where it has failed.
 * @param {string} version
 */
export const restart = (version) => {
  if (state.name === "failed" && state.remedy === "retry") running(version);
};

/**
 * Ask Python: a name of calculator/web/worker.py, and its question.
 * @param {string} version @param {string} name @param {object} question
 * @returns {Promise<any>}
 */
export const ask = async (version, name, question) =>
  JSON.parse(await running(version).call(name, JSON.stringify(question)));
