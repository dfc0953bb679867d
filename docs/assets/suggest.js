// @ts-check
// The words that a field which is searched may hold.
import { ask } from "./client.js";
import { fragment } from "./page.js";

/**
 * Fetch them when a reader comes to the field.
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
