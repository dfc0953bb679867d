// @ts-check
// <flops-calculator>: what happens to it changes what is chosen, typed and unfolded, and settles it.
// Works where it is connected again, as instant navigation does.
import { ask, restart, start, watch } from "./client.js";
import { writeFields } from "./form.js";
import { forget, renew } from "./kept.js";
import { connectionAllows, copied, isJsonObject } from "./page.js";
import { Settling } from "./settling.js";
import { suggest } from "./suggest.js";

class FlopsCalculator extends Settling {
  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    /** @param {EventTarget | null} target @param {string} type @param {(event: any) => void} listener */
    const on = (target, type, listener) => target?.addEventListener(type, listener, { signal });
    this.isSettling = false; // what was on its way came too late
    this.begin();
    on(this, "focusin", () => start(this.version));
    on(this, "focusin", ({ target }) => this.suggest(target));
    on(this, "pointerenter", () => start(this.version));
    on(this.form, "submit", (event) => event.preventDefault());
    on(this.form, "input", ({ target }) => this.type(target));
    on(this.form, "change", () => this.address.writing && this.address.writeNow());
    on(this.form, "paste", (event) => this.paste(event));
    on(this.form, "reset", (event) => this.reset(event));
    on(this.choice, "change", () => this.choose());
    on(this.find("[data-retry]"), "click", () => this.retry());
    on(this.find("[data-reload]"), "click", () => (this.address.writeNow(), location.reload()));
    for (const button of this.querySelectorAll("[data-copy]")) on(button, "click", () => this.copy(button));
    for (const panel of this.panels) {
      on(panel.element, "toggle", () => this.toggled(panel));
      on(panel.element, "click", (event) => panel.sort(event) && this.edited());
      on(panel.element, "input", () => this.edited());
    }
    on(window, "popstate", () => this.return());
    on(window, "calculator:link", () => this.follow());
    this.keepInSight(signal);
    watch((state) => this.hear(state), signal);
    this.open();
    this.startWhenIdle(signal);
  }

  disconnectedCallback() {
    this.controller.abort();
    this.address.stop();
    for (const place of [this.answer, ...this.panels]) place?.stop();
  }

  /** @param {AbortSignal} signal */
  keepInSight(signal) {
    const size = new ResizeObserver(([{ borderBoxSize: [{ blockSize }] }]) => {
      this.form.style.insetBlockStart = `min(3rem, 100vh - ${Math.ceil(blockSize)}px)`;
    });
    size.observe(this.form);
    signal.addEventListener("abort", () => size.disconnect());
  }

  /** @param {AbortSignal} signal */
  startWhenIdle(signal) {
    if (!connectionAllows()) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      (window.requestIdleCallback ?? setTimeout)(() => signal.aborted || start(this.version));
    });
    observer.observe(this.form);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  /** @param {import("./client.js").State} state */
  hear(state) {
    this.python = state;
    this.dataset.state = state.name;
    if (state.name === "ready") void this.settle();
    else this.review();
  }

  /** Begin with the fields of the address, over those of the form. */
  open() {
    const given = this.address.read();
    for (const panel of this.panels) if (given && Object.hasOwn(given.fields, panel.name)) panel.restore(given.fields);
    if (given) this.bring(given.calculator || this.chosen, given.fields);
    if (this.address.isAstray) this.notice = "The link is for a calculator that this page does not have.";
    void this.settle();
  }

  /** Become what a link on this page says; what is unfolded stays so. */
  follow() {
    const given = this.address.read();
    if (!given) return;
    this.bring(given.calculator || this.offers[0], given.fields, true);
    if (this.panels.some((panel) => panel.isLinked && panel.element.open)) this.address.write();
    void this.settle();
  }

  /** Become what the address says that a reader has gone back or forward to. */
  return() {
    if (!this.address.hasMoved) return; // only to another place of the page
    const given = this.address.read();
    if (!given) return;
    for (const panel of this.panels) if (panel.isLinked) panel.restore(given.fields);
    this.bring(given.calculator || this.offers[0], given.fields, true);
    void this.settle();
  }

  /**
   * Choose a calculation, and fill in its form now or when it is there.
   * @param {string} calculator @param {import("./form.js").Fields} fields @param {boolean} [anew]
   */
  bring(calculator, fields, anew = false) {
    if (this.choice) this.choice.value = calculator;
    this.wanted = this.isOnItsWay ? fields : undefined;
    this.pasted = this.notice = "";
    if (this.isOnItsWay) return;
    if (anew) renew(this.form, fields);
    else writeFields(this.form, fields);
  }

  /** @param {import("./form.js").Control} control */
  type(control) {
    forget(control);
    this.typed.add(control.name);
    if (this.answer?.reason) this.pasted = ""; // which could not be read
    this.edited();
  }

  edited() {
    this.notice = "";
    this.address.write();
    for (const panel of this.panels) panel.wait(() => void this.settle());
    void this.settle();
  }

  choose() {
    this.wanted = undefined;
    this.pasted = "";
    this.edited();
  }

  /** @param {Event} event */
  reset(event) {
    event.preventDefault(); // the browser would do it after this, and what is shown would be unmarked
    renew(this.form);
    this.wanted = undefined;
    this.pasted = "";
    this.edited();
  }

  /** Take a configuration, as models are published with; another text is typed. @param {ClipboardEvent} event */
  paste(event) {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!isJsonObject(text)) return;
    event.preventDefault();
    Object.assign(this, { pasted: text, typed: new Set() });
    if (this.answer) this.answer.unanswered = ""; // what could not be read before may be now
    this.edited();
  }

  retry() {
    for (const place of [this.answer, ...this.panels]) if (place) place.unanswered = "";
    restart(this.version);
    void this.settle();
  }

  /** @param {EventTarget | null} control */
  suggest(control) {
    if (this.python.name !== "failed") suggest(control, this.version, this.shown).catch(() => {});
  }

  /** @param {import("./panel.js").Panel} panel */
  toggled(panel) {
    const isInAddress = new URLSearchParams(location.search).has(panel.name);
    if (panel.isLinked && isInAddress !== panel.element.open) this.address.write();
    void this.settle();
  }

  /** @param {Element} button */
  async copy(button) {
    const format = button.getAttribute("data-copy");
    const manual = /** @type {HTMLTextAreaElement} */ (this.find(".calculator-manual"));
    try {
      this.notice = await copied(this.textOf(format), manual);
    } catch {
      this.notice = "Nothing is copied: Python gave no answer.";
    }
    this.review();
  }

  /** @param {string | null} format */
  async textOf(format) {
    if (this.isOnItsWay || this.pasted) await this.settle();
    if (this.isOnItsWay || this.pasted) throw new Error("what is to be copied is not there");
    if (format === "link") return this.address.link();
    return (await ask(this.version, "to_copy", { ...this.question, format })).text;
  }
}

customElements.define("flops-calculator", FlopsCalculator);
