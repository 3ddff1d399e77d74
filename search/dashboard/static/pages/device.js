// A device: how far its table is off, what each operator takes, where the figures come from.
import { get, page } from "../core/api.js";
import { axis, chart } from "../core/chart.js";
import { deviceColour } from "../core/colours.js";
import { byId, debounce, el, fill } from "../core/dom.js";
import { figure } from "../core/figure.js";
import { start } from "../core/frame.js";
import { exact, exactTime, percent, sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { logScatter } from "../device/comparison.js";
import { tickText } from "../canvas/scale.js";

const { device: name } = document.documentElement.dataset;

start(async () => {
  const device = await get(`/devices/${encodeURIComponent(name)}`);
  const place = byId("page");
  fill(place, device.warning && el("p", { class: "notice warn" }, `This table is marked: ${device.warning}`), cards(device));
  const columns = el("div", { class: "columns" });
  place.append(columns);
  scatter(columns, device);
  bars(columns, device);
  const foot = el("div", { class: "columns" });
  place.append(foot);
  table(foot, device);
  provenance(foot, device);
});

function cards({ validation: figures, entries, ...device }) {
  const count = typeof entries === "number" ? entries : entries?.length;
  const one = (title, big, foot) => el("div", { class: "card" }, el("h3", {}, title), el("div", { class: "big" }, big), el("div", { class: "foot-line" }, foot));
  const known = (value) => value !== null && value !== undefined;
  const errors = [["Median", figures?.median_error], ["Mean", figures?.mape]].filter(([, error]) => known(error));
  return el("div", { class: "cards" },
    errors.length ? one(`${errors[0][0]} error on networks it was not made from`, `${sig(100 * errors[0][1], 3)} %`, [errors[1] && `mean ${percent(errors[1][1])}`, known(figures.within_5) && `${percent(figures.within_5, 0)} within 5 %`, known(figures.within_10) && `${percent(figures.within_10, 0)} within 10 %`].filter(Boolean).join(" · ")) : one("Error", "–", "Not validated here: the source gives no measured networks, or none were asked for."),
    figures && known(figures.kendall_tau) && one("Ranking (Kendall τ)", sig(figures.kendall_tau, 3), "1: predicted and measured networks rank alike"),
    one(kindOf(device), known(count) ? whole(count) : "–", [device.source, device.engine === "unknown" ? "" : device.engine, known(device.batch) && `batch ${device.batch}`, known(device.threads) && `${device.threads} thread${device.threads === 1 ? "" : "s"}`].filter(Boolean).join(" · ")));
}

// What the entries are of: operators, choices, or whole networks.
const kindOf = (device) => ({ choices: "Choices", networks: "Networks" })[device.entries_of] ?? "Operators";

const scatterOf = (device) => device.scatter ?? [];

function scatter(place, device) {
  const points = scatterOf(device);
  const box = figure("Predicted against measured", { id: "validation", height: 360 });
  place.append(box.box);
  if (!points.length) {
    box.plot.style.setProperty("--height", "120px");
    box.empty("No network was measured against this table here.");
    return;
  }
  logScatter(box, points.map(([predicted, measured, study, trial]) => [measured, predicted, study ? `${study}, trial ${trial}` : ""]), {
    x: "measured (ms)", y: "predicted (ms)", ink: () => deviceColour(name), header: ["measured_ms", "predicted_ms", "network"],
    card: ([measured, predicted, label]) => [el("h3", {}, label || "A network"), pairs([["measured (ms)", sig(measured)], ["predicted (ms)", sig(predicted)], ["error", `${sig((100 * (predicted - measured)) / measured, 2)} %`]])],
  });
  box.say(`${whole(points.length)} ${points.length === 1 ? "network" : "networks"}; on the dashed line the prediction is exact.`);
}

const entriesOf = (device) => (Array.isArray(device.entries) ? device.entries : device.operators ?? []);

function bars(place, device) {
  const entries = entriesOf(device).filter((one) => one.ms > 0).sort((a, b) => b.ms - a.ms).slice(0, 16).reverse();
  const box = figure(`The slowest ${kindOf(device).toLowerCase()}`, { id: "slowest", height: Math.max(160, 56 + 22 * entries.length) });
  place.append(box.box);
  if (!entries.length) {
    box.plot.style.setProperty("--height", "120px");
    box.empty("This device has no operators: its latencies are of whole networks.");
    return;
  }
  chart(box, () => ({
    xAxis: axis("ms", { type: "value", min: 0, scale: false, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
    yAxis: axis("", { type: "category", data: entries.map((one) => one.operator), axisLabel: { width: 190, overflow: "truncate" } }),
    series: [{ type: "bar", barMaxWidth: 14, data: entries.map((one) => ({ value: one.ms, name: one.operator })), itemStyle: { color: deviceColour(name), borderRadius: [0, 3, 3, 0] } }],
  }), { card: ({ data: bar }) => bar && [el("h3", {}, bar.name), pairs([["ms", sig(bar.value)]])], csv: () => [["operator", "ms"], entriesOf(device).map((one) => [one.operator, one.ms])] });
}

const MOST = 200;

function table(place, device) {
  const entries = entriesOf(device);
  if (!entries.length) return;
  const body = el("tbody", {});
  const status = el("span", { class: "soft small", role: "status" });
  const search = el("input", { type: "search", placeholder: "Search", "aria-label": `Search ${kindOf(device).toLowerCase()}`, "data-search": "", value: param("q"), oninput: debounce(() => {
    setParams({ q: search.value });
    draw();
  }, 80) });
  place.append(el("div", { class: "panel" }, el("div", { class: "row" }, el("h2", {}, kindOf(device)), status), el("div", { class: "filter" }, search), el("div", { class: "scroll-x tall", tabindex: "0", role: "region", "aria-label": "Operators" }, el("table", { class: "table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, kindOf(device).toLowerCase().slice(0, -1)), el("th", { scope: "col", class: "num" }, "ms"))), body))));
  draw();
  function draw() {
    const words = param("q").toLowerCase().split(/\s+/).filter(Boolean);
    const shown = entries.filter((one) => words.every((word) => one.operator.toLowerCase().includes(word)));
    status.textContent = shown.length > MOST ? `the first ${MOST} of ${whole(shown.length)}` : whole(shown.length);
    fill(body, shown.slice(0, MOST).map((one) => el("tr", {}, el("td", { class: "long mono" }, one.operator), el("td", { class: "num", title: exact(one.ms) }, sig(one.ms)))));
  }
}

function provenance(place, device) {
  const rows = Object.entries(device.provenance ?? {}).filter(([, value]) => value !== null && value !== "");
  const plain = (key, value) => {
    if (typeof value === "number") return el("span", { title: exact(value) }, sig(value));
    if (key === "created_at") return el("span", { title: String(value) }, exactTime(value));
    if (typeof value !== "object") return String(value);
    return Array.isArray(value) ? value.join(", ") : Object.entries(value).map(([key, inside]) => `${key} ${inside}`).join(", ");
  };
  place.append(el("div", { class: "panel" }, el("h2", {}, "Where the figures come from"), rows.length ? el("dl", { class: "pair" }, rows.map(([key, value]) => [el("dt", {}, key.replaceAll("_", " ")), el("dd", { class: "wrap" }, plain(key, value))])) : el("p", { class: "soft" }, "Nothing is recorded."),
    el("p", {}, el("a", { href: page(`/devices?a=${encodeURIComponent(name)}`) }, "Compare it with another device"))));
}
