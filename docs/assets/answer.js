// @ts-check
// The answer of a calculator: which question it belongs to, and the words that mark it when another is in the form.
import { hint, mark } from "./form.js";
import { become, fragment } from "./page.js";

/** @typedef {{calculator: string, fields: import("./form.js").Fields}} Question */

const PATIENCE = 150; // ms; an answer that comes sooner is not announced
const SPEAK_DELAY = 800; // ms after the last key, so that a screen reader hears one answer

export class Answer {
  current = ""; // the question in the form
  refused = ""; // the question that was, and why it has no answer: as the marks at its fields say, or
  unanswered = "";
  reason = "";
  words = "";
  marking = 0;
  speaking = 0;

  /** @param {HTMLElement} root @param {Question} question What is printed. */
  constructor(root, question) {
    this.root = root;
    this.calculator = question.calculator;
    this.belongsTo = this.printed = JSON.stringify(question);
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /** Whether there is nothing to be asked: it is answered, or known to have no answer. @param {string} key */
  isSettled(key) {
    return key === this.unanswered || key === (this.refused || this.belongsTo);
  }

  /** What it is the result for, where that is not what stands in the form. @param {string} calculator */
  subject(calculator) {
    if (calculator !== this.calculator) return "the layer before";
    return this.belongsTo === this.printed ? "the default values" : "your last valid input";
  }

  /**
   * Mark it where it does not belong to a question.
   * @param {string} key @param {string} calculator The chosen one.
   * @param {string} cause Why there is no other answer yet, in a sentence; empty where one is about to come.
   */
  review(key, calculator, cause) {
    this.current = key;
    const isOld = key !== this.belongsTo;
    this.find(".calculator-answer").toggleAttribute("data-old", isOld);
    if (key !== this.unanswered) this.unanswered = this.reason = "";
    const why = this.reason || cause;
    const subject = this.subject(calculator);
    if (key === this.refused && !cause) this.say(`Outdated: the result for ${subject}.`);
    else if (why) this.say(isOld ? `${why} This is the result for ${subject}.` : why);
    else this.say(isOld ? `Calculating… This is the result for ${subject}.` : "", isOld ? PATIENCE : 0);
  }

  /** Say why it is marked, where that is still so after a while. @param {string} words @param {number} [delay] */
  say(words, delay = 0) {
    if (words === this.words) return;
    this.words = words;
    clearTimeout(this.marking);
    const place = this.find("[data-mark]");
    if (delay && !place.textContent) this.marking = window.setTimeout(() => (place.textContent = this.words), delay);
    else place.textContent = words;
  }

  /**
   * Show what came of a question.
   * @param {Question} question @param {HTMLFormElement} form
   * @param {{html: string | null, errors: Record<string, string>, assumed: Record<string, string>}} outcome
   */
  place(question, form, { html, errors, assumed }) {
    const key = JSON.stringify(question);
    const refused = mark(form, errors);
    this.refused = html === null ? key : "";
    const figures = this.find(".calculator-figures");
    if (html !== null) {
      hint(form, assumed);
      become(figures, fragment(html, figures));
      this.belongsTo = key;
      this.calculator = question.calculator;
    }
    performance.mark("calculator:answer");
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      if (key !== this.current) return; // another answer is on its way
      const places = figures.querySelectorAll(".calculator-headline, .calculator-verdict, .calculator-best-case");
      const spoken = [...places].map((place) => /** @type {HTMLElement} */ (place).innerText);
      this.find(".calculator-summary").textContent = (refused.length > 0 ? refused : spoken).join(" ");
    }, SPEAK_DELAY);
  }

  stop() {
    clearTimeout(this.marking);
    clearTimeout(this.speaking);
  }
}
