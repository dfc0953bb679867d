// @ts-check
// Small services of the page: forms, fragments, formulas, the clipboard.

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** @param {HTMLFormElement} form @returns {Control[]} */
export const controls = (form) =>
  /** @type {Control[]} */ ([...form.elements]).filter((control) => control.name);

/** @param {Control} control */
const isCheckbox = (control) => control.type === "checkbox";

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
export const readFields = (form) =>
  Object.fromEntries(
    controls(form).map((control) => [
      control.name,
      isCheckbox(control) ? String(/** @type {HTMLInputElement} */ (control).checked) : control.value,
    ]),
  );

/**
 * Write the fields that the form has; say whether there was any. A word that a select does not
 * offer is added to it, so that Python can say what is wrong with it.
 * @param {HTMLFormElement} form @param {Record<string, string>} fields
 */
export const writeFields = (form, fields) => {
  const known = controls(form).filter((control) => Object.hasOwn(fields, control.name));
  for (const control of known) {
    const text = fields[control.name];
    if (isCheckbox(control)) /** @type {HTMLInputElement} */ (control).checked = text === "true";
    else control.value = text;
    if (control instanceof HTMLSelectElement && control.value !== text)
      control.add(new Option(text, text, false, true));
  }
  return known.length > 0;
};

/**
 * The nodes of HTML that calculator/html.py wrote: the one place where text becomes markup.
 * @param {string} html
 */
export const fragment = (html) => document.createRange().createContextualFragment(html);

/**
 * Set the formulas under a node: taken from the answer they were set in before, else by KaTeX,
 * which is fetched when the first new formula appears.
 * @param {ParentNode} root @param {ParentNode} [before]
 */
export const setTex = async (root, before) => {
  const ready = new Map();
  for (const old of before?.querySelectorAll("[data-tex]") ?? []) ready.set(tex(old), old);
  const fresh = [...root.querySelectorAll("[data-tex]")].filter((place) => {
    const old = ready.get(tex(place));
    ready.delete(tex(place));
    old?.remove();
    if (old) place.replaceWith(old);
    return !old;
  });
  if (fresh.length === 0) return;
  const { default: katex } = await import("./vendor/katex.mjs");
  for (const place of fresh) katex.render(tex(place), /** @type {HTMLElement} */ (place));
};

/** @param {Element} place */
const tex = (place) => place.getAttribute("data-tex") ?? "";

/** @param {string} text @returns {Promise<boolean>} Whether the browser let us. */
export const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
};

/** Whether the reader's connection is good enough to fetch Python before it is asked for. */
export const connectionAllows = () => {
  const connection = /** @type {any} */ (navigator).connection;
  return !connection || (!connection.saveData && connection.effectiveType === "4g");
};
