// The Pareto front in two metrics: a step line through what nothing beats, all other trials behind it.
import { drawAxes, MARGIN, plane } from "../canvas/axes.js";
import { Cloud } from "../canvas/cloud.js";
import { Nearest } from "../canvas/nearest.js";
import { makeScale, mostOf } from "../canvas/scale.js";
import { textFont } from "../canvas/surface.js";
import { metricLabel } from "../core/format.js";
import { STATES } from "../core/study_data.js";
import { colour } from "../core/theme.js";
import { boundWords } from "./pareto.js";

const LARGE = 20000;
const HOLLOW = new Set(["INFEASIBLE", "STOPPED", "FAILED"].map((state) => STATES.indexOf(state)));
const GOING = new Set(["RUNNING", "PENDING"].map((state) => STATES.indexOf(state)));

export class FrontPlane {
  constructor(data, selection) {
    this.data = data;
    this.selection = selection;
  }

  // Where everything lies, for a size; `view` = {x, y, logX, logY, front, bounds}.
  lay(width, height, view) {
    if (this.laid?.view === view && this.laid.width === width && this.laid.height === height) return this.laid;
    const { data } = this;
    const [xs, ys] = [data.column(view.x), data.column(view.y)];
    const states = data.column("state");
    const box = plane(width, height, width < 480 ? { ...MARGIN, left: 58, right: 10 } : MARGIN);
    const usable = (row) => Number.isFinite(xs[row]) && Number.isFinite(ys[row]) && (!view.logX || xs[row] > 0) && (!view.logY || ys[row] > 0) && !GOING.has(states[row]);
    const xRange = withBounds(mostOf(xs, usable, view.front, data.direction(view.x)), view.bounds, view.x, view.logX);
    const yRange = withBounds(mostOf(ys, usable, view.front, data.direction(view.y)), view.bounds, view.y, view.logY);
    const x = makeScale(xRange, [box.left, box.left + box.width], { log: view.logX });
    const y = makeScale(yRange, [box.top + box.height, box.top], { log: view.logY });
    const [px, py] = [new Float32Array(data.rows), new Float32Array(data.rows)];
    const rows = [];
    const going = [];
    let outside = 0;
    for (let row = 0; row < data.rows; row += 1) {
      if (GOING.has(states[row])) going.push(row);
      if (!usable(row)) continue;
      px[row] = x.at(xs[row]);
      py[row] = y.at(ys[row]);
      if (px[row] < box.left - 1 || px[row] > box.left + box.width + 1 || py[row] < box.top - 1 || py[row] > box.top + box.height + 1) outside += 1;
      else rows.push(row);
    }
    const onFront = new Set(view.front);
    this.laid = { width, height, box, x, y, px, py, rows, going, onFront, outside, view, nearest: new Nearest(px, py, rows, width, height) };
    return this.laid;
  }

  draw(pen, width, height, view) {
    const laid = this.lay(width, height, view);
    if (!laid.rows.length) return; // there is nothing that axes could be of
    const { data } = this;
    drawAxes(pen, laid.box, laid.x, laid.y, { xTitle: axisTitle(data, view.x), yTitle: axisTitle(data, view.y) });
    this.drawCloud(pen, laid);
    this.drawBounds(pen, laid);
    this.drawFront(pen, laid);
  }

  drawCloud(pen, { rows, px, py, onFront }) {
    const states = this.data.column("state");
    const { selection } = this;
    const many = rows.length > LARGE;
    const radius = many ? 1 : rows.length > 3000 ? 1.8 : 2.4;
    const behind = (this.laid.behind ??= rows.filter((row) => !onFront.has(row)));
    const dot = (row) => {
      if (many) pen.rect(px[row] - radius, py[row] - radius, 2 * radius, 2 * radius);
      else {
        pen.moveTo(px[row] + radius, py[row]);
        pen.arc(px[row], py[row], radius, 0, 2 * Math.PI);
      }
    };
    const layer = (keep, work) => {
      pen.beginPath();
      behind.forEach((row) => keep(row) && dot(row));
      work();
    };
    const brushed = selection.mask !== null;
    if (many && pen instanceof CanvasRenderingContext2D) {
      this.drawMany(pen, behind);
      return;
    }
    pen.globalAlpha = brushed ? 0.22 : many ? 0.5 : 0.6;
    pen.fillStyle = colour("dominated");
    layer((row) => !HOLLOW.has(states[row]) && !(brushed && selection.has(row)), () => pen.fill());
    pen.strokeStyle = colour("dominated");
    pen.lineWidth = 1;
    layer((row) => HOLLOW.has(states[row]) && !(brushed && selection.has(row)), () => pen.stroke());
    pen.globalAlpha = 0.9;
    pen.fillStyle = colour("accent");
    pen.strokeStyle = colour("accent");
    if (brushed) {
      layer((row) => selection.has(row) && !HOLLOW.has(states[row]), () => pen.fill());
      layer((row) => selection.has(row) && HOLLOW.has(states[row]), () => pen.stroke());
    }
    pen.globalAlpha = 1;
  }

