// The devices whose latencies are known; two of them against each other.
import { devicePage } from "../core/api.js";
import { command, empty } from "../core/command.js";
import { deviceDot } from "../core/colours.js";
import { byId, debounce, el, fill } from "../core/dom.js";
import { devicesKnown, start } from "../core/frame.js";
import { percent, sig, whole } from "../core/format.js";
import { param, setParams } from "../core/location.js";
import { value } from "../study/words.js";
import { drawComparison } from "../device/comparison.js";

start(async () => {
  const devices = await devicesKnown;
  const place = byId("page");
  if (!devices.length) {
    fill(place, empty("No device's latencies are known here yet. This measures this machine:", command("profile nasbench201")));
    return;
  }
  const list = el("div", { class: "panel scroll-x", tabindex: "0", role: "region", "aria-label": "Devices" });
  const search = el("input", { type: "search", placeholder: "Search by name or engine", "aria-label": "Search devices", "data-search": "", value: param("q"), oninput: debounce(() => {
    setParams({ q: search.value });
    draw();
  }, 80) });
  const found = el("span", { class: "soft small", role: "status" });
  const comparison = el("div", {});
  fill(place, comparison, el("div", { class: "filter", role: "search" }, search, found), list);
  draw();
  drawComparison(comparison, devices);

  function draw() {
    const words = param("q").toLowerCase().split(/\s+/).filter(Boolean);
    const shown = devices.filter((device) => words.every((word) => `${device.name} ${device.engine} ${device.source}`.toLowerCase().includes(word)));
    found.textContent = `${shown.length < devices.length ? `${whole(shown.length)} of ` : ""}${whole(devices.length)} ${devices.length === 1 ? "device" : "devices"}`;
    fill(list, el("table", { class: "table" }, el("thead", {}, el("tr", {}, ["Device", "Source", "Engine"].map(head), ["Batch", "Threads", "Entries", "Error (%)", "Kendall τ"].map((words) => head(words, true)), head("Made"))), el("tbody", {}, shown.map(row))));
  }
});

const head = (words, number = false) => el("th", { scope: "col", class: number === true ? "num" : null }, words);

function row(device) {
  const figures = device.validation;
  return el("tr", { "data-device": device.name },
    el("td", { class: "name" }, deviceDot(device.name), " ", el("a", { href: devicePage(device.name) }, device.name), device.warning && el("div", { class: "small warn-words" }, `marked: ${device.warning}`)),
    el("td", {}, device.source ?? "–"), el("td", {}, device.engine || "–"),
    el("td", { class: "num" }, device.batch ?? "–"), el("td", { class: "num" }, device.threads ?? "–"), el("td", { class: "num" }, device.entries === null || device.entries === undefined ? "–" : whole(device.entries)),
    el("td", { class: "num" }, errorOf(figures)), el("td", { class: "num" }, figures?.kendall_tau === undefined || figures?.kendall_tau === null ? "–" : value(figures.kendall_tau, 3)),
    el("td", { class: "soft" }, device.date ? String(device.date).slice(0, 10) : "–"));
}

// How far a typical network is off: the median where it is known, which networks of no cost do not move.
function errorOf(figures) {
  const said = [["median", figures?.median_error], ["mean", figures?.mape]].filter(([, error]) => error !== undefined && error !== null);
  return said.length ? el("span", { title: said.map(([name, error]) => `${name} ${percent(error, 3)}`).join("; ") }, sig(100 * said[0][1], 3)) : "–";
}
