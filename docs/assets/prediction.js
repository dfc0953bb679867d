// @ts-check
// <flops-prediction>: takes a guess, once, asks Python how far off it is, and unfolds the answer.
import { ask, start } from "./client.js";

class FlopsPrediction extends HTMLElement {
  controller = new AbortController();

  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    this.addEventListener("focusin", () => start(this.version), { signal });
    form.addEventListener("submit", (event) => (event.preventDefault(), this.lock()), { signal });
  }

  disconnectedCallback() {
    this.controller.abort();
  }

  get version() {
    return this.dataset.runtime ?? "";
  }

  async lock() {
    const input = /** @type {HTMLInputElement} */ (this.querySelector("input"));
    if (input.readOnly) return;
    const place = /** @type {HTMLElement} */ (this.querySelector("[role=status]"));
    const question = { ...JSON.parse(this.dataset.subject ?? "{}"), guess: input.value };
    try {
      const { verdict, error } = await ask(this.version, "judge", question);
      place.textContent = verdict ?? `A guess ${error}.`;
      input.toggleAttribute("aria-invalid", !verdict);
      if (!verdict) return;
    } catch {
      place.textContent = "Your guess is not judged: Python does not run. Try again, or unfold the answer.";
      return;
    }
    input.readOnly = true;
    /** @type {HTMLButtonElement} */ (this.querySelector("button")).disabled = true;
    const answer = /** @type {HTMLDetailsElement} */ (this.querySelector("details"));
    answer.open = true;
    if (!this.contains(document.activeElement)) answer.querySelector("summary")?.focus({ preventScroll: true });
  }
}

customElements.define("flops-prediction", FlopsPrediction);
