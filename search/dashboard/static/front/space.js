// The Pareto front in three metrics: a turning cube of points, drawn without WebGL.
import { makeScale, mostOf, tickText } from "../canvas/scale.js";
import { textFont } from "../canvas/surface.js";
import { metricLabel } from "../core/format.js";
import { STATES } from "../core/study_data.js";
import { colour } from "../core/theme.js";
import { Nearest } from "../canvas/nearest.js";
import { disc } from "./plane.js";

const COMPLETED = STATES.indexOf("COMPLETED");
const MOST = 20000;

export class FrontSpace {
  constructor(data, selection) {
    this.data = data;
    this.selection = selection;
    this.turn = { across: -0.65, up: 0.42 };
  }

  rotate(dx, dy) {
    this.turn.across += dx * 0.008;
    this.turn.up = Math.min(1.4, Math.max(-0.2, this.turn.up + dy * 0.008));
  }

  draw(pen, width, height, view) {
    const { data } = this;
    const names = [view.x, view.y, view.z];
    const columns = names.map((name) => data.column(name));
    const states = data.column("state");
    const logs = [view.logX, view.logY, false];
    const usable = (row) => states[row] === COMPLETED && columns.every((values, axis) => Number.isFinite(values[row]) && (!logs[axis] || values[row] > 0));
    const scales = columns.map((values, axis) => makeScale(mostOf(values, usable, view.front, data.direction(names[axis])), [-1, 1], { log: logs[axis] }));
    const project = this.projector(width, height);
    this.frame(pen, scales, names, project);
    const [px, py] = [new Float32Array(data.rows), new Float32Array(data.rows)];
    const depth = new Float32Array(data.rows);
    const step = Math.max(1, Math.ceil(data.rows / MOST));
    const onFront = new Set(view.front);
    const rows = [];
    let outside = 0;
    for (let row = 0; row < data.rows; row += 1) {
      if (!usable(row) || (row % step && !onFront.has(row))) continue;
      const place = scales.map((scale, axis) => scale.at(columns[axis][row]));
      if (place.some((at) => at < -1.01 || at > 1.01)) {
        outside += 1;
        continue;
      }
      [px[row], py[row], depth[row]] = project(place);
      rows.push(row);
    }
    rows.sort((a, b) => depth[a] - depth[b]);
    pen.fillStyle = colour("dominated");
    for (const row of rows) {
      if (onFront.has(row)) continue;
      const chosen = this.selection.mask !== null && this.selection.has(row);
      pen.globalAlpha = chosen ? 0.9 : this.selection.mask ? 0.2 : 0.45 + 0.15 * depth[row];
      pen.fillStyle = colour(chosen ? "accent" : "dominated");
      pen.fillRect(px[row] - 1.5, py[row] - 1.5, 3, 3);
    }
    for (const row of rows) {
      if (!onFront.has(row)) continue;
      pen.globalAlpha = this.selection.has(row) ? 1 : 0.35;
      disc(pen, px[row], py[row], row === view.knee ? 6 : 4 + depth[row] * 0.6, colour(row === view.knee ? "knee" : "front"), colour("panel"));
    }
    pen.globalAlpha = 1;
    this.laid = { px, py, rows, onFront, going: [], view, outside: outside * step, nearest: new Nearest(px, py, rows, width, height), box: { left: 0, top: 0, width, height } };
  }

  projector(width, height) {
    const size = 0.24 * Math.min(width * 1.15, height * 1.2);
    const [ca, sa, cu, su] = [Math.cos(this.turn.across), Math.sin(this.turn.across), Math.cos(this.turn.up), Math.sin(this.turn.up)];
    return ([x, y, z]) => {
      const across = x * ca + z * sa;
      const away = -x * sa + z * ca;
      return [width / 2 + size * across, height * 0.48 - size * (y * cu + away * -su) * 1.0, away * cu + y * su];
    };
  }

  frame(pen, scales, names, project) {
    const corner = (x, y, z) => project([x, y, z]);
    const line = (a, b) => {
      pen.moveTo(a[0], a[1]);
      pen.lineTo(b[0], b[1]);
    };
    pen.strokeStyle = colour("grid");
    pen.lineWidth = 1;
    pen.beginPath();
    for (const at of [-1, -0.5, 0, 0.5, 1]) {
      line(corner(at, -1, -1), corner(at, -1, 1));
      line(corner(-1, -1, at), corner(1, -1, at));
      line(corner(at, -1, -1), corner(at, 1, -1));
      line(corner(-1, at, -1), corner(1, at, -1));
    }
    pen.stroke();
    pen.strokeStyle = colour("faint");
    pen.beginPath();
    line(corner(-1, -1, 1), corner(1, -1, 1));
    line(corner(1, -1, -1), corner(1, -1, 1));
    line(corner(-1, -1, -1), corner(-1, 1, -1));
    line(corner(-1, -1, -1), corner(-1, -1, 1));
    pen.stroke();
    const places = [(at) => corner(at, -1.12, 1.06), (at) => corner(-1.1, at, -1), (at) => corner(1.1, -1.1, at)];
    const titles = [corner(-0.15, -1.2, 1.35), corner(-1.45, 0.1, -1), corner(1.42, -1.2, 0)];
    scales.forEach((scale, axis) => {
      const ticks = scale.ticks(4);
      pen.fillStyle = colour("soft");
      pen.font = textFont(11);
      pen.textBaseline = "middle";
      pen.textAlign = axis === 1 ? "right" : "center";
      for (const tick of ticks) pen.fillText(tickText(tick, ticks), ...places[axis](scale.at(tick)).slice(0, 2));
      pen.fillStyle = colour("ink");
      pen.font = textFont(12, 600);
      pen.textAlign = axis === 2 ? "left" : "right";
      pen.fillText(metricLabel(this.data.metric(names[axis])), titles[axis][0], titles[axis][1]);
    });
  }
}
