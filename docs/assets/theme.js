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
