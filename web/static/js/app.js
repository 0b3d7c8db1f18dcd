// Progressive only: every page works without this file.
(() => {
  const errors = document.getElementById("errors");
  if (errors) errors.focus();

  // A link to #handover opens what it points at.
  const aim = location.hash && document.querySelector(`details${CSS.escape ? "#" + CSS.escape(location.hash.slice(1)) : location.hash}`);
  if (aim) { aim.open = true; aim.scrollIntoView(); }

  // On a phone the chips say what a list is narrowed to: the panel is folded, so that the tasks come first.
  const panel = document.querySelector("details.panel");
  if (panel && matchMedia("(max-width: 800px)").matches && !panel.querySelector("[aria-invalid]")) panel.open = false;

  // An open menu closes when somebody looks elsewhere.
  const menus = document.querySelectorAll("details.menu");
  const fold = (but) => menus.forEach((menu) => { if (!menu.contains(but)) menu.open = false; });
  document.addEventListener("click", (e) => fold(e.target));
  document.addEventListener("focusin", (e) => fold(e.target));
  document.addEventListener("keydown", (e) => {
    const open = e.key === "Escape" && document.querySelector("details.menu[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });

  // Keys: arrows step through a case; not while somebody types.
  const typing = (e) => e.target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(e.target.tagName) || (e.target.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(e.target.type));
  document.addEventListener("keydown", (e) => {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.ctrlKey || e.altKey || e.metaKey) return;
    const link = { ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]", Home: "a[rel=first]", End: "a[rel=last]" }[e.key];
    const found = link && document.querySelector(link);
    if (found && document.activeElement?.className !== "canvas") { e.preventDefault(); found.click(); }
  });

  // Keys of one letter (listed by ?): off while somebody types, and for whoever turned them off on /keys.
  const { keys } = document.body.dataset;
  const go = (selector) => document.querySelector(selector)?.click();
  const rows = () => [...document.querySelectorAll("table.list tbody tr")].filter((row) => row.querySelector("a[href]"));
  const current = () => document.activeElement?.closest?.("table.list tbody tr");
  const step = (by) => {
    const all = rows(), at = all.indexOf(current());
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    next?.querySelector("a[href]").focus();  // Enter then opens it, as on every link
  };
  const tick = () => current()?.querySelector("input[type=checkbox]")?.click();
  const claim = () => {
    const batch = document.querySelector("button[form=batch][value=claim]");
    if (batch && !document.querySelector("input[form=batch]:checked")) tick();
    if (batch ? document.querySelector("input[form=batch]:checked") : true) (batch || document.querySelector("button[name=_do][value=claim]"))?.click();
  };
  const help = async () => {
    let box = document.querySelector("dialog.keys");
    if (!box) {
      const page = new DOMParser().parseFromString(await (await fetch(keys)).text(), "text/html");
      box = document.createElement("dialog");
      box.className = "keys";
      box.append(...page.getElementById("keys").childNodes);
      box.setAttribute("aria-label", box.querySelector("h1").textContent);
      document.body.append(box);
    }
    if (!box.open) box.showModal();
  };
  const letters = {
    j: () => step(1), k: () => step(-1), x: tick, c: claim, p: () => window.print(), "?": help,
    "/": () => {
      const box = document.querySelector("[data-search]") || document.querySelector("main input[type=text], main input:not([type])"), panel = box?.closest("details");
      if (panel) panel.open = true;
      box?.focus();
    },
  };
  const places = { t: "a[data-go=t]", c: "a[data-go=c]", l: "a[data-go=l]" };
  let going = 0;
  if (keys) document.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && e.ctrlKey) {
      const form = e.target.closest?.("form") || document.querySelector("main form[method=post]:has(button.primary)");
      const button = form?.querySelector("button.primary") || form?.querySelector("button:not(.hidden-default)");
      if (button) { e.preventDefault(); button.click(); }
      return;
    }
    if (e.key === "Escape") { document.activeElement?.blur?.(); return; }
    if (typing(e) || e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]")) return;
    const after = Date.now() - going < 1500;
    going = 0;
    if (after && places[e.key]) { e.preventDefault(); go(places[e.key]); return; }
    if (e.key === "g") { going = Date.now(); return; }
    if (letters[e.key]) { e.preventDefault(); letters[e.key](); }
  });

  // A visit's form was sent and answered: what the device kept of it goes. A page that came back with errors keeps it (visits.js).
  const sent = sessionStorage.getItem("yingbao-sent");
  if (sent && !document.querySelector(".errsum")) {
    sessionStorage.removeItem("yingbao-sent");
    const asked = window.indexedDB?.open("yingbao-visits");
    if (asked) asked.onupgradeneeded = () => asked.transaction.abort();  // none is there: none is made
    if (asked) asked.onsuccess = () => {
      const db = asked.result;
      if (db.objectStoreNames.contains("drafts")) db.transaction("drafts", "readwrite").objectStore("drafts").delete(sent);
      db.close();
    };
  }

  // Signing out leaves nothing of a visit on this device (the answer says so to the browser, too).
  document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => window.indexedDB?.deleteDatabase("yingbao-visits"));

  // A quiet line when something new has come; the list itself never jumps.
  const news = document.getElementById("news");
  if (news) setInterval(async () => {
    if (document.hidden) return;
    try {
      const told = await (await fetch(news.dataset.news, { redirect: "error" })).json();
      if (told.n && news.firstElementChild.textContent !== told.message) news.firstElementChild.textContent = told.message;
      news.hidden = !told.n;
    } catch { /* the next minute will tell */ }
  }, 60000);

  // The session ends; two minutes before, the draft is kept and a word said. Another tab may have gone on meanwhile: ask.
  const ends = document.getElementById("ends");
  if (ends) {
    const BEFORE = 120, LONGEST = 2 ** 31 - 1;
    let left = Number(ends.dataset.left);
    const since = () => performance.now() / 1000;
    let from = since(), timer = 0;
    const wait = () => { clearTimeout(timer); timer = setTimeout(look, Math.min(Math.max(0, left - BEFORE - (since() - from)) * 1000, LONGEST)); };
    const look = async () => {
      try { ({ left } = await (await fetch(ends.dataset.ask, { redirect: "error" })).json()); } catch { left = 0; ends.querySelector(".over").hidden = false; }
      from = since();
      if (left > BEFORE) { wait(); return; }
      document.dispatchEvent(new Event("session:ends"));
      ends.hidden = false;
    };
    ends.querySelector("form").addEventListener("submit", async (e) => {
      e.preventDefault();
      try {
        const answer = await fetch(e.target.action, { method: "POST", body: new URLSearchParams(new FormData(e.target)), redirect: "error" });
        ({ left } = await answer.json());
        from = since();
        ends.hidden = true;
        wait();
      } catch { ends.querySelector(".over").hidden = false; }
    });
    wait();
  }

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
      } catch { changed = true; }
    };
    setInterval(save, Number(form.dataset.every) || 20000);
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
    document.addEventListener("session:ends", save);
  }
})();
