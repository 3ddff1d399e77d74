// Two devices: what each operator or network takes on both, how alike they rank, how their times relate.
import { get } from "../core/api.js";
import { axis, chart } from "../core/chart.js";
import { deviceColour } from "../core/colours.js";
import { el, fill, select } from "../core/dom.js";
import { figure } from "../core/figure.js";
import { sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { colour } from "../core/theme.js";
import { extent, logTicks, tickText } from "../canvas/scale.js";

export function drawComparison(place, devices) {
  const names = devices.map((device) => device.name);
  if (names.length < 2) return;
  const chosen = { a: names.includes(param("a")) ? param("a") : "", b: names.includes(param("b")) ? param("b") : "" };
  const options = [{ value: "", words: "choose a device" }, ...names.map((name) => ({ value: name, words: name }))];
  const answer = el("div", { class: "columns" });
  const alter = (key) => (name) => {
    chosen[key] = name;
    setParams({ [key]: name });
    draw();
  };
  fill(place, el("div", { class: "panel row" }, el("h2", {}, "Compare two"), select(options, chosen.a, alter("a"), "First device"), el("span", { class: "soft" }, "against"), select(options, chosen.b, alter("b"), "Second device")), answer);
  draw();

  async function draw() {
    if (!chosen.a || !chosen.b) return fill(answer);
    fill(answer, ...[1, 2].map(() => el("div", { class: "skeleton compared" })));
    try {
      const found = await get(`/devices/compare?a=${encodeURIComponent(chosen.a)}&b=${encodeURIComponent(chosen.b)}`);
      return show(answer, chosen, found);
    } catch (error) {
      return fill(answer, el("p", { class: "notice bad" }, error.message));
    }
  }
}

function show(place, { a, b }, found) {
  const points = found.pairs ?? [];
  if (!points.length) return fill(place, el("p", { class: "notice" }, `${a} and ${b} have no operator in common.`));
  const box = figure(`${b} against ${a}`, { id: "devices-compare", height: 400 });
  const [least, low, middle, high, most] = found.ratio;
  const rows = [[`${found.of ?? "operators"} in common`, whole(found.common)], ["rank correlation (Spearman)", sig(found.spearman, 3)], [`time on ${b} for 1 ms on ${a} (median)`, `${sig(middle, 3)} ms`],
    ["of four in five of them", `${sig(low, 3)} to ${sig(high, 3)} ms`], ["of all", `${sig(least, 3)} to ${sig(most, 3)} ms`]];
  const far = points.filter(([x, y]) => x > 0 && y > 0).sort((one, other) => Math.abs(Math.log(other[1] / other[0] / middle)) - Math.abs(Math.log(one[1] / one[0] / middle))).slice(0, 10);
  fill(place, box.box, el("div", { class: "panel" }, el("h2", {}, "How alike"), pairs(rows), el("h3", { class: "gap" }, "What relates least as the rest"), el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Least alike" }, el("table", { class: "table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, found.of ?? "operator"), [a, b].map((name) => el("th", { scope: "col", class: "num" }, `${name} (ms)`)))), el("tbody", {}, far.map(([x, y, label]) => el("tr", {}, el("td", { class: "long" }, label), el("td", { class: "num" }, sig(x)), el("td", { class: "num" }, sig(y)))))))));
  logScatter(box, points, { x: `${a} (ms)`, y: `${b} (ms)`, ink: () => deviceColour(b), slope: middle, card: (point) => [el("h3", {}, point[2]), pairs([[`${a} (ms)`, sig(point[0])], [`${b} (ms)`, sig(point[1])]])] });
  return undefined;
}

// Points on two logarithmic axes of the same kind, with the line y = slope * x.
export function logScatter(box, points, { x, y, ink, slope = 1, card, header = ["a_ms", "b_ms", "label"] }) {
  const positive = points.filter(([a, b]) => a > 0 && b > 0);
  const range = (at) => {
    const [low, high] = extent(positive.map((point) => point[at]));
    return { min: Math.log10(low) - 0.05, max: Math.log10(high) + 0.05 };
  };
  const log = (name, at, more = {}) => axis(name, { type: "value", ...range(at), axisTick: { show: false, customValues: ticksOf(range(at)) }, axisLabel: { showMinLabel: true, showMaxLabel: true, customValues: ticksOf(range(at)), formatter: (value) => tickText(Number((10 ** value).toPrecision(4)), [10 ** value]) }, ...more });
  return chart(box, () => {
    const { min, max } = range(0);
    return {
      xAxis: log(x, 0), yAxis: log(y, 1, { nameGap: 46 }),
      series: [
        { type: "line", silent: true, symbol: "none", clip: true, data: [[min, min + Math.log10(slope)], [max, max + Math.log10(slope)]], lineStyle: { color: colour("faint"), width: 1.2, type: "dashed" } },
        { type: "scatter", symbolSize: 7, data: positive.map(([a, b, label]) => ({ value: [Math.log10(a), Math.log10(b)], from: [a, b, label] })), itemStyle: { color: ink(), opacity: 0.7 } },
      ],
    };
  }, { card: ({ data: point }) => point?.from && card(point.from), csv: () => [header, points] });
}

const ticksOf = ({ min, max }) => logTicks(10 ** min, 10 ** max, 6).map(Math.log10);
