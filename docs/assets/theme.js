// @ts-check
// What the theme leaves out for keyboards and screen readers.
// The search dialog, and the button of each block of code, which comes when the block is first seen, have no name.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

const nameBlocks = () => {
  for (const [place, nav] of document.querySelectorAll("nav.md-code__nav").entries())
    nav.setAttribute("aria-label", `Code ${place + 1}`);
};

// Dozens of links stand before the first field of a form.
const linkToCalculator = () => {
  const skip = document.querySelector(".md-skip:not([data-skip])");
  const calculator = document.querySelector("flops-calculator");
  if (!skip || !calculator || document.querySelector("[data-skip]")) return;
  const link = /** @type {HTMLAnchorElement} */ (skip.cloneNode());
  link.dataset.skip = "";
  link.setAttribute("href", `#${calculator.id}`); // with whatever query the address has by then
  link.textContent = "Skip to the calculator";
  skip.after(link);
};

// What scrolls sideways can be reached, and so scrolled, by keyboard.
const SCROLLERS = ".md-typeset__scrollwrap, .md-typeset pre > code, .md-typeset div.arithmatex, .figure-frame, .rosetta";
/** @type {WeakSet<Element>} */
const known = new WeakSet();
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth <= target.clientWidth || target.hasAttribute("tabindex")) continue;
    target.setAttribute("tabindex", "0");
    target.setAttribute("role", "group");
    if (!target.ariaLabel) target.setAttribute("aria-label", "Scrolls sideways");
  }
});
const reachScrollers = () => {
  for (const place of document.querySelectorAll(SCROLLERS)) {
    if (known.has(place)) continue;
    known.add(place);
    sizes.observe(place);
  }
};

const complete = () => {
  nameBlocks();
  linkToCalculator();
  reachScrollers();
};
let waiting = 0; // answers change much and often
new MutationObserver(() => {
  waiting ||= window.setTimeout(() => {
    waiting = 0;
    complete();
  }, 100);
}).observe(document.body, { childList: true, subtree: true });
complete();

// The theme's instant navigation takes a link that brings other figures to a calculator of the same page
// for one to where the reader is, and goes back.
document.addEventListener(
  "click",
  (event) => {
    const link = event.target instanceof Element && event.target.closest("a");
    if (!(link instanceof HTMLAnchorElement) || link.origin + link.pathname !== location.origin + location.pathname) return;
    const calculator = document.getElementById(link.hash.slice(1));
    if (!calculator?.matches("flops-calculator") || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (link.search !== location.search) {
      history.pushState(null, "", link.href);
      dispatchEvent(new Event("calculator:link")); // no popstate, at which the theme fetches the page
    }
    calculator.scrollIntoView();
    calculator.tabIndex = -1;
    calculator.focus({ preventScroll: true });
  },
  { capture: true },
);
