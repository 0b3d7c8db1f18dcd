// Progressive only: every page works without this file.
(() => {
  const errors = document.getElementById("errors");
  if (errors) errors.focus();
  document.addEventListener("keydown", (e) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.ctrlKey || e.altKey || e.metaKey) return;
    const link = { ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]" }[e.key];
    const found = link && document.querySelector(link);
    if (found && document.activeElement?.className !== "canvas") { e.preventDefault(); found.click(); }
  });
  const canvas = document.querySelector(".canvas");
  const here = canvas?.querySelector("g.current, g.active:not(:has(g))");
  if (here) {
    const box = here.getBoundingClientRect(), frame = canvas.getBoundingClientRect();
    canvas.scrollLeft += box.left - frame.left - frame.width / 2;
    canvas.scrollTop += box.top - frame.top - frame.height / 2;
  }
})();
