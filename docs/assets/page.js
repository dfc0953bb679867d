// @ts-check
// Small services of the page: fragments, formulas, the clipboard.

/**
 * The nodes of HTML that calculator/web/answer.py wrote, parsed as the content of a place: the one spot
 * where text becomes markup.
 * @param {string} html @param {Node} place
 */
export const fragment = (html, place) => {
  const range = document.createRange();
  range.selectNodeContents(place);
  return range.createContextualFragment(html);
};

/** What a reader or a script set, and no answer prints. */
const KEPT = ["open", "data-drawn"];

/**
 * Make nodes that are shown like new ones, touching only what differs: a formula that is set stays
 * set, what is unfolded stays unfolded, what a script drew stays where `data-kept` says so, and
 * nothing else is laid out again.
 * @param {ParentNode & Node} shown @param {ParentNode & Node} next
 */
export const become = (shown, next) => {
  const [before, after] = [[...shown.childNodes], [...next.childNodes]];
  if (before.length !== after.length) return shown.replaceChildren(...after);
  before.forEach((old, place) => {
    const fresh = after[place];
    if (old instanceof Text && fresh instanceof Text) {
      if (old.data !== fresh.data) old.data = fresh.data;
    } else if (old instanceof Element && fresh instanceof Element && alike(old, fresh)) {
      for (const { name, value } of fresh.attributes)
        if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
      for (const { name } of [...old.attributes])
        if (!fresh.hasAttribute(name) && !KEPT.includes(name)) old.removeAttribute(name);
      if (!fresh.matches("[data-tex], [data-kept]")) become(old, fresh);
    } else old.replaceWith(fresh);
  });
};

/** @param {Element} old @param {Element} fresh */
const alike = (old, fresh) =>
  old.tagName === fresh.tagName &&
  old.getAttribute("data-tex") === fresh.getAttribute("data-tex") &&
  old.getAttribute("data-quantity") === fresh.getAttribute("data-quantity");

/** How often a module could not be loaded. @type {Record<string, number>} */
const failures = {};

/**
 * Load a module that few pages need; after a failure by another address, since some browsers keep failures.
 * @param {string} name @returns {Promise<any>}
 */
export const load = async (name) => {
  const url = new URL(`vendor/${name}.js`, import.meta.url);
  if (failures[name]) url.search = String(failures[name]);
  try {
    return await import(url.href);
  } catch (error) {
    failures[name] = (failures[name] ?? 0) + 1;
    throw error;
  }
};

/**
 * Set the formulas that are not set yet, by KaTeX, which is fetched when there is a first one.
 * @param {ParentNode} root
 */
export const setTex = async (root) => {
  const places = /** @type {NodeListOf<HTMLElement>} */ (
    root.querySelectorAll("[data-tex]:not(:has(.katex))")
  );
  if (places.length === 0) return;
  const { default: katex } = /** @type {typeof import("./vendor/katex.js")} */ (await load("katex"));
  for (const place of places) katex.render(place.dataset.tex ?? "", place);
};

/**
 * Copy a text that is on its way, or show it where the browser does not let us; return what to tell
 * the reader.
 * @param {Promise<string | null>} text @param {HTMLTextAreaElement} manual
 */
export const copied = async (text, manual) => {
  manual.hidden = true;
  const ready = await text;
  if (ready === null) return "Nothing to copy: fix the marked field first.";
  try {
    await navigator.clipboard.writeText(ready);
    return "Copied.";
  } catch {
    manual.value = ready;
    manual.hidden = false;
    manual.select();
    return "The browser did not allow copying: here is the text.";
  }
};

/** @param {string} text */
export const isJsonObject = (text) => {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

/** Whether the reader's connection is good enough to fetch Python before it is asked for. */
export const connectionAllows = () => {
  const connection = /** @type {any} */ (navigator).connection;
  return !connection || (!connection.saveData && connection.effectiveType === "4g");
};
