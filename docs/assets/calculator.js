// @ts-check
// <flops-calculator>: reads its form, asks Python, places the answer. Works where it is connected
// again, as instant navigation does.
import { ask, start, watch } from "./client.js";
import { become, connectionAllows, controls, copied, edited, fieldsOfJson, fragment, hint, mark, ofMachine, printed, readFields, setTex, writeFields } from "./page.js";
import { linkOf, linkedIn, panelsOf, refresh, sorted, suggest, unfold } from "./panels.js";

const URL_DELAY = 300; // ms; browsers limit how often a page may write its address
const SPEAK_DELAY = 800; // ms after the last key, so that a screen reader hears one answer

/** What went wrong, without the way there. @param {unknown} error */
const lastLine = (error) => (error instanceof Error ? error.message : String(error)).trim().split("\n").at(-1);

class FlopsCalculator extends HTMLElement {
  asked = 0; // questions so far; an answer to an earlier one comes too late
  writing = 0;
  speaking = 0;
  controller = new AbortController();
  shown = ""; // the calculation whose form is here
  /** @type {Record<string, Record<string, string>>} */
  left = {}; // the forms that were left, for when the reader comes back
  /** @type {Record<string, string>} */
  typed = {}; // in any of the forms, and the machine of the last one

  get form() {
    return /** @type {HTMLFormElement} */ (this.find("form"));
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
    this.shown = this.calculator;
    // After a failure only typing or the button tries again, not a passing pointer.
    const begin = () => {
      if (this.dataset.state === "printed") void start(this.version).catch(() => {});
    };
    this.addEventListener("focusin", begin, { signal });
    this.addEventListener("focusin", ({ target }) => void suggest(target, this.version, this.calculator).catch(() => {}), { signal });
    this.addEventListener("pointerenter", begin, { signal });
    this.form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    this.form.addEventListener("input", () => this.changed(), { signal });
    this.form.addEventListener("paste", (event) => this.pasted(event), { signal });
    this.form.addEventListener("reset", () => setTimeout(() => this.changed()), { signal });
    this.choice?.addEventListener("change", () => this.choose(this.remember()), { signal });
    this.find("[data-retry]").addEventListener("click", () => this.update(), { signal });
    for (const button of this.querySelectorAll("[data-copy]"))
      button.addEventListener("click", () => this.copy(button), { signal });
    for (const panel of panelsOf(this)) {
      panel.addEventListener("toggle", () => this.toggled(panel), { signal });
      panel.addEventListener("click", (event) => sorted(panel, event) && this.changed(), { signal });
      panel.addEventListener("input", () => this.changed(), { signal });
    }
    for (const moved of ["popstate", "calculator:link"])
      window.addEventListener(moved, () => this.restore(), { signal });
    watch((state) => this.show(state), signal);
    const size = new ResizeObserver(([{ borderBoxSize: [{ blockSize }] }]) => {
      this.form.style.insetBlockStart = `min(3rem, 100vh - ${Math.ceil(blockSize)}px)`;
    });
    size.observe(this.form);
    signal.addEventListener("abort", () => size.disconnect());
    this.restore();
    this.whenIdle(begin, signal);
  }

  disconnectedCallback() {
    this.controller.abort();
    this.asked += 1; // what is on its way comes too late
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
    const unfolded = unfold(this, fields);
    if (this.choice && calculator !== this.choice.value) {
      this.choice.value = calculator;
      void this.choose(fields);
    } else if (writeFields(this.form, fields) || unfolded) void this.update();
  }

  /** What the form that comes begins with: as it was left, with what was typed since. */
  remember() {
    const fields = readFields(this.form);
    this.left[this.shown] = fields;
    for (const name of Object.keys(fields)) delete this.typed[name];
    Object.assign(this.typed, ofMachine(this.form), edited(this.form));
    return { ...this.left[this.calculator], ...this.typed };
  }

  /**
   * Bring the form of the chosen calculation, filled in.
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
      this.shown = question.calculator;
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
    // What is printed short is asked for in full.
    if (panel.open && (this.asked > 0 || "short" in panel.dataset)) void this.update();
    if ("linked" in panel.dataset && this.asked > 0) this.write();
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
    const fields = { calculator: this.calculator, ...readFields(this.form), ...linkOf(this) };
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
      const { html, errors, assumed } = await ask(this.version, "answer", question);
      if (mine !== this.asked) return;
      this.place(html, errors, assumed);
      if (html !== null) await refresh(this, this.version, question, () => mine === this.asked);
    } catch (error) {
      // Where Python did not start, the state says why, and offers to try again.
      if (this.dataset.state === "ready")
        this.find("[data-message]").textContent = `No answer: ${lastLine(error)}.`;
    }
  }

  /**
   * @param {string | null} html @param {Record<string, string>} errors
   * @param {Record<string, string>} assumed
   */
  place(html, errors, assumed) {
    const refused = mark(this.form, errors);
    if (html !== null) hint(this.form, assumed);
    const figures = this.find(".calculator-figures");
    for (const each of [this.find(".calculator-answer"), ...linkedIn(this)]) each.toggleAttribute("data-old", html === null);
    if (html !== null) become(figures, fragment(html, figures));
    performance.mark("calculator:answer");
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      const words = [...figures.querySelectorAll(".calculator-headline, .calculator-verdict, .calculator-expected")];
      const said = words.map((each) => /** @type {HTMLElement} */ (each).innerText);
      this.find(".calculator-summary").textContent = (refused.length > 0 ? refused : said).join(" ");
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
    try {
      this.find("[data-message]").textContent = await copied(text, manual);
    } catch {
      // The state says why.
    }
  }
}

customElements.define("flops-calculator", FlopsCalculator);
