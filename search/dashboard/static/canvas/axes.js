// The frame of a plane: grid, ticks, titles with units.
import { colour } from "../core/theme.js";
import { tickText } from "./scale.js";
import { textFont } from "./surface.js";

export const MARGIN = { left: 66, right: 18, top: 14, bottom: 48 };

export function drawAxes(pen, box, x, y, { xTitle, yTitle }) {
  const xTicks = thinned(pen, x, x.ticks(Math.max(3, box.width / 90)));
  const yTicks = y.ticks(Math.max(3, box.height / 52));
  pen.lineWidth = 1;
  pen.strokeStyle = colour("grid");
  pen.beginPath();
  for (const tick of xTicks) line(pen, x.at(tick), box.top, x.at(tick), box.top + box.height);
  for (const tick of yTicks) line(pen, box.left, y.at(tick), box.left + box.width, y.at(tick));
  pen.stroke();
  pen.strokeStyle = colour("line");
  pen.beginPath();
  line(pen, box.left, box.top + box.height, box.left + box.width, box.top + box.height);
  line(pen, box.left, box.top, box.left, box.top + box.height);
  pen.stroke();
  pen.fillStyle = colour("soft");
  pen.font = textFont(11.5);
  pen.textBaseline = "top";
  pen.textAlign = "center";
  for (const tick of xTicks) pen.fillText(tickText(tick, xTicks), x.at(tick), box.top + box.height + 7);
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const tick of yTicks) pen.fillText(tickText(tick, yTicks), box.left - 8, y.at(tick));
  titles(pen, box, xTitle, yTitle);
}

function titles(pen, box, xTitle, yTitle) {
  pen.font = textFont(12.5, 600);
  pen.fillStyle = colour("ink");
  pen.textAlign = "center";
  pen.textBaseline = "bottom";
  pen.fillText(xTitle, box.left + box.width / 2, box.top + box.height + MARGIN.bottom - 4);
  pen.save();
  pen.translate(9, box.top + box.height / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = "middle";
  pen.fillText(yTitle, 0, 0);
  pen.restore();
}

// Ticks whose labels do not touch.
function thinned(pen, scale, ticks) {
  let end = -Infinity;
  return ticks.filter((tick) => {
    const half = pen.measureText(tickText(tick, ticks)).width / 2 + 6;
    if (scale.at(tick) - half < end) return false;
    end = scale.at(tick) + half;
    return true;
  });
}

function line(pen, x1, y1, x2, y2) {
  const snap = (value) => Math.round(value) + 0.5;
  pen.moveTo(snap(x1), snap(y1));
  pen.lineTo(snap(x2), snap(y2));
}

export function plane(width, height, margin = MARGIN) {
  return { left: margin.left, top: margin.top, width: Math.max(20, width - margin.left - margin.right), height: Math.max(20, height - margin.top - margin.bottom) };
}
