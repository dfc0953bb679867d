// @ts-check
// What a calculator shows, brought to what is chosen, typed and unfolded: the form first, then what
// is pasted, then the answer, then the panels, one question at a time. Whatever happens meanwhile
// changes what is asked next. docs/why.md#state has the table of states.
import { ask } from "./client.js";
import { writeFields } from "./form.js";
import { forgetAll, renew } from "./kept.js";
import { Marked } from "./marked.js";
import { fragment, setTex } from "./page.js";

/** @typedef {import("./answer.js").Question} Question */
/** @typedef {import("./panel.js").Panel} Panel */

/** @typedef {(signal: AbortSignal) => Promise<void>} Step */

/**
 * Why something is not there; a failure of Python as a whole ends the settling.
 * @param {string} lack @param {unknown} error
 */
const reasonOf = (lack, error) => {
  if (!(error instanceof Error) || error.name === "Failure") throw error;
  return `${lack}: ${error.message.trim().split("\n").at(-1)}.`;
};

export class Settling extends Marked {
  isSettling = false;
  /** @type {Promise<void>} */
  settled = Promise.resolve();

  /** Ask for what is missing, and mark what is shown meanwhile. */
  settle() {
    if (this.controller.signal.aborted) return this.settled;
    this.review();
    if (!this.isSettling) {
      this.isSettling = true;
      this.settled = this.run(this.controller.signal);
    }
    return this.settled;
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    try {
      for (let step = this.next(); step; step = this.next()) {
        await step(signal);
        if (signal.aborted) return;
        this.review();
      }
    } catch {
      // The state of Python says why, and offers to try again.
    } finally {
      if (!signal.aborted) {
        this.isSettling = false;
        this.review();
      }
    }
  }

  /** What is to be asked next, if anything. @returns {Step | undefined} */
  next() {
    const { answer, key, question } = this;
    if (!answer?.isSettled(key)) return (signal) => this.bringFirst(signal);
    if (answer.belongsTo !== key) return;
    const panel = this.panels.find((panel) => panel.isDue(key));
    return panel && ((signal) => this.bringPanel(panel, question, signal));
  }

  /** Bring what comes before the panels, or say why it does not come. @type {Step} */
  async bringFirst(signal) {
    const { key } = this;
    try {
      if (this.isOnItsWay) await this.bringForm(signal);
      else if (this.pasted) await this.readPasted(signal);
      else await this.bringAnswer(signal);
    } catch (error) {
      const reason = reasonOf("No answer", error);
      if (!signal.aborted) Object.assign(this.answer ?? {}, { unanswered: key, reason });
    }
  }

  /** @type {Step} */
  async bringForm(signal) {
    const { chosen, form, kept } = this;
    const place = this.find(".calculator-controls");
    const question = { calculator: chosen, prefix: form.dataset.prefix };
    const nodes = kept.left.get(chosen) ?? fragment((await ask(this.version, "form", question)).html, place);
    if (signal.aborted || chosen !== this.chosen) return;
    kept.leave(form, place, this.shown, this.titleOf(this.shown));
    place.replaceChildren(nodes);
    if (this.wanted) renew(form, this.wanted);
    else kept.enter(form);
    Object.assign(this, { shown: chosen, wanted: undefined });
    this.address.write();
    this.set(place);
  }

  /** @type {Step} */
  async readPasted(signal) {
    const text = this.pasted;
    const { fields, message } = await ask(this.version, "configuration", { calculator: this.shown, text });
    if (signal.aborted || text !== this.pasted || this.isOnItsWay) return;
    Object.assign(this, { pasted: "", notice: message });
    if (!fields) return;
    for (const name of this.typed) delete fields[name];
    forgetAll(this.form);
    writeFields(this.form, fields);
    this.address.write();
  }

  /** @type {Step} */
  async bringAnswer(signal) {
    const { key, question } = this;
    const outcome = await ask(this.version, "answer", question);
    if (!signal.aborted && key === this.key) this.answer?.place(question, this.form, outcome);
  }

  /** @param {Panel} panel @param {Question} question @param {AbortSignal} signal */
  async bringPanel(panel, question, signal) {
    const key = JSON.stringify(question);
    const asked = panel.keyOf(key);
    try {
      const isOver = () => signal.aborted || asked !== panel.keyOf(JSON.stringify(this.question));
      const place = await panel.bring(this.version, question, isOver);
      if (place) this.set(place);
    } catch (error) {
      const reason = reasonOf(`“${panel.title}” is not up to date`, error);
      if (!signal.aborted) Object.assign(panel, { unanswered: asked, reason });
    }
  }

  /** Set the formulas of a place. @param {ParentNode} place */
  set(place) {
    setTex(place).catch(() => {
      this.notice = "The formulas are shown in LaTeX: what sets them could not be loaded.";
      this.review();
    });
  }
}
