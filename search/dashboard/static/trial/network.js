// A trial's network, large; the device switch changes what its colours say.
import { drawNetwork, largestShare, latencyOf, shortLabel } from "../drawing/network.js";
import { choiceStrip } from "../drawing/miniature.js";
import { viridisStops } from "../core/colours.js";
import { el, fill, select } from "../core/dom.js";
import { addTools, figure } from "../core/figure.js";
import { metricLabel, percent, sig, whole } from "../core/format.js";
import { hideCard, pairs, showCard } from "../core/hover.js";
import { param, setParams } from "../core/location.js";

// The latencies that are known by layer: the study's objectives first, then what the trial has itself.
export function costsOf({ network, metrics }, { objectives }) {
  const known = [...new Set((network?.layers ?? []).flatMap((layer) => Object.keys(layer.latency ?? {})))];
  const rank = (name) => (objectives.some((one) => one.metric === name) ? 0 : name in (metrics ?? {}) ? 1 : 2);
  return known.sort((a, b) => rank(a) - rank(b));
}

export const chosenCost = (trial, summary) => {
  const known = costsOf(trial, summary);
  return known.includes(param("device")) ? param("device") : known[0] ?? null;
};

const HEIGHT = 250;

export function drawNetworkFigure(main, { trial, metric, summary }) {
  const box = figure("Network", { id: "network", height: HEIGHT });
  main.append(box.box);
  const { network } = trial;
  if (!network?.layers?.length) {
    box.plot.style.setProperty("--height", "72px");
    fill(box.plot, el("div", { class: "scroll-x" }, choiceStrip(trial.decisions, 900)));
    const why = trial.why_no_network || "this space has no drawing: a candidate with ops() gives one";
    box.say(`${why[0].toUpperCase()}${why.slice(1)}. The strip shows one square a decision.`);
    return;
  }
  const known = costsOf(trial, summary);
  if (known.length > 1) addTools(box, el("label", {}, "latency on", select(known.map((name) => ({ value: name, words: metricLabel(metric(name)) })), chosenCost(trial, summary), (name) => {
    setParams({ device: name === known[0] ? "" : name });
    draw();
  }, "Device")));
  draw();
  box.save.size = () => [Number(box.plot.querySelector("svg").getAttribute("width")), HEIGHT];
  box.save.svg = () => standalone(box.plot.querySelector("svg"));
  box.save.csv = () => [["layer", "kind", "stage", "repeats", "out", "kernel", "expansion", "stride", "params", "macs", ...known], network.layers.map((layer) => [layer.label, layer.kind, layer.stage, layer.repeats ?? 1, (layer.out ?? []).join("x"), layer.kernel, layer.expansion, layer.stride, layer.params, layer.macs, ...known.map((name) => layer.latency?.[name])])];
  const sizes = new ResizeObserver(draw);
  sizes.observe(box.box);

  function draw() {
    const device = chosenCost(trial, summary);
    const total = network.latency?.[device];
    const picture = drawNetwork(network, { width: box.plot.clientWidth || 900, height: HEIGHT - 10, device, onhover: (place, event) => (place ? showCard(event.clientX, event.clientY, card(place, device, metric)) : hideCard()) });
    const holder = el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "The network's blocks" }, picture);
    fill(box.plot, holder);
    fill(box.note, networkLegend(device, metric, largestShare(network, device), total ? `; the whole network: ${sig(total)} ${metric(device).unit ?? ""}` : ""));
  }
}

// What a network's colours, up to the share `most`, and its marks say.
export function networkLegend(device, metric, most, more = "") {
  const what = device ? `share of ${metricLabel(metric(device))}${more}` : "share of multiply-accumulates: no latency is known by layer";
  return el("span", { class: "legend" }, el("span", {}, "0", scaleBar(), percent(most, 0), " ", what), el("span", {}, "height: channels · width: kernel and repeats · figure: kernel · e: expansion · ×: comes so often · arc: residual · dashed: skipped"));
}

function scaleBar() {
  const holder = el("span", { class: "scale", "aria-hidden": "true" });
  holder.append(...viridisStops().map((stop) => {
    const piece = el("i", { class: "square" });
    piece.style.setProperty("--at", stop);
    return piece;
  }));
  return holder;
}

export function card({ layer, count, times = 1, share }, device, metric) {
  const latency = latencyOf(layer, device);
  const rows = [["inside", (layer.inside ?? []).join(" > ")], ["output", (layer.out ?? []).join(" × ")], ["kernel", layer.kernel], ["expansion", layer.expansion], ["stride", layer.stride > 1 ? layer.stride : null],
    ["parameters", layer.params === undefined || layer.params === null ? null : whole(layer.params * count * times)], ["MACs", layer.macs === undefined || layer.macs === null ? null : sig(layer.macs * count * times)],
    [device ? metricLabel(metric(device)) : "latency", latency === null ? null : sig(latency * count * times, 3)], ["share", percent(share)]];
  return [el("h3", {}, `${shortLabel(layer)}${count * times > 1 ? ` ×${count * times}` : ""}`), pairs(rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== 0).map(([key, value]) => [key, String(value)]))];
}

// A drawing whose colours hold without this page's styles.
function standalone(picture) {
  const clone = picture.cloneNode(true);
  const from = [picture, ...picture.querySelectorAll("*")];
  [clone, ...clone.querySelectorAll("*")].forEach((node, index) => {
    const style = getComputedStyle(from[index]);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "font-family"]) node.setAttribute(name, style.getPropertyValue(name));
    node.removeAttribute("class");
  });
  clone.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(clone);
}
