// @ts-check
// What the theme leaves out: the search dialog has no name for a screen reader.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
