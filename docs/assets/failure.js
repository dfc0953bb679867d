// @ts-check
// Why Python does not run, in a sentence, and what a reader can do about it.

/** @typedef {"retry" | "reload" | ""} Remedy */

/** @type {Record<string, [reason: string, remedy: Remedy]>} */
const REASONS = {
  missing: ["Python did not start: its files could not be loaded.", "retry"],
  damaged: ["Python did not start: one of its files is damaged.", "retry"],
  silent: ["Python did not start: nothing arrived for 45 seconds.", "retry"],
  slow: ["Python was stopped: it gave no answer for 20 seconds.", "retry"],
  crashed: ["Python stopped working.", "retry"],
  old: ["This page is from an older version: reload it.", "reload"],
  workers: ["Python can't run here: this browser starts no module workers.", ""],
  webassembly: ["Python can't run here: this browser has no WebAssembly.", ""],
};

/** A failure of Python as a whole; one of a single answer is any other error. */
export class Failure extends Error {
  name = "Failure";

  /** @param {string} kind @param {unknown} [detail] Is for the console. */
  constructor(kind, detail) {
    const [message, remedy] = REASONS[kind];
    super(message);
    this.kind = kind;
    this.remedy = remedy;
    if (detail) console.info(message, detail);
  }
}

/**
 * Whether the server holds another version of this page, which names another folder for Python.
 * @param {string} version
 */
export const isOutOfDate = async (version) => {
  try {
    const page = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    const text = page.ok ? await page.text() : "";
    return text.includes("data-runtime=") && !text.includes(version);
  } catch {
    return false; // the server can't be reached
  }
};
