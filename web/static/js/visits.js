// Visits without a network: what is typed on this page is kept on the device, encrypted, and sent when there is a network again.
// Progressive only: without this file the page is sent as every other; the paper sheet stands for those who go without a device.
//
// The key is made here (AES-GCM), cannot be taken out of the browser, and belongs to one sign-in (data-device). Another sign-in,
// signing out and sending remove key and draft. Nothing is kept where the browser has no secure context.
(() => {
  const form = document.querySelector("form[data-offline]"), told = document.getElementById("device");
  if (!form || !told || !window.crypto?.subtle || !window.indexedDB) return;
  const NAME = "yingbao-visits", { offline: id, device } = form.dataset, LONGEST = 1600;
  const say = (what) => { told.textContent = what ? told.dataset[what] : ""; };
  const done = (request) => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = () => no(request.error); });
  const open = () => new Promise((yes, no) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => { asked.result.createObjectStore("keys"); asked.result.createObjectStore("drafts"); };
    asked.onsuccess = () => { asked.result.onversionchange = () => asked.result.close(); yes(asked.result); };
    asked.onerror = () => no(asked.error);
  });
  const store = async (name, mode, work) => {
    const db = await open();
    try { return await done(work(db.transaction(name, mode).objectStore(name))); } finally { db.close(); }
  };

  // One key a sign-in; those of others go, with their drafts.
  const key = async () => {
    for (const other of await store("keys", "readonly", (s) => s.getAllKeys())) if (other !== device) await store("keys", "readwrite", (s) => s.delete(other));
    for (const draft of await store("drafts", "readonly", (s) => s.getAllKeys())) if (!draft.startsWith(`${device} `)) await store("drafts", "readwrite", (s) => s.delete(draft));
    const known = await store("keys", "readonly", (s) => s.get(device));
    if (known) return known;
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await store("keys", "readwrite", (s) => s.put(made, device));
    return made;
  };
  const place = `${device} ${id}`, about = new TextEncoder().encode(place);

  const base64 = (file) => new Promise((yes, no) => { const r = new FileReader(); r.onload = () => yes(r.result.split(",")[1] || ""); r.onerror = () => no(r.error); r.readAsDataURL(file); });
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const SKIPPED = new Set(["csrf_token", "_do"]);  // of this page alone
  const files = () => [...form.querySelectorAll("input[type=file]")];
  const read = async () => ({
    fields: [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !SKIPPED.has(name)),
    files: await Promise.all(files().map((input) => Promise.all([...input.files].map(async (f) => ({ name: f.name, type: f.type, data: await base64(f) }))))),
  });

  let waiting = false, sending = false, queue = Promise.resolve(), changes = 0;
  const changed = () => { changes += 1; form.dataset.unsaved = ""; };
  const keep = (pending) => {
    waiting = waiting || pending;
    queue = queue.then(async () => {
      const upTo = changes;
      const iv = crypto.getRandomValues(new Uint8Array(12)), said = new TextEncoder().encode(JSON.stringify({ ...await read(), waiting }));
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about }, await key(), said);
      await store("drafts", "readwrite", (s) => s.put({ iv, sealed }, place));
      if (upTo === changes) delete form.dataset.unsaved;
      say(waiting ? "waiting" : "kept");
    }).catch(() => say(""));  // a full or forbidden store: the page itself still holds what was typed
    return queue;
  };
  const forget = () => { queue = queue.then(() => store("drafts", "readwrite", (s) => s.delete(place))).catch(() => {}); return queue; };

  const restore = async () => {
    if (document.querySelector(".errsum")) { await keep(false); return; }  // the page came back with what was sent, and is newer
    const row = await store("drafts", "readonly", (s) => s.get(place));
    if (!row) return;
    let said;
    try {
      said = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv, additionalData: about }, await key(), row.sealed)));
    } catch { await forget(); return; }
    const values = new Map();
    for (const [name, value] of said.fields) values.set(name, [...(values.get(name) || []), value]);
    for (const input of form.elements) {
      if (!input.name || SKIPPED.has(input.name) || !values.has(input.name) && !/^(checkbox|radio)$/.test(input.type)) continue;
      const had = values.get(input.name) || [];
      if (/^(checkbox|radio)$/.test(input.type)) input.checked = had.includes(input.value);
      else if (input.type !== "file" && input.tagName !== "BUTTON") input.value = had.shift() ?? "";  // _etag, too: what has changed since is said by the server
    }
    files().forEach((input, n) => {
      const box = new DataTransfer();
      for (const f of said.files[n] || []) box.items.add(new File([bytes(f.data)], f.name, { type: f.type }));
      input.files = box.files;
    });
    waiting = Boolean(said.waiting);
    mark();
    say(waiting ? "waiting" : "found");
    if (waiting && navigator.onLine) send();
  };

  // Photos of a telephone are ten times as large as anybody needs to look at.
  const smaller = async (file) => {
    if (!/^image\/(jpeg|png)$/.test(file.type)) return file;
    try {
      const image = await createImageBitmap(file, { imageOrientation: "from-image" }), by = LONGEST / Math.max(image.width, image.height);
      if (by >= 1) return file;
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [Math.round(image.width * by), Math.round(image.height * by)];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((yes) => canvas.toBlob(yes, "image/jpeg", 0.82));
      return blob ? new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
    } catch { return file; }  // the server judges what it is
  };
  form.addEventListener("change", async (e) => {
    changed();
    if (e.target.type === "file" && e.target.name.startsWith("photos") && e.target.files.length) {
      const box = new DataTransfer(), had = [...e.target.files], made = await Promise.all(had.map(smaller));
      made.forEach((f) => box.items.add(f));
      e.target.files = box.files;
      if (made.some((f, n) => f !== had[n])) say("photos");
    }
    keep(false);
  });

  // What was seen is not what was declared: said while it is typed, as the server says it later.
  const SAME = new Set(["一致", "与申报一致", "相符", "与申报相符", "属实", "同申报", "无出入", "same", "asdeclared"]);
  const plain = (text) => text.replace(/\s+/g, "").replace(/[。.；;]+$/, "").toLowerCase();
  const mark = () => form.querySelectorAll("[name$='-seen']").forEach((input) => {
    const beside = form.elements.namedItem(input.name.replace(/seen$/, "declared")), seen = plain(input.value);
    input.closest(".row")?.classList.toggle("differs", Boolean(seen) && !SAME.has(seen) && seen !== plain(beside?.value || ""));
  });
  let timer = 0;
  form.addEventListener("input", () => { changed(); mark(); clearTimeout(timer); timer = setTimeout(() => keep(false), 400); });

  document.addEventListener("visibilitychange", () => { if (document.hidden && "unsaved" in form.dataset) keep(false); });

  const send = async () => {
    if (sending) return;
    sending = true;
    say("sending");
    const sent = new FormData(form);
    sent.set("_do", "complete");
    let answer;
    try { answer = await fetch(form.action, { method: "POST", body: sent, credentials: "same-origin" }); } catch { sending = false; await keep(true); return; }
    sending = false;
    if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in")) { say("over"); return; }
    if (answer.ok && answer.redirected) { await forget(); location.assign(answer.url); return; }
    // Refused or to be checked: nothing was changed. The page that says why is the server's; the same key makes it the same request.
    waiting = false;
    await keep(false);
    const button = form.querySelector("button.primary");
    if (button) { form.removeEventListener("submit", hold); button.click(); }
  };
  // With a network the page is sent as every other page; what is kept goes when the answer has come (app.js). Without one it waits here.
  const hold = (e) => {
    if (e.submitter && !/\b(primary|hidden-default)\b/.test(e.submitter.className)) return;
    clearTimeout(timer);
    if (navigator.onLine) { sessionStorage.setItem("yingbao-sent", place); return; }
    e.preventDefault();
    keep(true);
  };
  form.addEventListener("submit", hold);
  window.addEventListener("online", () => { if (waiting) send(); });
  key().then(restore).then(mark).catch(() => say(""));
})();
