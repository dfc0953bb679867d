// @ts-check
// <flops-prediction>: takes a guess, once, asks Python how far off it is, and unfolds the answer.
import { ask, start, watch } from "./client.js";

let verdicts = 0; // on pages that were seen, so that the id of each is its own

class FlopsPrediction extends HTMLElement {
  controller = new AbortController();
  isReady = false; // Python

  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    this.verdict.id ||= `verdict-${(verdicts += 1)}`;
    this.input.setAttribute("aria-describedby", this.verdict.id);
    watch(({ name }) => (this.isReady = name === "ready"), signal);
    this.addEventListener("focusin", () => start(this.version), { signal });
    form.addEventListener("submit", (event) => (event.preventDefault(), this.lock()), { signal });
  }

  disconnectedCallback() {
    this.controller.abort();
  }

  get version() {
    return this.dataset.runtime ?? "";
  }

  get input() {
    return /** @type {HTMLInputElement} */ (this.querySelector("input"));
  }

  get verdict() {
    return /** @type {HTMLElement} */ (this.querySelector("[role=status]"));
  }

  async lock() {
    const { input } = this;
    if (input.readOnly) return;
    input.readOnly = true;
    if (!this.isReady) this.verdict.textContent = "Loading Python…";
    const isJudged = await this.judge(input.value);
    input.readOnly = isJudged;
    if (isJudged) this.unfold();
  }

  /** Say how far off a guess is, or why it has no verdict. @param {string} guess */
  async judge(guess) {
    const { input, verdict: place } = this;
    const question = { ...JSON.parse(this.dataset.subject ?? "{}"), guess };
    try {
      const { verdict, error } = await ask(this.version, "judge", question);
      place.textContent = verdict ?? `A guess ${error}.`;
      input.ariaInvalid = verdict ? null : "true";
      return Boolean(verdict);
    } catch {
      place.textContent = "Your guess is not judged: Python does not run. Try again, or unfold the answer.";
      return false;
    }
  }

  unfold() {
    const button = /** @type {HTMLButtonElement} */ (this.querySelector("button"));
    const answer = /** @type {HTMLDetailsElement} */ (this.querySelector("details"));
    const isPressed = button === document.activeElement; // which would leave the keyboard nowhere
    button.disabled = true;
    answer.open = true;
    if (isPressed) answer.querySelector("summary")?.focus({ preventScroll: true });
  }
}

customElements.define("flops-prediction", FlopsPrediction);