  // Many points: pixels of a picture that is laid down, what is brushed above the rest.
  drawMany(pen, behind) {
    const { laid, selection } = this;
    laid.cloud ??= new Cloud(laid.px, laid.py, behind, laid.width, laid.height);
    laid.cloud.draw(pen, selection.mask, [colour("dominated"), selection.mask ? 0.2 : 0.5], [colour("accent"), 0.8]);
  }

  drawFront(pen, { box, px, py, view }) {
    const front = view.front;
    if (!front.length) return;
    const worseX = this.data.direction(view.x) === "maximize" ? box.left : box.left + box.width;
    const worseY = this.data.direction(view.y) === "maximize" ? box.top + box.height : box.top;
    pen.strokeStyle = colour("front");
    pen.lineWidth = 2;
    pen.beginPath();
    front.forEach((row, index) => {
      if (index === 0) pen.moveTo(px[row], py[row]);
      else {
        pen.lineTo(px[row], py[front[index - 1]]);
        pen.lineTo(px[row], py[row]);
      }
    });
    pen.stroke();
    pen.globalAlpha = 0.35;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    pen.moveTo(px[front[0]], worseY);
    pen.lineTo(px[front[0]], py[front[0]]);
    pen.moveTo(px[front.at(-1)], py[front.at(-1)]);
    pen.lineTo(worseX, py[front.at(-1)]);
    pen.stroke();
    pen.setLineDash([]);
    for (const row of front) {
      pen.globalAlpha = this.selection.has(row) ? 1 : 0.35;
      const knee = row === view.knee;
      disc(pen, px[row], py[row], knee ? 6.5 : 4.5, colour(knee ? "knee" : "front"), colour("panel"));
    }
    pen.globalAlpha = 1;
    if (front.includes(view.knee)) label(pen, "knee", px[view.knee], py[view.knee], colour("knee"), box);
  }

  drawBounds(pen, { box, x, y, view }) {
    pen.font = textFont(11.5);
    for (const { metric, sign, bound } of view.bounds) {
      if (metric !== view.x && metric !== view.y) continue;
      const words = boundWords(this.data, { metric, sign, bound });
      pen.strokeStyle = colour("limit");
      pen.fillStyle = colour("limit");
      pen.lineWidth = 1.2;
      pen.setLineDash([6, 4]);
      pen.beginPath();
      if (metric === view.x) {
        const at = x.at(bound);
        pen.moveTo(at, box.top);
        pen.lineTo(at, box.top + box.height);
        const left = at > box.left + box.width / 2;
        pen.textAlign = left ? "right" : "left";
        pen.textBaseline = "bottom";
        pen.fillText(words, at + (left ? -6 : 6), box.top + box.height - 6);
      } else {
        const at = y.at(bound);
        pen.moveTo(box.left, at);
        pen.lineTo(box.left + box.width, at);
        pen.textAlign = "right";
        pen.textBaseline = "bottom";
        pen.fillText(words, box.left + box.width - 6, at - 4);
      }
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  // Trials that are being evaluated, at a beat between 0 and 1: where both metrics are known, else along the axis.
  drawGoing(pen, beat) {
    const { box, going, rows, x, y, view } = this.laid;
    if (!rows.length) return;
    const [xs, ys] = [this.data.column(view.x), this.data.column(view.y)];
    pen.strokeStyle = colour("accent");
    pen.lineWidth = 1.6;
    for (const row of going) {
      if (!Number.isFinite(xs[row])) continue;
      const at = [x.at(xs[row]), Number.isFinite(ys[row]) ? y.at(ys[row]) : box.top + box.height];
      if (at[0] < box.left || at[0] > box.left + box.width) continue;
      pen.globalAlpha = 1 - 0.6 * beat;
      pen.beginPath();
      pen.arc(at[0], at[1], 3 + 3 * beat, 0, 2 * Math.PI);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }
}

const AIMS = { maximize: " ↑ more is better", minimize: " ↓ less is better" };
const axisTitle = (data, name) => `${metricLabel(data.metric(name))}${AIMS[data.aim(name)] ?? ""}`;

export function disc(pen, x, y, radius, inside, edge) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = inside;
  pen.fill();
  pen.strokeStyle = edge;
  pen.lineWidth = 1.5;
  pen.stroke();
}

function label(pen, words, x, y, ink, box) {
  pen.font = textFont(12, 600);
  pen.fillStyle = ink;
  pen.textBaseline = "top";
  const right = x + 60 < box.left + box.width;
  pen.textAlign = right ? "left" : "right";
  pen.fillText(words, x + (right ? 9 : -9), y + 6);
}

function withBounds([low, high], bounds, metric, log) {
  for (const one of bounds) {
    if (one.metric !== metric || (log && one.bound <= 0)) continue;
    const span = high - low || Math.abs(high) || 1;
    if (one.bound > low - span && one.bound < high + span) [low, high] = [Math.min(low, one.bound), Math.max(high, one.bound)];
  }
  return [low, high];
}
