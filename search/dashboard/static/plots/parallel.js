// Parallel coordinates over metrics and decisions; drag on an axis to brush it, click it to clear.
import { fitted } from "../canvas/fitted.js";
import { Gradual } from "../canvas/gradual.js";
import { pointOf, surface, textFont } from "../canvas/surface.js";
import { extent, makeScale, mostOf, spansDecade, tickText } from "../canvas/scale.js";
import { viridis } from "../core/colours.js";
import { el, select } from "../core/dom.js";
import { addTools } from "../core/figure.js";
import { metricLabel, whole } from "../core/format.js";
import { param, setParams } from "../core/location.js";
import { widened } from "../core/selection.js";
import { STATES } from "../core/study_data.js";
import { colour } from "../core/theme.js";

export const title = "Parallel coordinates";
export const section = "parallel";
export const order = 20;
export const height = 380;

const COMPLETED = STATES.indexOf("COMPLETED");
const MOST = 4000;
const TOP = 54;
const FOOT = 18;

export async function draw(figure, { data, selection }) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  const decisions = data.decisions.filter((one) => one.kind !== "choice" || one.labels.length > 1);
  let tint = objectives.includes(param("tint")) ? param("tint") : objectives[0];
  const wide = () => Math.max(3, Math.floor(figure.plot.clientWidth / 76));
  const shown = () => [...decisions.slice(0, Math.max(1, wide() - objectives.length)).map((one) => `d:${one.name}`), ...objectives];
  await data.need([...decisions.slice(0, 24).map((one) => `d:${one.name}`), ...objectives]);
  let axes = [];
  let drag = null;
  let rows = sample(data);
  let version = 0;
  let drawn = {};

  const paper = surface(figure, (pen, width, height) => {
    if (pen instanceof CanvasRenderingContext2D) bring(pen, width, height);
    else {
      axes = lay(data, shown(), width, height);
      for (const layer of layers(axes, rows, data, selection, tint)) layer.rows.forEach((row) => layer.draw(pen, row));
    }
    pen.globalAlpha = 1;
    frames(pen, axes, selection, height);
    const hidden = decisions.length + objectives.length - axes.length;
    figure.say(rows.length < data.rows ? `${whole(rows.length)} of ${whole(data.rows)} trials are drawn: completed ones, the front always. ` : "",
      hidden > 0 ? `${hidden} decisions do not fit this width. ` : "", "Drag along an axis to brush it, click it to clear.");
  }, { label: `Parallel coordinates of ${decisions.length} decisions and ${objectives.join(", ")}. The filter of the table selects the same by keyboard.` });

  // Lays down two pictures: the lines of all trials, which change with data and size alone, and of those brushed.
  function bring(pen, width, height) {
    const ground = [width, height, devicePixelRatio, colour("dominated"), version].join();
    const wanted = [ground, tint, ...[...selection.ranges].flat(2)].join();
    if (drawn.ground !== ground) {
      axes = lay(data, shown(), width, height);
      drawn = { ground, all: null, strong: new Gradual(width, height) };
    }
    if (drawn.wanted !== wanted) {
      const [faint, strong] = layers(axes, rows, data, selection, tint);
      drawn.wanted = wanted;
      drawn.strong.begin(strong.rows, strong.draw);
      if (selection.mask && !drawn.all) (drawn.all = new Gradual(width, height)).begin(rows, faint.draw);
    } else for (const picture of [drawn.all, drawn.strong]) if (picture && !picture.done) picture.step();
    if (selection.mask) drawn.all?.onto(pen);
    drawn.strong.onto(pen);
    if (!drawn.strong.done || (drawn.all && !drawn.all.done)) paper.redraw();
  }
  addTools(figure, el("label", {}, "colour", select(objectives.map((name) => ({ value: name, words: metricLabel(data.metric(name)) })), tint, (name) => {
    tint = name;
    setParams({ tint: name === objectives[0] ? "" : name });
    paper.redraw();
  }, "Metric that colours the lines")));
  selection.onchange(() => paper.redraw());
  data.onchange(() => {
    rows = sample(data);
    version += 1;
    paper.redraw();
  });

  const axisAt = (x) => axes.find((axis) => Math.abs(axis.x - x) < 18);
  paper.canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = pointOf(paper.canvas, event);
    const axis = axisAt(x);
    if (!axis) return;
    drag = { axis, from: y, moved: false };
    paper.canvas.setPointerCapture(event.pointerId);
  });
  paper.canvas.addEventListener("pointermove", (event) => {
    const [x, y] = pointOf(paper.canvas, event);
    paper.canvas.style.cursor = axisAt(x) ? "ns-resize" : "default";
    if (!drag || Math.abs(y - drag.from) < 4) return;
    drag.moved = true;
    const ends = [drag.axis.scale.from(y), drag.axis.scale.from(drag.from)].sort((a, b) => a - b);
    selection.set({ [drag.axis.name]: widened(ends) });
  });
  paper.canvas.addEventListener("pointerup", () => {
    if (drag && !drag.moved) selection.set({ [drag.axis.name]: null });
    drag = null;
  });
}

// Completed trials: all of them, or a fixed sample that keeps the front.
function sample(data) {
  const states = data.column("state");
  const rows = [];
  for (let row = 0; row < data.rows; row += 1) if (states[row] === COMPLETED) rows.push(row);
  if (rows.length <= MOST) return rows;
  const step = rows.length / MOST;
  return [...new Set([...Array.from({ length: MOST }, (_, index) => rows[Math.floor(index * step)]), ...(data.summary.front ?? [])])];
}

