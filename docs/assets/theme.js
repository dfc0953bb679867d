// @ts-check
// What the theme leaves out: the search dialog, and the button of each block of code, which comes
// when the block is first seen, have no name of their own for a screen reader.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

const nameBlocks = () => {
  for (const [place, nav] of document.querySelectorAll("nav.md-code__nav").entries())
    nav.setAttribute("aria-label", `Code ${place + 1}`);
};
new MutationObserver(nameBlocks).observe(document.body, { childList: true, subtree: true });
nameBlocks();

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
    history.pushState(null, "", link.href);
    dispatchEvent(new Event("calculator:link")); // no popstate, at which the theme fetches the page
    calculator.scrollIntoView();
    calculator.tabIndex = -1;
    calculator.focus({ preventScroll: true });
  },
  { capture: true },
);
