// Steps of a case without loading the page anew: the parts that a step changes are fetched and exchanged, so that the opened
// diagram keeps its zoom. Progressive only: every link is a page of its own.
const root = document.getElementById("replay");
const player = root.querySelector(".player");
const button = player.querySelector("[data-play]");
const said = document.getElementById("rp-said");
const names = { play: button.textContent, stop: button.dataset.stop };
const PAUSE = 1500; // ms between two steps of a playback
const KEPT = 200; // steps remembered on this page
const known = new Map();
let turn = 0, playing = 0;

async function part(step) {
  if (!known.has(step)) {
    const asked = fetch(`${root.dataset.page}?step=${step}&part=1`, { credentials: "same-origin", redirect: "error" })
      .then((r) => (r.ok ? r.text() : Promise.reject(new Error(r.status))));
    known.set(step, asked);
    asked.catch(() => known.delete(step));
    if (known.size > KEPT) known.delete(known.keys().next().value);
  }
  return new DOMParser().parseFromString(await known.get(step), "text/html");
}

/** Put what step n shows into the page; false when another step was asked for meanwhile. */
async function show(step) {
  const mine = ++turn;
  const fresh = await part(step);
  if (mine !== turn) return false;
  const focused = document.activeElement;
  const rel = focused?.rel;
  for (const old of root.querySelectorAll("[data-part]")) old.replaceWith(document.adoptNode(fresh.getElementById(old.id)));
  mark(step);
  root.querySelector(".canvas").replaceChildren(...fresh.querySelector(".canvas").childNodes);
  document.dispatchEvent(new Event("replay:drawn"));
  document.dispatchEvent(new Event("replay:step"));
  if (!document.contains(focused)) ((rel && root.querySelector(`#rp-nav a[rel="${rel}"]`)) || root.querySelector("#rp-nav a")).focus({ preventScroll: true });
  const nav = document.getElementById("rp-nav");
  said.textContent = nav.dataset.title;
  const next = nav.querySelector("a[rel=next]");
  if (next) part(next.dataset.step).catch(() => {});
  return true;
}

/** The lists stay; which of their lines is this step moves. */
function mark(step) {
  for (const line of root.querySelectorAll("[data-at]")) {
    const on = line.dataset.at === String(step);
    line.classList.toggle("on", on);
    const link = line.closest(".steps") && line.querySelector("a");
    if (link && on) link.setAttribute("aria-current", "step");
    else link?.removeAttribute("aria-current");
  }
  const json = document.getElementById("rp-json");
  json.href = json.href.replace(/step=\d+/, `step=${step}`);
  reveal(root.querySelector(".steps"));
}

/** Keep the step that is shown within the list of steps, without moving the page. */
function reveal(list) {
  const on = list.querySelector(".on");
  if (!on || list.scrollHeight <= list.clientHeight) return;
  const box = on.getBoundingClientRect(), frame = list.getBoundingClientRect();
  if (box.top < frame.top || box.bottom > frame.bottom) list.scrollTop += box.top - frame.top - frame.height / 2;
}

function go(link) {
  show(link.dataset.step).then((done) => {
    if (done) history.pushState({ step: link.dataset.step }, "", `${root.dataset.page}?step=${link.dataset.step}${location.hash === "#diagram" ? "#diagram" : ""}`);
  }, () => location.assign(link.href)); // signed out, offline: the plain link says so
}

root.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-step]");
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  go(link);
});
addEventListener("popstate", () => {
  const step = new URLSearchParams(location.search).get("step") || root.querySelector("a[rel=last]").dataset.step;
  show(step).catch(() => location.reload());
});

function stop() {
  clearTimeout(playing);
  playing = 0;
  button.setAttribute("aria-pressed", "false");
  button.textContent = names.play;
}

function play() {
  const next = root.querySelector("#rp-nav a[rel=next]");
  if (!next) return stop();
  go(next);
  playing = setTimeout(play, PAUSE);
}

button.addEventListener("click", () => {
  if (playing) return stop();
  button.setAttribute("aria-pressed", "true");
  button.textContent = names.stop;
  const nav = document.getElementById("rp-nav");
  if (!nav.querySelector("a[rel=next]")) go(nav.querySelector("a[rel=first]")); // at the end it begins anew
  playing = setTimeout(play, PAUSE);
});
player.hidden = false;
button.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches; // the steps are there all the same, one by one
reveal(root.querySelector(".steps"));
