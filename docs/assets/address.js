// @ts-check
// The page's address, which is a link to what a calculator shows: read when it opens, written as it changes.
import { readFields, readLasting, uncheckedFields } from "./form.js";

const DELAY = 300; // ms; browsers limit how often a page may write its address

export class Address {
  writing = 0;
  search = ""; // as it was last read or written

  /** @param {import("./marked.js").Marked} calculator */
  constructor(calculator) {
    this.calculator = calculator;
  }

  /** Whether it has changed otherwise than by what is written here. */
  get hasMoved() {
    return location.search !== this.search;
  }

  /** What it says, where it speaks of this calculator. */
  read() {
    clearTimeout(this.writing);
    this.search = location.search;
    const target = document.getElementById(location.hash.slice(1));
    if (target?.matches("flops-calculator") && target !== this.calculator) return null;
    const { form, offers } = this.calculator;
    const { sent, calculator = sent ?? "", ...fields } = Object.fromEntries(new URLSearchParams(location.search));
    if (!offers.includes(calculator || offers[0])) return null;
    const unchecked = sent ? uncheckedFields(form) : {}; // a form that is sent leaves them out
    return { calculator, fields: { ...unchecked, ...fields } };
  }

  /** Whether it asks for a calculator that the page does not have; only the first on the page says so. */
  get isAstray() {
    const asked = new URLSearchParams(location.search).get("calculator");
    const all = [...document.querySelectorAll("flops-calculator")];
    const isOffered = all.some((each) => each.getAttribute("data-offers")?.split(" ").includes(asked ?? ""));
    return Boolean(asked) && !isOffered && all[0] === this.calculator;
  }

  /** A link to what is shown, or will be when its form is there. */
  link() {
    const { id, form, chosen, isOnItsWay, wanted, panels } = this.calculator;
    const url = new URL(location.href);
    const fields = isOnItsWay ? (wanted ?? readLasting(form)) : readFields(form);
    const linked = panels.filter((panel) => panel.isLinked).map((panel) => panel.link());
    url.search = new URLSearchParams(Object.assign({ calculator: chosen }, fields, ...linked)).toString();
    url.hash = id;
    return url.href;
  }

  /** Write it soon. */
  write() {
    clearTimeout(this.writing);
    this.writing = window.setTimeout(() => this.writeNow(), DELAY);
  }

  writeNow() {
    this.stop();
    history.replaceState(history.state, "", this.link());
    this.search = location.search;
  }

  stop() {
    clearTimeout(this.writing);
    this.writing = 0;
  }
}
