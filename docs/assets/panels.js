// @ts-check
// What stands under a form and is asked for when it is unfolded: formulas, tools, machines.
import { ask } from "./client.js";
import { become, fragment, setTex, textsOf } from "./page.js";

const TYPING = 300; // ms; what is typed beside a panel is not answered at every key

/** @param {ParentNode} root @returns {HTMLDetailsElement[]} */
export const panelsOf = (root) => [...root.querySelectorAll("details")].filter((each) => each.dataset.asks);

/** The panels whose state stands in the page's address. @param {ParentNode} root */
export const linkedIn = (root) => panelsOf(root).filter((panel) => "linked" in panel.dataset);

/** What the address says of the panels that are unfolded. @param {ParentNode} root */
export const linkOf = (root) =>
  linkedIn(root)
    .filter((panel) => panel.open)
    .reduce(
      (fields, panel) => ({ ...fields, ...textsOf(panel), [panel.dataset.asks ?? ""]: panel.dataset.order ?? "" }),
      /** @type {Record<string, string>} */ ({}),
    );

/**
 * Unfold the panels that an address speaks of; say whether there was any.
 * @param {ParentNode} root @param {Record<string, string>} fields
 */
export const unfold = (root, fields) => {
  const asked = linkedIn(root).filter((panel) => Object.hasOwn(fields, panel.dataset.asks ?? ""));
  for (const panel of asked) {
    panel.dataset.order = fields[panel.dataset.asks ?? ""];
    panel.open = true;
    for (const control of panel.querySelectorAll("input")) control.value = fields[control.name] ?? "";
  }
  return asked.length > 0;
};

/**
 * Sort the table of a panel by the column whose head was pressed, if one was: Python knows what
 * comes next.
 * @param {HTMLDetailsElement} panel @param {Event} event
 */
export const sorted = (panel, event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-sort]");
  if (!(button instanceof HTMLElement)) return false;
  panel.dataset.order = button.dataset.sort;
  return true;
};

/**
 * Bring the panels that are unfolded up to date, unless a later question comes in between.
 * @param {ParentNode} root @param {string} version @param {object} question
 * @param {() => boolean} isLast
 */
export const refresh = async (root, version, question, isLast) => {
  for (const panel of panelsOf(root)) {
    panel.toggleAttribute("data-old", !panel.open); // a closed one is not printed, till it is asked for
    if (!panel.open) continue;
    const { asks = "", order: sort } = panel.dataset;
    const more = textsOf(panel);
    if (Object.keys(more).length > 0) {
      panel.toggleAttribute("data-old", true);
      await new Promise((resolve) => setTimeout(resolve, TYPING));
      if (!isLast()) return;
    }
    const asked = sort ? { ...question, ...more, sort } : { ...question, ...more };
    const shown = (await ask(version, asks, asked)).html;
    if (!isLast()) return;
    const place = /** @type {HTMLElement} */ (panel.querySelector("[data-place]"));
    become(place, fragment(shown, place));
    panel.toggleAttribute("data-old", false);
    const refused = place.querySelector(".calculator-error")?.textContent ?? "";
    for (const control of panel.querySelectorAll("input")) {
      control.ariaInvalid = refused ? "true" : null;
      control.ariaDescription = refused || null;
    }
    void setTex(place);
  }
};

/**
 * Fetch the words that a field which is searched may hold, when a reader comes to it.
 * @param {EventTarget | null} control @param {string} version @param {string} calculator
 */
export const suggest = async (control, version, calculator) => {
  if (!(control instanceof HTMLInputElement) || !control.list) return;
  const { list } = control;
  control.select(); // a list shows what goes with the text, and a reader who comes wants another
  if (list.children.length > 0) return;
  const { html } = await ask(version, "options", { calculator, field: list.dataset.options });
  list.replaceChildren(fragment(html, list));
};
