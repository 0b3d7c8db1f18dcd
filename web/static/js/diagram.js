// The case's diagram to walk about in, drawn by bpmn-js, which is loaded when somebody asks for it. Progressive only: the server's
// SVG has the same states, stays on paper, and is where looks, states, posts and notes are read from, so the two cannot differ.
const root = document.getElementById("diagram");
const words = root.dataset;
let picture, drawn, here;
const english = document.documentElement.lang === "en";
const [toggle, told, tools, explorer, stage] = [".explore button", ".explore [role=status]", ".tools", "#explorer", ".stage"].map((s) => root.querySelector(s));
const PAN = 100; // px for an arrow key
const READABLE = 0.9; // scale at which the smallest words can be read
let viewer = null;

const outline = (g) => (g.matches("polyline") ? g : g.querySelector("rect, circle, path"));

/** The server's picture as it lies in the page now. */
function look() {
  picture = root.querySelector("svg.drawing");
  drawn = new Map([...picture.querySelectorAll("[data-id]")].map((g) => [g.dataset.id, g]));
  here = picture.querySelector("g.here"); // app.js has found it
}

// -- one drawing, two pens

/** Before bpmn-js draws: names in the reader's language, colours of the server's picture. */
function dress({ elementsById }) {
  for (const part of Object.values(elementsById ?? {})) {
    const name = part.$attrs["yb:name_en"];
    if (english && name) part.name = name;
    const shape = part.bpmnElement && drawn.has(part.bpmnElement.id) && outline(drawn.get(part.bpmnElement.id));
    if (!shape) continue;
    part.set("bioc:stroke", shape.getAttribute("stroke"));
    if (shape !== drawn.get(part.bpmnElement.id)) part.set("bioc:fill", shape.getAttribute("fill"));
  }
}

/** After it has drawn: line widths, dashes, flows taken over the others, what a state is called; then the server's words on top. */
function finish(made) {
  const registry = made.get("elementRegistry");
  for (const [id, g] of drawn) {
    if (!registry.get(id)) continue;
    const group = registry.getGraphics(id);
    const line = group.querySelector(".djs-visual > :not(defs)");
    const shape = outline(g);
    line.style.strokeWidth = Math.max(parseFloat(getComputedStyle(line).strokeWidth), Number(shape.getAttribute("stroke-width")));
    line.style.strokeDasharray = shape.getAttribute("stroke-dasharray") ?? "";
    line.style.fillOpacity = shape.getAttribute("fill-opacity") ?? "";
    if (g.classList.contains("taken")) group.parentNode.parentNode.append(group.parentNode);
    const title = g.querySelector("title");
    group.querySelector(":scope > title")?.remove();
    if (title) group.prepend(title.cloneNode(true));
  }
  const layer = made.get("canvas").getLayer("words", 1); // posts, notes, labels: bpmn-js would tear English labels to fit boxes made for Chinese
  layer.setAttribute("pointer-events", "none");
  layer.replaceChildren();
  for (const text of picture.querySelectorAll(".label, .post, .note")) {
    layer.append(text.cloneNode(true));
    const own = text.dataset.of && registry.getGraphics(`${text.dataset.of}_label`);
    own?.querySelector(".djs-visual").replaceChildren();
  }
}

async function linked(href) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  const done = new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
  document.head.append(link);
  await done;
}

async function load() {
  const answer = fetch(words.xml, { credentials: "same-origin", redirect: "error" }).then((r) => (r.ok ? r.text() : Promise.reject(new Error(r.status))));
  const [xml] = await Promise.all([answer, import(words.viewer), ...words.styles.split(" ").map(linked)]);
  const made = new globalThis.BpmnJS({
    container: stage,
    textRenderer: { defaultStyle: { fontFamily: picture.getAttribute("font-family") } },
    bpmnRenderer: { defaultLabelColor: "#0b0c0c" },
  });
  made.on("import.parse.complete", dress);
  await made.importXML(xml);
  finish(made);
  const surface = stage.querySelector(".djs-container > svg");
  surface.setAttribute("font-family", picture.getAttribute("font-family"));
  surface.setAttribute("role", "application");
  surface.setAttribute("aria-label", words.label);
  surface.setAttribute("aria-describedby", "explorer-keys");
  new ResizeObserver(() => made.get("canvas").resized()).observe(stage);
  return made;
}

// -- moving about

