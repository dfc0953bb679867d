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

/** What is typed beside a form, empty texts left out. @param {ParentNode} place */
export const textsOf = (place) =>
  Object.fromEntries(
    [...place.querySelectorAll("input")].filter(({ value }) => value).map(({ name, value }) => [name, value]),
  );

/** @param {Control} control The text that the page was printed with. */
const initial = (control) => {
  if (isCheckbox(control)) return String(/** @type {HTMLInputElement} */ (control).defaultChecked);
  if (!(control instanceof HTMLSelectElement)) return control.defaultValue;
  const options = [...control.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
};

/**
 * What a reader has changed in a form.
 * @param {HTMLFormElement} form @returns {Record<string, string>}
 */
export const edited = (form) => {
  const fields = readFields(form);
  const changed = controls(form).filter((control) => fields[control.name] !== initial(control));
  return Object.fromEntries(changed.map((control) => [control.name, fields[control.name]]));
};

/**
 * Write beside each field why it is refused, and return that in sentences to be spoken.
 * @param {HTMLFormElement} form @param {Record<string, string>} errors
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
 * @param {HTMLFormElement} form @param {Record<string, string>} assumed
 */
export const hint = (form, assumed) => {
  for (const control of controls(form))
    if ("placeholder" in control) control.placeholder = assumed[control.name] ?? "";
};

/**
 * The fields that every form has alike: those of the machine.
 * @param {HTMLFormElement} form @returns {Record<string, string>}
 */
export const ofMachine = (form) => {
  const fields = readFields(form);
  const those = controls(form).filter((control) => control.closest("[data-machine]"));
  return Object.fromEntries(those.map(({ name }) => [name, fields[name]]));
};

/**
 * The fields of the form's first group, which says what is calculated, as they were printed.
 * @param {HTMLFormElement} form @returns {Record<string, string>}
 */
export const printed = (form) => {
  const group = form.querySelector("fieldset");
  const first = controls(form).filter((control) => group?.contains(control));
  return Object.fromEntries(first.map((control) => [control.name, initial(control)]));
};

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
 * The texts of a JSON object by its keys, null where it is none: what Python prints as None is empty.
 * @param {string} text @returns {Record<string, string> | null}
 */
export const fieldsOfJson = (text) => {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const entries = Object.entries(JSON.parse(text));
    return Object.fromEntries(entries.map(([key, value]) => [key, String(value ?? "")]));
  } catch {
    return null;
  }
};

/**
 * The nodes of HTML that calculator/html.py wrote, parsed as the content of a place: the one spot
 * where text becomes markup.
 * @param {string} html @param {Node} place
 */
export const fragment = (html, place) => {
  const range = document.createRange();
  range.selectNodeContents(place);
  return range.createContextualFragment(html);
};

/** What a reader or a script set, and no answer prints. */
const KEPT = ["open", "data-drawn", "data-old"];

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

/**
 * Set the formulas that are not set yet, by KaTeX, which is fetched when there is a first one.
 * @param {ParentNode} root
 */
export const setTex = async (root) => {
  const places = /** @type {NodeListOf<HTMLElement>} */ (
    root.querySelectorAll("[data-tex]:not(:has(.katex))")
  );
  if (places.length === 0) return;
  const { default: katex } = await import("./vendor/katex.js");
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
  if (ready === null) return "Nothing to copy: mend the marked field first.";
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

/** Whether the reader's connection is good enough to fetch Python before it is asked for. */
export const connectionAllows = () => {
  const connection = /** @type {any} */ (navigator).connection;
  return !connection || (!connection.saveData && connection.effectiveType === "4g");
};
