// @ts-check
// What a calculator is to show and what it shows, and the words that mark where the two differ.
import { Address } from "./address.js";
import { Answer } from "./answer.js";
import { initialFields, readFields } from "./form.js";
import { Kept } from "./kept.js";
import { Panel } from "./panel.js";

export class Marked extends HTMLElement {
  controller = new AbortController();
  /** @type {import("./client.js").State} */
  python = { name: "printed" };
  shown = ""; // the calculation whose form is here
  /** What a link writes into the form that is on its way. @type {import("./form.js").Fields | undefined} */
  wanted;
  /** A configuration that is not read yet. @type {string} */
  pasted = "";
  /** The fields that were typed after it. @type {Set<string>} */
  typed = new Set();
  notice = ""; // stays until the next edit
  kept = new Kept();
  address = new Address(this);
  /** @type {Answer | undefined} */
  answer;
  /** @type {Panel[]} */
  panels = [];

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }

  get form() {
    return /** @type {HTMLFormElement} */ (this.find("form"));
  }

  get choice() {
    return /** @type {HTMLSelectElement | null} */ (this.querySelector("[data-choice]"));
  }

  get offers() {
    return this.dataset.offers?.split(" ") ?? [];
  }

  get version() {
    return this.dataset.runtime ?? "";
  }

  /** The calculation that is to be here. */
  get chosen() {
    return this.choice?.value ?? this.offers[0];
  }

  /** @param {string} calculator */
  titleOf(calculator) {
    return [...(this.choice?.options ?? [])].find(({ value }) => value === calculator)?.text ?? "";
  }

  get isOnItsWay() {
    return this.chosen !== this.shown;
  }

  get question() {
    return { calculator: this.shown, fields: readFields(this.form) };
  }

  /** What is to be answered first, as one text: a form to come, a configuration to be read, or the question. */
  get key() {
    if (this.isOnItsWay) return `form ${this.chosen}`;
    return this.pasted ? `configuration ${this.pasted}` : JSON.stringify(this.question);
  }

  /** Know what the page was printed with. */
  begin() {
    if (this.answer) return;
    this.shown = this.offers[0];
    const printed = { calculator: this.shown, fields: initialFields(this.form) };
    this.answer = new Answer(this, printed);
    const details = [...this.querySelectorAll("details")].filter(({ dataset }) => dataset.asks);
    this.panels = details.map((panel) => new Panel(panel, JSON.stringify(printed)));
  }

  /** Mark what is shown where it does not belong to what is chosen, typed and unfolded. */
  review() {
    const { answer, key, python } = this;
    if (!answer) return;
    answer.review(key, this.chosen, this.cause(key));
    for (const panel of this.panels) panel.review(key);
    this.find(".calculator-controls").inert = this.isOnItsWay;
    const isLoading = python.name === "loading";
    const bar = /** @type {HTMLProgressElement} */ (this.find("progress"));
    bar.hidden = !isLoading;
    bar.value = python.progress ?? 0;
    const message = this.find("[data-message]");
    const words = this.notice || this.reading() || (isLoading && !answer.words ? "Loading Python…" : "");
    if (message.textContent !== words) message.textContent = words;
    const isUnanswered = answer.reason || this.panelReason;
    this.find("[data-retry]").hidden = python.name === "failed" ? python.remedy !== "retry" : !isUnanswered;
    this.find("[data-reload]").hidden = python.remedy !== "reload";
  }

  /** What becomes of a configuration that was pasted. */
  reading() {
    if (!this.pasted) return "";
    if (this.python.name === "failed" || this.answer?.reason) return "The configuration that you pasted is not filled in.";
    return "Reading the configuration that you pasted…";
  }

  /** Why an unfolded panel is not to the question that the answer is to. */
  get panelReason() {
    return this.panels.find(({ element, reason }) => element.open && reason)?.reason ?? "";
  }

  /** Why the answer is not to a question, where it is not about to be. @param {string} key */
  cause(key) {
    if (this.python.name === "failed") return this.python.message ?? "";
    if (key === this.answer?.belongsTo) return this.panelReason;
    if (this.python.name !== "ready") return "Loading Python…";
    return "";
  }
}
