// @ts-check
// <flops-calculator>: reads its form, asks Python, places the answer. Works where it is connected
// again, as instant navigation does.
import { ask, start, watch } from "./client.js";
import { become, connectionAllows, controls, copyText, edited, fieldsOfJson, fragment, printed, readFields, setTex, textsOf, writeFields } from "./page.js";

const URL_DELAY = 300; // ms; browsers limit how often a page may write its address
const SPEAK_DELAY = 800; // ms after the last key, so that a screen reader hears one answer

class FlopsCalculator extends HTMLElement {
  asked = 0; // questions so far; an answer to an earlier one comes too late
  writing = 0;
  speaking = 0;
  controller = new AbortController();
  /** @type {Record<string, string>} */
  typed = {}; // in the forms that were left, for when the reader comes back

  get form() {
    return /** @type {HTMLFormElement} */ (this.find("form"));
  }

  /** What is asked for where it is unfolded, under the name that it bears. */
  get panels() {
    return /** @type {NodeListOf<HTMLDetailsElement>} */ (this.querySelectorAll("[data-asks]"));
  }

  /** The panels whose state stands in the page's address. */
  get linked() {
    return [...this.panels].filter((panel) => "linked" in panel.dataset);
  }

  get choice() {
    return /** @type {HTMLSelectElement | null} */ (this.querySelector("[data-choice]"));
  }

  get calculator() {
    return this.choice?.value ?? this.dataset.offers ?? "";
  }

  get version() {
    return this.dataset.runtime ?? "";
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    // After a failure only typing or the button tries again, not a passing pointer.
    const begin = () => {
      if (this.dataset.state === "printed") void start(this.version).catch(() => {});
    };
    this.addEventListener("focusin", begin, { signal });
    this.addEventListener("pointerenter", begin, { signal });
    this.form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    this.form.addEventListener("input", () => this.changed(), { signal });
    this.form.addEventListener("paste", (event) => this.pasted(event), { signal });
    this.form.addEventListener("reset", () => setTimeout(() => this.changed()), { signal });
    this.choice?.addEventListener("change", () => this.choose(this.remember()), { signal });
    this.find("[data-retry]").addEventListener("click", () => this.update(), { signal });
    for (const button of this.querySelectorAll("[data-copy]"))
      button.addEventListener("click", () => this.copy(button), { signal });
    for (const panel of this.panels) {
      panel.addEventListener("toggle", () => this.toggled(panel), { signal });
      panel.addEventListener("click", (event) => this.sort(panel, event), { signal });
      panel.addEventListener("input", () => this.changed(), { signal });
    }
    window.addEventListener("popstate", () => this.restore(), { signal });
    watch((state) => this.show(state), signal);
    this.restore();
    this.whenIdle(begin, signal);
  }

  disconnectedCallback() {
    this.controller.abort();
    clearTimeout(this.writing);
    clearTimeout(this.speaking);
  }

