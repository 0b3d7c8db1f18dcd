// Charts beside the dashboard's tables. Progressive only: each chart is drawn from the table that it stands beside, so the two cannot differ;
// ECharts is fetched when the first chart comes into view. On paper and without script the tables alone are there.
const root = document.getElementById("dashboard");
const INK = "#0b0c0c";
const COLOURS = ["#1d5a96", "#8a4b00", "#00703c"]; // of app.css: blue, amber, green
let library;

function load() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = root.dataset.library;
    script.addEventListener("load", () => done(globalThis.echarts));
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  return library;
}

/** What a table says: names of its rows, and a series for each column marked with data-series. Rows without a name are not drawn. */
function read(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows].filter((row) => row.cells[0].dataset.name);
  const series = heads.map((head, n) => ({ head, n })).filter(({ head }) => "series" in head.dataset);
  return {
    names: rows.map((row) => row.cells[0].dataset.name),
    most: Number(series[0]?.head.dataset.max) || undefined,
    series: series.map(({ head, n }) => ({ name: head.dataset.series || head.textContent.trim(), data: rows.map((row) => (row.cells[n].dataset.v === "" ? null : Number(row.cells[n].dataset.v))) })),
  };
}

function options(kind, { names, most, series }) {
  const across = kind === "across";
  const axis = { type: "category", data: names, inverse: across, axisLabel: { color: INK, interval: across ? 0 : "auto", width: across ? 130 : 90, overflow: "truncate", rotate: kind === "bar" && names.length > 6 ? 40 : 0 } };
  const value = { type: "value", max: most, minInterval: across ? undefined : 1, axisLabel: { color: INK } };
  return {
    animation: false, color: COLOURS, aria: { enabled: true, label: { enabled: false }, decal: { show: true } }, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 24, top: 36, bottom: 8, containLabel: true }, xAxis: across ? value : axis, yAxis: across ? axis : value,
    series: series.map((one, n) => ({ ...one, type: kind === "line" ? "line" : "bar", symbol: ["circle", "rect", "triangle"][n], symbolSize: 8, lineStyle: { width: 2, type: ["solid", "dashed", "dotted"][n] },
      barMaxWidth: 22, label: { show: kind !== "line", position: across ? "right" : "top", color: INK } })),
  };
}

/** The names of the series, above the chart in HTML: read aloud and found by a search like other text. */
function legend(place, series) {
  if (series.length < 2) return;
  const list = document.createElement("ul");
  list.className = "legend";
  series.forEach(({ name }, n) => {
    const one = document.createElement("li");
    one.className = `s${n}`;
    one.textContent = name;
    list.append(one);
  });
  place.append(list);
}

async function draw(place) {
  const found = read(document.getElementById(place.dataset.of));
  if (!found.names.length) return;
  try {
    const echarts = await load();
    legend(place, found.series);
    const stage = document.createElement("div");
    stage.className = "stage-chart";
    stage.setAttribute("role", "img");
    stage.setAttribute("aria-label", place.dataset.label);
    if (place.dataset.chart === "across") stage.style.height = `${Math.max(160, 60 + 30 * found.names.length)}px`;
    place.append(stage);
    place.classList.add("drawn");
    const chart = echarts.init(stage);
    chart.setOption(options(place.dataset.chart, found));
    new ResizeObserver(() => chart.resize()).observe(stage);
  } catch {
    place.textContent = root.dataset.failed;
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "200px" });
for (const place of root.querySelectorAll("[data-chart]")) seen.observe(place);
