// Each decision's marginal effect: the mean of a metric over the trials that made a choice, its spread and their number.
import { fitted } from "../canvas/fitted.js";
import { surface, textFont, pointOf } from "../canvas/surface.js";
import { makeScale, tickText } from "../canvas/scale.js";
import { el, select } from "../core/dom.js";
import { addTools } from "../core/figure.js";
import { metricLabel, sig, whole } from "../core/format.js";
import { hideCard, pairs, showCard } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { colour } from "../core/theme.js";

export const title = "Marginal effect of each decision";
export const section = "decisions";
export const order = 31;
export const wide = true;
export const height = 300;

const ROW = 20;
const MOST = 40;

export async function draw(figure, { data }) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  let metric = data.metrics.some((one) => one.name === param("effect")) ? param("effect") : objectives[0];
  let panels = [];
  let spots = [];
  let paper = null;
  const names = [...new Set([...objectives, ...data.metrics.map((one) => one.name)])];
  addTools(figure, select(names.map((name) => ({ value: name, words: metricLabel(data.metric(name)) })), metric, (name) => {
    metric = name;
    setParams({ effect: name === objectives[0] ? "" : name });
    ask();
  }, "Metric"));
  figure.save.csv = () => [["decision", "choice", "mean", "deviation", "count"], panels.flatMap((one) => one.labels.map((label, at) => [one.name, label, one.mean[at], one.deviation[at], one.count[at]]))];
  await ask();

  async function ask() {
    try {
      const found = await data.answer(`/effects?metric=${encodeURIComponent(metric)}`);
      panels = (Array.isArray(found) ? found : found.decisions).filter((one) => one.labels.length > 1);
    } catch (error) {
      figure.failed(error);
      paper = null;
      return;
    }
    if (!panels.some((one) => one.count.some((count) => count > 0))) {
      figure.empty("No completed trial yet.");
      paper = null;
      return;
    }
    resize();
    paper ??= surface(figure, paint, { label: "Marginal effect of each decision: mean and deviation of the metric by choice" });
    paper.redraw();
    figure.say(`Dot: mean of ${metricLabel(data.metric(metric))} over the completed trials with that choice; line: one standard deviation; darker: more trials.`,
      panels.length > MOST ? ` The first ${MOST} of ${panels.length} decisions.` : "");
    paper.canvas.onpointermove = (event) => {
      const [x, y] = pointOf(paper.canvas, event);
      const spot = spots.find((one) => Math.abs(one.y - y) < ROW / 2 && x > one.left && x < one.right);
      if (!spot) return hideCard();
      return showCard(event.clientX, event.clientY, el("h3", {}, `${spot.name}: ${spot.label}`), pairs([["mean", sig(spot.mean)], ["deviation", sig(spot.deviation, 3)], ["trials", whole(spot.count)]]));
    };
    paper.canvas.onpointerleave = hideCard;
  }

  function columnsOf(width) { return Math.max(1, Math.min(4, Math.floor(width / 280))); }
  function resize() {
    const across = columnsOf(figure.plot.clientWidth || 900);
    figure.plot.style.setProperty("--height", `${rowsOf(panels.slice(0, MOST), across).reduce((sum, row) => sum + row.tall, 0) + 8}px`);
  }

  function paint(pen, width) {
    const across = columnsOf(width);
    const shown = panels.slice(0, MOST);
    const ends = shown.flatMap((one) => one.mean.flatMap((mean, at) => (one.count[at] ? [mean - one.deviation[at], mean + one.deviation[at]] : []))).filter(Number.isFinite);
    const range = [Math.min(...ends), Math.max(...ends)];
    const most = Math.max(...shown.flatMap((one) => one.count));
    spots = [];
    let top = 0;
    for (const row of rowsOf(shown, across)) {
      row.panels.forEach((panel, at) => paintPanel(pen, panel, { left: (at * width) / across, width: width / across - 18, top }, range, most));
      top += row.tall;
    }
  }

  function paintPanel(pen, panel, box, range, most) {
    pen.font = textFont(11.5);
    const label = Math.min(150, box.width * 0.42, Math.max(...panel.labels.map((name) => pen.measureText(String(name)).width)) + 2);
    const scale = makeScale(range, [box.left + label + 8, box.left + box.width], { margin: 0.03 });
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.fillStyle = colour("ink");
    pen.font = textFont(12, 600);
    pen.fillText(panel.name, box.left, box.top + 10);
    const bottom = box.top + 22 + ROW * panel.labels.length;
    const ticks = [3, 5, 8].map((count) => scale.ticks(count)).find((found) => found.length > 1) ?? [];
    pen.font = textFont(10.5);
    pen.textAlign = "center";
    for (const tick of ticks) {
      pen.strokeStyle = colour("grid");
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(Math.round(scale.at(tick)) + 0.5, box.top + 22);
      pen.lineTo(Math.round(scale.at(tick)) + 0.5, bottom);
      pen.stroke();
      pen.fillStyle = colour("soft");
      pen.fillText(tickText(tick, ticks), scale.at(tick), bottom + 9);
    }
    panel.labels.forEach((name, at) => {
      const y = box.top + 22 + ROW * (at + 0.5);
      pen.textAlign = "right";
      pen.fillStyle = colour("soft");
      pen.font = textFont(11.5);
      pen.fillText(fitted(pen, String(name), label), box.left + label, y);
      if (!panel.count[at] || !Number.isFinite(panel.mean[at])) return;
      pen.globalAlpha = 0.35 + 0.65 * Math.sqrt(panel.count[at] / most);
      pen.strokeStyle = colour("front");
      pen.fillStyle = colour("front");
      pen.lineWidth = 2;
      pen.beginPath();
      pen.moveTo(scale.at(panel.mean[at] - panel.deviation[at]), y);
      pen.lineTo(scale.at(panel.mean[at] + panel.deviation[at]), y);
      pen.stroke();
      pen.beginPath();
      pen.arc(scale.at(panel.mean[at]), y, 4.5, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
      spots.push({ name: panel.name, label: name, mean: panel.mean[at], deviation: panel.deviation[at], count: panel.count[at], y, left: box.left, right: box.left + box.width });
    });
  }
}

function rowsOf(panels, across) {
  const rows = [];
  for (let at = 0; at < panels.length; at += across) {
    const part = panels.slice(at, at + across);
    rows.push({ panels: part, tall: 22 + ROW * Math.max(...part.map((one) => one.labels.length)) + 34 });
  }
  return rows;
}
