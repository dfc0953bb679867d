// @ts-check
// What stands under a form and is asked for when it is unfolded: formulas, tools, machines.
import { ask } from "./client.js";
import { textsOf } from "./form.js";
import { become, fragment } from "./page.js";

const TYPING = 300; // ms; what is typed next to a panel is not answered at every key

export class Panel {
  resting = 0;
  unanswered = ""; // the question that brought an error and no answer
  reason = "";

  /** @param {HTMLDetailsElement} element @param {string} question What it is printed for. */
  constructor(element, question) {
    this.element = element;
    this.belongsTo = this.keyOf(question);
    this.isShort = "short" in element.dataset; // what is printed short is asked for in full
  }

  /** Whether its state stands in the page's address. */
  get isLinked() {
    return "linked" in this.element.dataset;
  }

  get name() {
    return this.element.dataset.asks ?? "";
  }

  get title() {
    return this.element.querySelector("summary")?.textContent ?? "";
  }

  get order() {
    return this.element.dataset.order ?? "";
  }

  get inputs() {
    return this.element.querySelectorAll("input");
  }

  /** What it answers, as one text. @param {string} question */
  keyOf(question) {
    return `${question} ${JSON.stringify([textsOf(this.element), this.order])}`;
  }

  /** Whether it is to be asked for. @param {string} question */
  isDue(question) {
    const key = this.keyOf(question);
    if (!this.element.open || this.resting || key === this.unanswered) return false;
    return this.isShort || key !== this.belongsTo;
  }

  /** Mark it where it is no answer to a question. @param {string} question */
  review(question) {
    const key = this.keyOf(question);
    this.element.toggleAttribute("data-old", key !== this.belongsTo);
    if (key !== this.unanswered) this.unanswered = this.reason = "";
  }

  /** Wait for the end of what is being typed, if anything is typed next to it. @param {() => void} rested */
  wait(rested) {
    if (Object.keys(textsOf(this.element)).length === 0) return;
    clearTimeout(this.resting);
    this.resting = window.setTimeout(() => {
      this.resting = 0;
      rested();
    }, TYPING);
  }

  stop() {
    clearTimeout(this.resting);
    this.resting = 0;
  }

  /** Fold or unfold it as an address has it. @param {Record<string, string>} fields */
  restore(fields) {
    this.element.open = Object.hasOwn(fields, this.name);
    if (!this.element.open) return;
    this.element.dataset.order = fields[this.name];
    for (const control of this.inputs) control.value = fields[control.name] ?? "";
  }

  /** What the address says of it. @returns {Record<string, string>} */
  link() {
    return this.element.open ? { ...textsOf(this.element), [this.name]: this.order } : {};
  }

  /**
   * Sort its table by the column whose header was pressed, if one was: Python knows what comes next.
   * @param {Event} event
   */
  sort(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-sort]");
    if (!(button instanceof HTMLElement)) return false;
    this.element.dataset.order = button.dataset.sort;
    return true;
  }

  /**
   * Bring it up to date, unless that is over by then; return what was changed.
   * @param {string} version @param {object} question @param {() => boolean} isOver
   */
  async bring(version, question, isOver) {
    const key = this.keyOf(JSON.stringify(question));
    const texts = textsOf(this.element);
    const asked = this.order ? { ...question, ...texts, sort: this.order } : { ...question, ...texts };
    const { html } = await ask(version, this.name, asked);
    if (isOver()) return null;
    const place = /** @type {HTMLElement} */ (this.element.querySelector("[data-place]"));
    this.element.hidden = html === null;
    become(place, fragment(html ?? "", place));
    this.belongsTo = key;
    this.isShort = false;
    const refused = place.querySelector(".calculator-error")?.textContent ?? "";
    for (const control of this.inputs) {
      control.ariaInvalid = refused ? "true" : null;
      control.ariaDescription = refused || null;
    }
    return place;
  }
}