const canvas = () => viewer.get("canvas");
const middle = () => ({ x: stage.clientWidth / 2, y: stage.clientHeight / 2 });
const moves = {
  in: () => viewer.get("zoomScroll").stepZoom(1, middle()),
  out: () => viewer.get("zoomScroll").stepZoom(-1, middle()),
  fit() {
    canvas().zoom("fit-viewport", "auto");
    canvas().zoom(canvas().zoom() * 0.95, middle()); // words at the edge are not cut
  },
  here() {
    const element = here && viewer.get("elementRegistry").get(here.dataset.id);
    if (!element) return moves.fit();
    canvas().zoom(READABLE);
    const { width, height } = canvas().viewbox();
    return canvas().viewbox({ x: element.x + (element.width - width) / 2, y: element.y + (element.height - height) / 2, width, height });
  },
  left: () => canvas().scroll({ dx: PAN, dy: 0 }),
  right: () => canvas().scroll({ dx: -PAN, dy: 0 }),
  up: () => canvas().scroll({ dx: 0, dy: PAN }),
  down: () => canvas().scroll({ dx: 0, dy: -PAN }),
  close: () => close(),
};
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", "+": "in", "=": "in", "-": "out", 0: "fit", Home: "here", Escape: "close" };

tools.addEventListener("click", (e) => moves[e.target.closest("[data-do]")?.dataset.do]?.());
for (const part of [tools, explorer]) part.addEventListener("keydown", (e) => {
  const move = !(e.ctrlKey || e.altKey || e.metaKey) && KEYS[e.key];
  if (!move || !viewer) return;
  e.preventDefault();
  e.stopPropagation(); // the page's own arrows step through the case
  moves[move]();
});

// bpmn-js knows the mouse only: one finger moves, two fingers zoom.
const fingers = new Map();
stage.addEventListener("pointerdown", (e) => { if (e.pointerType === "touch" && !e.target.closest("a")) fingers.set(e.pointerId, e); });
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (e) => fingers.delete(e.pointerId));
window.addEventListener("pointermove", (e) => {
  const before = fingers.get(e.pointerId);
  if (!before || !viewer) return;
  const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId);
  if (other) {
    const far = (f) => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY);
    const box = stage.getBoundingClientRect();
    const at = { x: (e.clientX + other.clientX) / 2 - box.left, y: (e.clientY + other.clientY) / 2 - box.top };
    const scale = (canvas().zoom() * far(e)) / (far(before) || 1);
    canvas().zoom(Math.min(4, Math.max(0.1, scale)), at);
  } else {
    canvas().scroll({ dx: e.clientX - before.clientX, dy: e.clientY - before.clientY });
  }
  fingers.set(e.pointerId, e);
});

// -- opening and closing; the address says which, so that the next step opens as this one is

function show(open) {
  root.classList.toggle("exploring", open);
  explorer.hidden = tools.hidden = !open;
  toggle.setAttribute("aria-expanded", open);
  toggle.textContent = open ? words.close : words.open;
  const hash = open ? "#diagram" : "";
  history.replaceState(null, "", location.pathname + location.search + hash);
  for (const link of root.querySelectorAll("nav a")) link.hash = hash;
}

async function open() {
  told.textContent = words.loading;
  try {
    show(true); // bpmn-js measures words, so its place must be there
    viewer ??= await load();
    told.textContent = "";
    moves.here();
    return true;
  } catch (error) {
    stage.replaceChildren();
    show(false);
    told.textContent = words.failed;
    return false;
  }
}

function close() {
  show(false);
  toggle.focus();
}

let busy = false;
toggle.addEventListener("click", async () => {
  if (busy) return;
  if (!explorer.hidden) { close(); return; }
  busy = true;
  if (await open()) {
    root.scrollIntoView();
    stage.querySelector("svg").focus({ preventScroll: true });
  }
  busy = false;
});
// -- another step: replay.js has put another picture into the page; the opened drawing takes its colours and stays where it is

document.addEventListener("replay:step", () => {
  const before = new Map([...drawn].map(([id, g]) => [id, coloured(g)]));
  look();
  if (!explorer.hidden) for (const link of root.querySelectorAll("nav a")) link.hash = "#diagram";
  if (!viewer) return;
  const registry = viewer.get("elementRegistry"), factory = viewer.get("graphicsFactory");
  dress({ elementsById: Object.fromEntries(registry.filter((e) => e.di).map((e) => [e.di.id, e.di])) });
  for (const [id, g] of drawn) {
    const element = registry.get(id);
    if (!element || coloured(g) === before.get(id)) continue;
    const group = registry.getGraphics(id);
    group.querySelector(":scope > title")?.remove(); // it takes a group's first child for what it drew
    factory.update(element.waypoints ? "connection" : "shape", element, group);
  }
  finish(viewer);
  if (here && !explorer.hidden) bring(registry.get(here.dataset.id));
});

const coloured = (g) => { const line = outline(g); return line ? `${line.getAttribute("stroke")} ${line.getAttribute("fill")}` : ""; };

/** Move, never zoom, so that the element is within the frame. */
function bring(element) {
  if (!element) return;
  const { x, y, width, height } = canvas().viewbox();
  if (element.x > x && element.y > y && element.x + element.width < x + width && element.y + element.height < y + height) return;
  canvas().viewbox({ x: element.x + (element.width - width) / 2, y: element.y + (element.height - height) / 2, width, height });
}

look();
toggle.parentElement.hidden = false;
if (location.hash === "#diagram") open();
