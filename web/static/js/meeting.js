// Progressive only: the vote grid by keys, and a question before votes are entered. The page works without this file.
(() => {
  for (const form of document.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (e) => { if (!confirm(form.dataset.confirm)) e.preventDefault(); });
  }
  // In the secretary's grid 1, 2 and 3 choose for, against, abstain and go on to the next unit.
  for (const grid of document.querySelectorAll("form.grid")) {
    const groups = [...grid.querySelectorAll("[role=radiogroup]")];
    grid.addEventListener("keydown", (e) => {
      const group = e.target.closest?.("[role=radiogroup]");
      if (!group || !"123".includes(e.key) || e.ctrlKey || e.altKey || e.metaKey) return;
      e.preventDefault();
      group.querySelectorAll("input")[Number(e.key) - 1].checked = true;
      const next = groups[groups.indexOf(group) + 1];
      (next ? next.querySelector("input") : grid.querySelector("button.primary")).focus();
    });
  }
})();
