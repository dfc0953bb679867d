// @ts-check
// What a reader typed goes from one layer's form to the next, and says that it does.
import { controls, initialFields, readFields, readLasting, writeFields } from "./form.js";

/** @typedef {import("./form.js").Control} Control */
/** @typedef {import("./form.js").Fields} Fields */

/** @param {Control} control */
const labelOf = (control) => control.labels?.[0];

/** @param {Control} control */
export const forget = (control) => labelOf(control)?.removeAttribute("data-origin");

/** @param {HTMLFormElement} form */
export const forgetAll = (form) => controls(form).forEach(forget);

export class Kept {
  /** The controls of the forms that were left, as they were. @type {Map<string, DocumentFragment>} */
  left = new Map();
  /** What is handed on, and where it comes from. @type {Map<string, {text: string, origin: string}>} */
  lasting = new Map();

  /**
   * Take the controls of a form out of their place.
   * @param {HTMLFormElement} form @param {Element} place @param {string} calculator @param {string} title
   */
  leave(form, place, calculator, title) {
    const lasting = readLasting(form);
    for (const control of controls(form)) {
      const { name } = control;
      const origin = labelOf(control)?.dataset.origin ?? `kept from ${title}`;
      if (Object.hasOwn(lasting, name)) this.lasting.set(name, { text: lasting[name], origin });
      else this.lasting.delete(name);
    }
    const nodes = document.createDocumentFragment();
    nodes.append(...place.childNodes);
    this.left.set(calculator, nodes);
  }

  /** Write into a form that has come what was typed before. @param {HTMLFormElement} form */
  enter(form) {
    const own = readFields(form);
    for (const control of controls(form)) {
      const { text, origin } = this.lasting.get(control.name) ?? {};
      if (text === undefined || text === own[control.name]) continue;
      writeFields(form, { [control.name]: text });
      labelOf(control)?.setAttribute("data-origin", origin ?? "");
    }
  }
}

/** Make a form what it was printed as, but for some fields. @param {HTMLFormElement} form @param {Fields} [fields] */
export const renew = (form, fields) => {
  writeFields(form, { ...initialFields(form), ...fields });
  forgetAll(form);
};
