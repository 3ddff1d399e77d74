// Which choices the front makes, layer by layer, against all trials; a click on a cell brushes it.
import { fitted } from "../canvas/fitted.js";
import { pointOf, surface, textFont } from "../canvas/surface.js";
import { inkOn, viridis } from "../core/colours.js";
import { el } from "../core/dom.js";
import { percent } from "../core/format.js";
import { hideCard, pairs, showCard } from "../core/hover.js";
import { colour } from "../core/theme.js";

export const title = "Choices on the front against all trials";
export const section = "layers";
export const order = 40;
export const wide = true;
export const height = 300;

const ROW = 34;
const TOP = 8;

export async function draw(figure, { data, selection }) {
  let rows = [];
  let cells = [];
  await ask();
  if (!rows.length) {
    figure.empty("No decision with choices, or no completed trial yet.");
    return;
  }
  figure.plot.style.setProperty("--height", `${TOP + ROW * rows.length + 10}px`);
  const paper = surface(figure, paint, { label: "Heat map: each decision's choices on the front and among all trials" });
  figure.say("Colour and upper figure: share of the front's trials with that choice; lower figure: share of all completed trials. Click a cell to brush it.");
  figure.save.csv = () => [["decision", "choice", "share_front", "share_all"], rows.flatMap((row) => row.labels.map((label, at) => [row.name, label, row.front[at], row.all[at]]))];
  selection.onchange(() => paper.redraw());
  data.onchange(async () => {
    await ask().catch(() => null);
    paper.redraw();
  });
  const at = (event) => {
    const [x, y] = pointOf(paper.canvas, event);
    return cells.find((cell) => x >= cell.x && x < cell.x + cell.wide && y >= cell.y && y < cell.y + ROW);
  };
  paper.canvas.addEventListener("pointermove", (event) => {
    const cell = at(event);
    paper.canvas.style.cursor = cell ? "pointer" : "default";
    if (!cell) hideCard();
    else showCard(event.clientX, event.clientY, el("h3", {}, `${cell.row.name}: ${cell.label}`), pairs([["on the front", percent(cell.front)], ["all trials", percent(cell.all)]]));
  });
  paper.canvas.addEventListener("pointerleave", hideCard);
  paper.canvas.addEventListener("click", (event) => {
    const cell = at(event);
    if (!cell) return;
    const name = `d:${cell.row.name}`;
    const old = selection.ranges.get(name);
    selection.set({ [name]: old && old[0] === cell.index && old[1] === cell.index ? null : [cell.index, cell.index] });
  });

  async function ask() {
    const found = await data.answer("/choices");
    rows = (Array.isArray(found) ? found : found.decisions).filter((row) => row.labels.length > 1);
  }

  function paint(pen, width) {
    const name = Math.min(170, Math.max(70, width * 0.18));
    cells = [];
    rows.forEach((row, index) => {
      const y = TOP + index * ROW;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillStyle = colour("ink");
      pen.font = textFont(12);
      pen.fillText(fitted(pen, row.name, name - 12), name - 10, y + ROW / 2);
      const wide = (width - name) / row.labels.length;
      row.labels.forEach((label, choice) => {
        const cell = { row, label, index: choice, x: name + choice * wide, y, wide, front: row.front[choice] ?? 0, all: row.all[choice] ?? 0 };
        cells.push(cell);
        paintCell(pen, cell, selection.ranges.get(`d:${row.name}`));
      });
    });
  }
}

function paintCell(pen, { x, y, wide, front, all, label, index }, range) {
  pen.fillStyle = viridis(front);
  pen.fillRect(x, y, wide - 2, ROW - 2);
  if (range && index >= range[0] && index <= range[1]) {
    pen.strokeStyle = colour("knee");
    pen.lineWidth = 3;
    pen.strokeRect(x + 1.5, y + 1.5, wide - 5, ROW - 5);
  }
  pen.fillStyle = inkOn(front);
  pen.font = textFont(11.5);
  const figures = wide > 96;
  pen.textAlign = figures ? "left" : "center";
  if (wide > 24) pen.fillText(fitted(pen, String(label), wide - (figures ? 60 : 8)), figures ? x + 8 : x + wide / 2 - 1, y + ROW / 2 - 1);
  if (!figures) return;
  pen.textAlign = "right";
  pen.font = textFont(11.5, 600);
  pen.fillText(percent(front, 0), x + wide - 10, y + 10);
  pen.font = textFont(10.5);
  pen.fillText(percent(all, 0), x + wide - 10, y + 23);
}
