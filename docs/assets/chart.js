// @ts-check
// <flops-chart>: draws a printed chart again, to be pointed at and walked through, once it is in view.
import { load } from "./page.js";

/** @typedef {import("./vendor/vega.js").Result} Result */

const MARKS = "[role=graphics-symbol][aria-label]";
/** How far a key goes in the row of marks; Infinity is the end of it. @type {Record<string, number>} */
const STEPS = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
  Home: -Infinity,
  End: Infinity,
};

class FlopsChart extends HTMLElement {
  static observedAttributes = ["data-spec"];

  controller = new AbortController();
  /** @type {Result | undefined} */
  drawn;
  near = false;
  turn = 0;
  width = 0;

  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    const view = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        view.disconnect();
        this.near = true;
        void this.draw();
      },
      { rootMargin: "100px" },
    );
    view.observe(this);
    const size = new ResizeObserver(() => {
      if (this.drawn && this.place?.clientWidth !== this.width) void this.draw();
    });
    size.observe(this);
    signal.addEventListener("abort", () => (view.disconnect(), size.disconnect()));
    this.addEventListener("keydown", (event) => this.walk(event), { signal });
    this.addEventListener("focusin", (event) => this.say(/** @type {Element} */ (event.target)), { signal });
    this.addEventListener("focusout", () => this.say(null), { signal });
    this.addEventListener("click", (event) => void this.save(/** @type {Element} */ (event.target)), { signal });
  }

  disconnectedCallback() {
    this.controller.abort();
    this.turn += 1;
    this.near = false;
    this.drawn?.finalize();
    this.drawn = undefined;
  }

  attributeChangedCallback() {
    if (this.near) void this.draw(true);
  }

  get place() {
    return /** @type {HTMLElement | null} */ (this.querySelector(".chart-drawing"));
  }

  get marks() {
    return /** @type {SVGElement[]} */ ([...(this.place?.querySelectorAll(MARKS) ?? [])]);
  }

  /** Draw what `data-spec` says, unless it says something else by then. */
  async draw(changed = false) {
    const turn = (this.turn += 1);
    await new Promise(requestAnimationFrame); // several changes of one frame are drawn once
    const place = this.place;
    if (turn !== this.turn || !place) return;
    const frame = document.createElement("div");
    this.width = place.clientWidth;
    try {
      const { embed, expressionInterpreter } = /** @type {typeof import("./vendor/vega.js")} */ (await load("vega"));
      if (turn !== this.turn) return;
      const spec = { ...JSON.parse(this.dataset.spec ?? "{}"), width: this.width };
      const drawn = await embed(frame, spec, {
        actions: false,
        ast: true,
        defaultStyle: false,
        expr: expressionInterpreter,
        renderer: "svg",
        tooltip: { disableDefaultStyle: true },
      });
      if (turn !== this.turn) return drawn.finalize();
      this.show(frame, drawn);
    } catch (error) {
      if (turn !== this.turn) return;
      console.info("The chart stays as it was printed:", error);
      if (!changed) return;
      place.textContent = "The chart could not be drawn: its numbers are in the table below.";
      this.toggleAttribute("data-drawn", false);
    }
  }

  /** @param {Element} frame @param {Result} drawn */
  show(frame, drawn) {
    const at = this.marks.findIndex((mark) => mark === document.activeElement);
    this.drawn?.finalize();
    this.drawn = drawn;
    this.place?.replaceChildren(frame);
    this.marks.forEach((mark, index) => mark.setAttribute("tabindex", index === 0 ? "0" : "-1"));
    if (at >= 0) this.enter(at);
    this.toggleAttribute("data-drawn", true);
  }

  /** @param {KeyboardEvent} event */
  walk(event) {
    const step = STEPS[event.key];
    const at = this.marks.findIndex((mark) => mark === event.target);
    if (step === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.enter(at + step);
  }

  /** Move the focus to a mark, or to the last one before. @param {number} index */
  enter(index) {
    const marks = this.marks;
    const next = marks[Math.max(0, Math.min(index, marks.length - 1))];
    for (const mark of marks) mark.setAttribute("tabindex", mark === next ? "0" : "-1");
    next?.focus({ preventScroll: false });
  }

  /** @param {Element | null} mark */
  say(mark) {
    const line = this.querySelector(".chart-said");
    if (line) line.textContent = mark?.getAttribute("aria-label") ?? "";
  }

  /** @param {Element} button */
  async save(button) {
    const kind = button.getAttribute("data-export");
    if (!kind || !this.drawn) return;
    const { view } = this.drawn;
    const link = document.createElement("a");
    link.download = `chart.${kind}`;
    try {
      view.background("white"); // the ink of a file is black, whatever the page's
      link.href = await view.toImageURL(kind, kind === "png" ? 2 : 1);
      link.click();
    } finally {
      await view.background("transparent").runAsync();
    }
  }
}

customElements.define("flops-chart", FlopsChart);
