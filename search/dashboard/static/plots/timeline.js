// Who worked on what, when: a row for each worker, a bar for each trial.
import { fitted } from "../canvas/fitted.js";
import { pointOf, surface, textFont } from "../canvas/surface.js";
import { trialPage } from "../core/api.js";
import { linearTicks } from "../canvas/scale.js";
import { category } from "../core/colours.js";
import { el } from "../core/dom.js";
import { duration, exactTime, whole } from "../core/format.js";
import { hideCard, pairs, showCard } from "../core/hover.js";
import { colour } from "../core/theme.js";

export const title = "Timeline of workers";
export const section = "workers";
export const order = 60;
export const wide = true;
export const height = 200;

const INKS = { COMPLETED: 2, INFEASIBLE: 4, STOPPED: 6, FAILED: 1, RUNNING: 0 };
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
const FOOT = 26;

export async function draw(figure, { data }) {
  let found = await ask();
  if (!found.bars.length) {
    figure.empty("No trial has been started yet.");
    return;
  }
  let spots = [];
  let tall = 26;
  const size = () => {
    tall = found.workers.length > 12 ? Math.max(8, Math.floor(300 / found.workers.length)) : 26;
    figure.plot.style.setProperty("--height", `${tall * found.workers.length + FOOT + 8}px`);
  };
  size();
  const paper = surface(figure, paint, { label: "Bars of each worker's trials over time" });
  const legend = el("div", { class: "legend" });
  for (const [state, ink] of Object.entries(INKS)) {
    const mark = el("i", { class: "square" });
    mark.style.setProperty("--at", category(ink));
    legend.append(el("span", {}, mark, state.toLowerCase()));
  }
  figure.plot.after(legend);
  figure.save.csv = () => [["worker", "number", "state", "started_at", "finished_at"], found.bars.map((bar) => [nameOf(bar.worker), bar.number, bar.state, bar.started_at, bar.finished_at])];
  const at = (event) => {
    const [x, y] = pointOf(paper.canvas, event);
    return spots.find((spot) => x >= spot.x - 1 && x <= spot.x + spot.wide + 1 && y >= spot.y && y <= spot.y + tall);
  };
  paper.canvas.addEventListener("pointermove", (event) => {
    const spot = at(event);
    paper.canvas.style.cursor = spot ? "pointer" : "default";
    if (!spot) return hideCard();
    const { bar } = spot;
    return showCard(event.clientX, event.clientY, el("h3", {}, `Trial ${bar.number}`, el("span", { class: "state", "data-state": bar.state }, bar.state.toLowerCase())),
      pairs([["took", duration((bar.finished_at ?? found.now) - bar.started_at)], ["started", exactTime(bar.started_at)], ["worker", nameOf(bar.worker)]]));
  });
  paper.canvas.addEventListener("pointerleave", hideCard);
  paper.canvas.addEventListener("click", (event) => {
    const spot = at(event);
    if (spot) location.href = trialPage(data.name, spot.bar.number);
  });
  data.onchange(async () => {
    found = await ask().catch(() => found);
    size();
    paper.redraw();
  });

  async function ask() {
    const answer = await data.answer("/timeline?limit=2000");
    const bars = answer.number.map((number, at) => ({ number, worker: answer.worker[at], state: answer.state[at], started_at: answer.begin[at], finished_at: answer.end[at] }));
    return { ...answer, bars: bars.filter((bar) => bar.started_at !== null) };
  }

  function nameOf(worker) { return found.workers[worker] || "driver"; }

  function paint(pen, width) {
    const name = Math.min(180, Math.max(80, width * 0.16));
    const from = Math.min(...found.bars.map((bar) => bar.started_at));
    const to = Math.max(from + 0.001, ...found.bars.map((bar) => bar.finished_at ?? found.now));
    const scale = (time) => name + ((time - from) / (to - from)) * (width - name - 30);
    const bottom = tall * found.workers.length + 4;
    drawTime(pen, to - from, (seconds) => scale(from + seconds), bottom, (width - name) / 90);
    pen.textBaseline = "middle";
    found.workers.forEach((worker, index) => {
      pen.textAlign = "right";
      pen.fillStyle = colour("soft");
      pen.font = textFont(Math.min(11.5, tall));
      pen.fillText(fitted(pen, String(worker) || "driver", name - 12, { end: false }), name - 8, index * tall + tall / 2 + 2);
    });
    spots = found.bars.map((bar) => {
      const x = scale(bar.started_at);
      const wide = Math.max(1.5, scale(bar.finished_at ?? found.now) - x - 0.5);
      pen.fillStyle = category(INKS[bar.state] ?? 6);
      pen.globalAlpha = 0.85;
      pen.fillRect(x, bar.worker * tall + 4, wide, Math.max(3, tall - 5));
      return { bar, x, wide, y: bar.worker * tall + 2 };
    });
    pen.globalAlpha = 1;
    figure.say(found.total > found.bars.length ? `The latest ${whole(found.bars.length)} of ${whole(found.total)} trials.` : `${whole(found.bars.length)} trials on ${found.workers.length} worker${found.workers.length === 1 ? "" : "s"}; time since ${exactTime(from)}.`);
  }
}

function drawTime(pen, span, at, bottom, count) {
  const step = STEPS.find((one) => span / one <= count) ?? linearTicks(0, span, count)[1];
  pen.strokeStyle = colour("grid");
  pen.fillStyle = colour("soft");
  pen.font = textFont(11);
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (let seconds = 0; seconds <= span; seconds += step) {
    pen.beginPath();
    pen.moveTo(Math.round(at(seconds)) + 0.5, 0);
    pen.lineTo(Math.round(at(seconds)) + 0.5, bottom);
    pen.stroke();
    pen.fillText(seconds === 0 ? "0" : duration(seconds), at(seconds), bottom + 6);
  }
}
