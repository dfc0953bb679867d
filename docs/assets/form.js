// @ts-check
// A form of fields: their texts, those it was printed with, and their errors.

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */
/** @typedef {Record<string, string>} Fields */

/** @param {HTMLFormElement} form @returns {Control[]} */
export const controls = (form) =>
  /** @type {Control[]} */ ([...form.elements]).filter(({ name, type }) => name && type !== "submit");

/** @param {Control} control */
const isCheckbox = (control) => control.type === "checkbox";

/** A checkbox that a link gave a word for is neither on nor off, and Python reads the word. @param {Control} control */
const textOf = (control) => {
  if (!isCheckbox(control)) return control.value;
  const { checked, indeterminate } = /** @type {HTMLInputElement} */ (control);
  return indeterminate ? (control.dataset.given ?? "") : String(checked);
};

/** @param {HTMLInputElement} control @param {string} text */
const check = (control, text) => {
  control.checked = text === "true";
  control.indeterminate = !["true", "false"].includes(text);
  control.dataset.given = text;
};

/** @param {Control} control The text that the page was printed with. */
const initialOf = (control) => {
  if (isCheckbox(control)) return String(/** @type {HTMLInputElement} */ (control).defaultChecked);
  if (!(control instanceof HTMLSelectElement)) return control.defaultValue;
  const options = [...control.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
};

/** @param {Control[]} some @param {(control: Control) => string} read @returns {Fields} */
const fieldsOf = (some, read) => Object.fromEntries(some.map((control) => [control.name, read(control)]));

/** @param {HTMLFormElement} form */
export const readFields = (form) => fieldsOf(controls(form), textOf);

/** What the form was printed with. @param {HTMLFormElement} form */
export const initialFields = (form) => fieldsOf(controls(form), initialOf);

/** The checkboxes as they are when they are off. @param {HTMLFormElement} form */
export const uncheckedFields = (form) => fieldsOf(controls(form).filter(isCheckbox), () => "false");

/** What is typed next to a form, empty texts left out. @param {ParentNode} place @returns {Fields} */
export const textsOf = (place) =>
  fieldsOf([...place.querySelectorAll("input")].filter(({ value }) => value), textOf);

/**
 * What another form takes over: what was typed, and the machine, which every form has alike.
 * @param {HTMLFormElement} form
 */
export const readLasting = (form) =>
  fieldsOf(
    controls(form).filter((control) => control.closest("[data-machine]") || textOf(control) !== initialOf(control)),
    textOf,
  );

/**
 * Write the fields that the form has. A word that a select does not offer is added to it, so that
 * Python can say what is wrong with it.
 * @param {HTMLFormElement} form @param {Fields} fields
 */
export const writeFields = (form, fields) => {
  for (const control of controls(form).filter(({ name }) => Object.hasOwn(fields, name))) {
    const text = fields[control.name];
    if (isCheckbox(control)) check(/** @type {HTMLInputElement} */ (control), text);
    else control.value = text;
    if (control instanceof HTMLSelectElement && control.value !== text)
      control.add(new Option(text, text, false, true));
  }
};

/**
 * Write beside each field why it is refused, and return that in sentences to be spoken.
 * @param {HTMLFormElement} form @param {Fields} errors
 */
export const mark = (form, errors) => {
  const refused = [];
  for (const control of controls(form)) {
    const message = errors[control.name] ?? "";
    const place = document.getElementById(`${control.id}-error`);
    if (place && place.textContent !== message) place.textContent = message;
    if (message) {
      refused.push(`${control.labels?.[0]?.firstChild?.textContent?.trim()} ${message}.`);
      control.setAttribute("aria-invalid", "true");
      control.closest("details")?.setAttribute("open", ""); // what is folded hides why
    } else control.removeAttribute("aria-invalid");
  }
  return refused;
};

/**
 * Show in each field what stands for it while it is empty.
 * @param {HTMLFormElement} form @param {Fields} assumed
 */
export const hint = (form, assumed) => {
  for (const control of controls(form))
    if ("placeholder" in control) control.placeholder = assumed[control.name] ?? "";
};
