// Progressive only: every page works without this file.
(() => {
  const errors = document.getElementById("errors");
  if (errors) errors.focus();

  // A link to #handover opens what it points at.
  const aim = location.hash && document.querySelector(`details${CSS.escape ? "#" + CSS.escape(location.hash.slice(1)) : location.hash}`);
  if (aim) { aim.open = true; aim.scrollIntoView(); }

  // Keys: arrows step through a case; not while somebody types.
  document.addEventListener("keydown", (e) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.ctrlKey || e.altKey || e.metaKey) return;
    const link = { ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]", Home: "a[rel=first]", End: "a[rel=last]" }[e.key];
    const found = link && document.querySelector(link);
    if (found && document.activeElement?.className !== "canvas") { e.preventDefault(); found.click(); }
  });

  // The diagram opens where the case stands: at the step looked at, else at a task that waits, else at what is waited for.
  const centre = () => {
    const canvas = document.querySelector(".canvas");
    const here = canvas && ["g.current", "g.active:has(.post)", "g.active:has(circle)"].map((s) => canvas.querySelector(s)).find(Boolean);
    if (!here) return;
    here.classList.add("here");
    const box = here.getBoundingClientRect(), frame = canvas.getBoundingClientRect();
    canvas.scrollLeft += box.left - frame.left - frame.width / 2;
    canvas.scrollTop += box.top - frame.top - frame.height / 2;
  };
  centre();
  document.addEventListener("replay:drawn", centre);

  // Drafts save themselves every 20 seconds while something changes; files are sent only by pressing a button.
  const form = document.querySelector("form[data-draft]");
  const told = document.getElementById("saved");
  if (form && told) {
    let changed = false, leaving = false;
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { leaving = true; });
    const save = async () => {
      if (!changed || leaving) return;
      changed = false;
      const sent = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (typeof value === "string") sent.append(name, value);
      try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body: sent, credentials: "same-origin", redirect: "error" });
        told.textContent = (await answer.json()).message;
        if (!answer.ok) changed = false;
      } catch { changed = true; }
    };
    setInterval(save, Number(form.dataset.every) || 20000);
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  }
})();