function lay(data, names, width, height) {
  const gap = (width - 96) / Math.max(1, names.length - 1);
  const states = data.column("state");
  return names.map((name, index) => {
    const decision = name.startsWith("d:") ? data.decisions.find((one) => `d:${one.name}` === name) : null;
    const values = data.column(name);
    const labels = decision?.kind === "choice" ? decision.labels : null;
    const range = labels ? [0, Math.max(1, labels.length - 1)] : extent(values, (row) => states[row] === COMPLETED);
    const log = !decision && data.direction(name) === "minimize" && spansDecade(range);
    return { name, x: 44 + index * gap, gap, values, labels, scale: makeScale(range, [height - FOOT, TOP], { log }), title: decision ? decision.name : metricLabel(data.metric(name)) };
  });
}

// What is drawn, from below: the trials that are not brushed, then the others, the best above.
function layers(axes, rows, data, selection, tint) {
  const values = data.column(tint);
  const states = data.column("state");
  const [low, high] = mostOf(values, (row) => states[row] === COMPLETED, [], data.direction(tint));
  const worst = data.direction(tint) === "maximize" ? low : high;
  const share = (row) => Math.min(1, Math.max(0, Math.abs(Math.min(high, Math.max(low, values[row])) - worst) / (high - low || 1)));
  const strong = rows.filter((row) => selection.has(row)).sort((a, b) => share(a) - share(b));
  const grey = colour("dominated");
  const opacity = Math.min(0.75, Math.max(0.1, 60 / Math.max(1, strong.length)));
  return [
    { rows: selection.mask === null ? [] : rows.filter((row) => !selection.has(row)), draw: (pen, row) => line(pen, axes, row, grey, 0.09) },
    { rows: strong, draw: (pen, row) => line(pen, axes, row, viridis(share(row)), opacity) },
  ];
}

function line(pen, axes, row, ink, opacity) {
  pen.lineWidth = 1;
  pen.strokeStyle = ink;
  pen.globalAlpha = opacity;
  pen.beginPath();
  let started = false;
  for (const axis of axes) {
    const value = axis.values[row];
    const missing = !Number.isFinite(value) || (axis.labels && (value < 0 || value >= axis.labels.length));
    if (missing) {
      started = false;
      continue;
    }
    const y = axis.scale.at(axis.labels ? value + spread(row) : value);
    if (started) pen.lineTo(axis.x, y);
    else pen.moveTo(axis.x, y);
    started = true;
  }
  pen.stroke();
}

// Equal choices lie a little apart, so that their number shows; the same row always by the same.
const spread = (row) => (((row * 2654435761) % 997) / 997 - 0.5) * 0.22;

function frames(pen, axes, selection, height) {
  axes.forEach((axis, index) => {
    pen.strokeStyle = colour("faint");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(axis.x, TOP - 6);
    pen.lineTo(axis.x, height - FOOT + 6);
    pen.stroke();
    const range = selection.ranges.get(axis.name);
    if (range) interval(pen, axis, range);
    pen.fillStyle = colour("ink");
    pen.font = textFont(12, 600);
    pen.textBaseline = "middle";
    heading(pen, axis, index, axes.length);
    if (index % 2 === 0) tick(pen, axis.x);
    pen.font = textFont(11);
    const ticks = axis.labels ? axis.labels.map((_, at) => at) : axis.scale.ticks(5);
    const every = Math.ceil(ticks.length / 14);
    for (const at of ticks) if (at % every === 0 || !axis.labels) words(pen, axis, at, axis.labels ? String(axis.labels[at]) : tickText(at, ticks));
  });
}

function heading(pen, axis, index, count) {
  const end = index === 0 || index === count - 1; // there is less room to one side
  const text = fitted(pen, axis.title, axis.gap * (end ? 1.5 : 1.9) - 8);
  const half = pen.measureText(text).width / 2;
  pen.textAlign = index === 0 && half > 40 ? "left" : index === count - 1 && half > 48 ? "right" : "center";
  const x = pen.textAlign === "left" ? axis.x - 40 : pen.textAlign === "right" ? axis.x + 48 : axis.x;
  pen.fillText(text, x, index % 2 ? 28 : 12);
}

function tick(pen, x) {
  pen.strokeStyle = colour("line");
  pen.beginPath();
  pen.moveTo(x, 22);
  pen.lineTo(x, TOP - 8);
  pen.stroke();
}

function words(pen, axis, at, text) {
  const y = axis.scale.at(at);
  const short = fitted(pen, text, axis.gap - 10);
  pen.textAlign = "left";
  pen.globalAlpha = 0.82;
  pen.fillStyle = colour("panel");
  pen.fillRect(axis.x + 3, y - 7, pen.measureText(short).width + 4, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = colour("soft");
  pen.fillText(short, axis.x + 5, y);
}

function interval(pen, axis, [low, high]) {
  const y = axis.scale.at(Math.min(high, axis.scale.high));
  const tall = axis.scale.at(Math.max(low, axis.scale.low)) - y;
  pen.fillStyle = colour("accent");
  pen.globalAlpha = 0.28;
  pen.fillRect(axis.x - 7, y, 14, tall);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour("accent");
  pen.strokeRect(axis.x - 7, y, 14, tall);
}