  /** @param {() => void} begin @param {AbortSignal} signal */
  whenIdle(begin, signal) {
    if (!connectionAllows()) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      (window.requestIdleCallback ?? setTimeout)(() => signal.aborted || begin());
    });
    observer.observe(this.form);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  /** Fill in the form from the page's address, where the address speaks of this calculator. */
  restore() {
    const given = Object.fromEntries(new URLSearchParams(location.search));
    const { calculator = this.calculator, ...fields } = given;
    if (!this.dataset.offers?.split(" ").includes(calculator)) return;
    const asked = this.linked.filter((panel) => Object.hasOwn(fields, panel.dataset.asks ?? ""));
    for (const panel of asked) {
      const asks = panel.dataset.asks ?? "";
      panel.dataset.order = fields[asks];
      panel.open = true;
      for (const control of panel.querySelectorAll("input")) control.value = fields[control.name] ?? "";
    }
    if (this.choice && calculator !== this.choice.value) {
      this.choice.value = calculator;
      void this.choose(fields);
    } else if (writeFields(this.form, fields) || asked.length > 0) void this.update();
  }

  /** What was typed into the forms so far, this one's latest. */
  remember() {
    for (const name of Object.keys(readFields(this.form))) delete this.typed[name];
    return Object.assign(this.typed, edited(this.form));
  }

  /**
   * Bring the form of the chosen calculation, with what was typed into any of the forms.
   * @param {Record<string, string>} fields
   */
  async choose(fields) {
    const mine = ++this.asked;
    const question = { calculator: this.calculator, prefix: this.form.dataset.prefix };
    try {
      const { html } = await ask(this.version, "form", question);
      if (mine !== this.asked) return;
      const place = this.find(".calculator-controls");
      place.replaceChildren(fragment(html, place));
      void setTex(this.form);
      writeFields(this.form, fields);
      this.changed();
    } catch {
      // The state says why, and offers to try again.
    }
  }

  /** Fill in the form from a configuration in JSON, as models are published with, where it is one.
   * @param {ClipboardEvent} event */
  pasted(event) {
    const fields = fieldsOfJson(event.clipboardData?.getData("text") ?? "");
    const names = controls(this.form).map((control) => control.name);
    const taken = names.filter((name) => fields && Object.hasOwn(fields, name));
    if (taken.length === 0) return;
    event.preventDefault();
    // What another model left in the form would be mixed with this one.
    writeFields(this.form, { ...printed(this.form), ...fields });
    this.changed();
    const all = Object.keys(fields ?? {}).length;
    this.find("[data-message]").textContent =
      `Of the configuration you pasted, ${taken.length} of ${all} entries are asked for here and filled in: ${taken.join(", ")}.`;
  }

  /** Bring a panel up to date when it is unfolded, if there has been an answer.
   * @param {HTMLDetailsElement} panel */
  toggled(panel) {
    if (panel.open && this.asked > 0) void this.update();
    if ("linked" in panel.dataset && this.asked > 0) this.write();
  }

  /** Sort the table of a panel by the column whose head was pressed: Python knows what comes next.
   * @param {HTMLDetailsElement} panel @param {Event} event */
  sort(panel, event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-sort]");
    if (!(button instanceof HTMLElement)) return;
    panel.dataset.order = button.dataset.sort;
    this.changed();
  }

  changed() {
    this.write();
    void this.update();
  }

  /** Keep the page's address at what is shown. */
  write() {
    clearTimeout(this.writing);
    this.writing = window.setTimeout(() => history.replaceState(history.state, "", this.link()), URL_DELAY);
  }

  link() {
    const url = new URL(location.href);
    /** @type {Record<string, string>} */
    const fields = { calculator: this.calculator, ...readFields(this.form) };
    for (const panel of this.linked) {
      if (panel.open) Object.assign(fields, textsOf(panel), { [panel.dataset.asks ?? ""]: panel.dataset.order ?? "" });
    }
    url.search = new URLSearchParams(fields).toString();
    url.hash = this.id;
    return url.href;
  }

  /**
   * Ask for the figures and show them, then for the panels that are unfolded; drop what comes
   * after a later question.
   */
  async update() {
    const mine = ++this.asked;
    const question = { calculator: this.calculator, fields: readFields(this.form) };
    try {
      const { html, errors } = await ask(this.version, "answer", question);
      if (mine !== this.asked) return;
      this.place(html, errors);
      for (const panel of html === null ? [] : this.panels) {
        if (!panel.open) continue;
        const { asks = "", order: sort } = panel.dataset;
        const more = textsOf(panel);
        if (Object.keys(more).length > 0) {
          // A figure is traced in half a second: not at every key, and the answer before is old.
          panel.toggleAttribute("data-old", true);
          await new Promise((resolve) => setTimeout(resolve, URL_DELAY));
          if (mine !== this.asked) return;
        }
        const asked = sort ? { ...question, ...more, sort } : { ...question, ...more };
        const shown = (await ask(this.version, asks, asked)).html;
        if (mine !== this.asked) return;
        const place = /** @type {HTMLElement} */ (panel.querySelector("[data-place]"));
        become(place, fragment(shown, place));
        panel.toggleAttribute("data-old", false);
        void setTex(place);
      }
    } catch {
      // The state says why, and offers to try again.
    }
  }

  /** @param {string | null} html @param {Record<string, string>} errors */
  place(html, errors) {
    for (const control of controls(this.form)) {
      const message = errors[control.name] ?? "";
      const place = document.getElementById(`${control.id}-error`);
      if (place && place.textContent !== message) place.textContent = message;
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    const figures = this.find(".calculator-figures");
    for (const each of [this.find(".calculator-answer"), ...this.linked]) each.toggleAttribute("data-old", html === null);
    if (html !== null) become(figures, fragment(html, figures));
    performance.mark("calculator:answer");
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      const spoken = Object.values(errors).join(" ") || figures.innerText;
      this.find(".calculator-summary").textContent = spoken;
    }, SPEAK_DELAY);
  }

  /** @param {import("./client.js").State} state */
  show(state) {
    this.dataset.state = state.name;
    const bar = /** @type {HTMLProgressElement} */ (this.find("progress"));
    bar.hidden = state.name !== "loading";
    bar.value = state.progress ?? 0;
    this.find("[data-retry]").hidden = state.name !== "failed";
    this.find("[data-message]").textContent =
      state.name === "failed"
        ? `Python did not start: ${state.reason}. The printed answer stays; your figures are kept.`
        : state.name === "loading"
          ? "Loading Python…"
          : "";
  }

  /** @param {Element} button */
  async copy(button) {
    const format = button.getAttribute("data-copy");
    const question = { calculator: this.calculator, fields: readFields(this.form), format };
    const text =
      format === "link"
        ? Promise.resolve(this.link())
        : ask(this.version, "to_copy", question).then((answer) => answer.text);
    const manual = /** @type {HTMLTextAreaElement} */ (this.find(".calculator-manual"));
    manual.hidden = true;
    let said = "Copied.";
    try {
      const ready = await text;
      if (ready === null) said = "Nothing to copy: mend the marked field first.";
      else if (!(await copyText(ready))) {
        manual.value = ready;
        manual.hidden = false;
        manual.select();
        said = "The browser did not allow copying: here is the text.";
      }
    } catch {
      return; // The state says why.
    }
    this.find("[data-message]").textContent = said;
  }
}

customElements.define("flops-calculator", FlopsCalculator);
