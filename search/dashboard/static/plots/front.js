// Pareto front: any two or three metrics, on any device for which they are known.
import { pointOf, surface } from "../canvas/surface.js";
import { deviceDot } from "../core/colours.js";
import { toast } from "../core/dialog.js";
import { el, fill, select } from "../core/dom.js";
import { addTools, choiceGroup, toggle } from "../core/figure.js";
import { metricLabel, whole } from "../core/format.js";
import { cardShown, hideCard } from "../core/hover.js";
import { setParams } from "../core/location.js";
import { widened } from "../core/selection.js";
import { still } from "../core/theme.js";
import { trialPage } from "../core/api.js";
import { showTrialCard } from "../front/card.js";
import { FrontPlane } from "../front/plane.js";
import { FrontSpace } from "../front/space.js";
import { driven } from "../study/words.js";
import { axisNames, defaultAxes, devicesOf, readView, settle } from "../front/view.js";

export const title = "Pareto front";
export const section = "front";
export const order = 0;
export const height = 480;

const LONG = 40; // letters of all devices' names, above which they are a list

export async function draw(figure, { data, selection }) {
  let view = readView(data);
  const flat = new FrontPlane(data, selection);
  const solid = new FrontSpace(data, selection);
  const painter = () => (view.z ? solid : flat);
  const legend = el("div", { class: "legend" });
  figure.plot.after(legend);
  await bring();
  const paper = surface(figure, (pen, width, height) => painter().draw(pen, width, height, view), { label: "", keys: true });
  const upper = el("canvas", { class: "own", "aria-hidden": "true" });
  upper.style.pointerEvents = "none";
  const nothing = el("div", { class: "empty", hidden: true });
  figure.plot.append(upper, nothing);
  const controls = el("div", { class: "row" });
  addTools(figure, el("details", { class: "axes", open: innerWidth > 640 }, el("summary", {}, "Axes"), controls));
  showControls();
  describe();
  const fresh = new Map();
  interact({ figure, paper, upper, data, selection, painter, fresh, view: () => view });
  figure.save.csv = () => [["number", view.x, view.y, ...(view.z ? [view.z] : [])], view.front.map((row) => [row, ...[view.x, view.y, view.z].filter(Boolean).map((name) => data.column(name)[row])])];
  selection.onchange(() => paper.redraw());
  data.onchange(async (numbers) => {
    await bring();
    paper.redraw();
    describe();
    for (const number of numbers) fresh.set(number, performance.now());
  });

  async function bring() {
    const objectives = data.summary.objectives.map((one) => one.metric).filter((name) => data.metrics.some((metric) => metric.name === name));
    await data.need([view.x, view.y, view.z, ...objectives].filter(Boolean));
    view = settle(data, view);
  }

  async function alter(changes) {
    const before = { ...view };
    const fallback = defaultAxes(data);
    Object.assign(view, changes);
    try {
      await bring();
    } catch (error) { // such as a device whose table lacks an operator: what is shown stays, and why is said
      view = before;
      showControls();
      return toast(error.message, true);
    }
    setParams({ x: view.x === fallback.x ? "" : view.x, y: view.y === fallback.y ? "" : view.y, z: view.z, logx: view.log.x, logy: view.log.y });
    showControls();
    describe();
    return paper.redraw();
  }

  function showControls() {
    const options = axisNames(data).map((name) => ({ value: name, words: metricLabel(data.metric(name)) }));
    const devices = devicesOf(data, view.x);
    fill(controls,
      devices.length > 1 && deviceSwitch(devices, view.x, (metric) => alter({ x: metric })),
      el("label", {}, "across", select(options, view.x, (x) => alter({ x, log: { ...view.log, x: "" } }), "Metric across")),
      el("label", {}, "up", select(options, view.y, (y) => alter({ y, log: { ...view.log, y: "" } }), "Metric up")),
      options.length > 2 && el("label", {}, "third", select([{ value: "", words: "none" }, ...options.filter(({ value }) => value !== view.x && value !== view.y)], view.z, (z) => alter({ z }), "Third metric")),
      toggle("log across", view.logX, (on) => alter({ log: { ...view.log, x: on ? "yes" : "no" } })),
      toggle("log up", view.logY, (on) => alter({ log: { ...view.log, y: on ? "yes" : "no" } })));
  }

  function describe() {
    const words = `${whole(view.front.length)} trials on the front in ${[view.y, view.x, view.z].filter(Boolean).map((name) => metricLabel(data.metric(name))).join(" and ")}`;
    paper.canvas.setAttribute("aria-label", `${words}. Arrow keys walk along the front, Enter opens a trial.`);
    const key = (kind, name, text) => {
      const mark = el("i", { class: kind });
      mark.style.setProperty("--at", `var(--${name})`);
      return el("span", {}, mark, text);
    };
    fill(legend, key("", "front", `front (${whole(view.front.length)})`), key("", "dominated", "dominated"), key("hollow", "dominated", "infeasible, stopped or failed"),
      data.summary.counts.running > 0 && key("hollow", "accent", `${driven(data.summary) ? "running" : "unfinished"} (${whole(data.summary.counts.running)})`),
      view.knee !== null && key("", "knee", `knee (trial ${view.knee})`), view.bounds.length > 0 && key("line", "limit", "constraint"),
      el("span", { class: "end soft" }, view.z ? "drag to turn" : "drag to brush · click a trial to open it"));
    requestAnimationFrame(() => {
      const { outside = 0, rows = [] } = painter().laid ?? {};
      nothing.hidden = rows.length > 0;
      fill(nothing, nothing.hidden ? "" : whyEmpty(data.summary));
      figure.say(outside ? `${whole(outside)} far worse trials lie outside of the plot.` : "");
    });
  }
}

// Why no trial is on the front; what to do stands above, where the study can go on.
function whyEmpty({ counts, ...study }) {
  if (counts.completed) return "No completed trial has these metrics.";
  if (driven(study)) return "No trial has completed yet: the first ones appear here.";
  return "No trial has completed.";
}

function deviceSwitch(devices, chosen, onchoice) {
  const options = devices.map(({ metric, device }) => ({ value: metric, words: device }));
  if (devices.length > 5 || devices.map(({ device }) => device).join("").length > LONG) {
    return el("label", {}, "device", deviceDot(devices.find(({ metric }) => metric === chosen).device), select(options, chosen, onchoice, "Device"));
  }
  const box = choiceGroup("Device", options, chosen, onchoice);
  [...box.children].forEach((button, index) => button.prepend(deviceDot(devices[index].device), " "));
  return box;
}

// Hover, click, brush, keys; and the layer above the plot that shows them.
function interact({ paper, upper, data, selection, painter, fresh, view, figure }) {
  const { canvas } = paper;
  let from = null;
  let at = null;
  let hovered = -1;
  let tapped = -1;
  const metrics = () => [...new Set([view().y, view().x, view().z, ...data.summary.objectives.map((one) => one.metric)].filter(Boolean))];
  const open = (row) => { location.href = trialPage(data.name, row); };

  function above(beat = 0) {
    const { clientWidth: width, clientHeight: height } = figure.plot;
    const ratio = devicePixelRatio || 1;
    [upper.width, upper.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = upper.getContext("2d");
    pen.scale(ratio, ratio);
    if (from && at && !view().z) {
      pen.fillStyle = pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
      pen.globalAlpha = 0.12;
      pen.fillRect(Math.min(from[0], at[0]), Math.min(from[1], at[1]), Math.abs(at[0] - from[0]), Math.abs(at[1] - from[1]));
      pen.globalAlpha = 1;
      pen.strokeRect(Math.min(from[0], at[0]), Math.min(from[1], at[1]), Math.abs(at[0] - from[0]), Math.abs(at[1] - from[1]));
    }
    if (painter().laid && painter().drawGoing) painter().drawGoing(pen, beat);
    if (painter().laid) drawFresh(pen, painter().laid, fresh);
    if (hovered >= 0 && painter().laid) ring(pen, painter().laid.px[hovered], painter().laid.py[hovered]);
  }

  function hover(row, x, y) {
    hovered = row;
    canvas.style.cursor = row >= 0 ? "pointer" : "crosshair";
    above();
    if (row >= 0) showTrialCard(data, row, x, y, metrics(), { device: view().x, knee: view().knee });
    else hideCard();
  }

  function brush() {
    const { laid } = painter();
    if (!laid) return;
    const xs = [laid.x.from(Math.min(from[0], at[0])), laid.x.from(Math.max(from[0], at[0]))];
    const ys = [laid.y.from(Math.max(from[1], at[1])), laid.y.from(Math.min(from[1], at[1]))];
    selection.set({ [view().x]: widened(xs), [view().y]: widened(ys) });
  }

  canvas.addEventListener("pointerdown", (event) => {
    from = pointOf(canvas, event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const point = pointOf(canvas, event);
    if (from && Math.hypot(point[0] - from[0], point[1] - from[1]) > 5) {
      hideCard();
      hovered = -1;
      const before = at ?? from;
      at = point;
      if (view().z) {
        painter().rotate(point[0] - before[0], point[1] - before[1]);
        paper.redraw();
      } else brush();
      above();
    } else if (!from && painter().laid) {
      const { nearest, onFront } = painter().laid;
      hover(nearest.find(...point, 14, (row) => (onFront.has(row) ? 5 : 0)), event.clientX, event.clientY);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const moved = at !== null;
    const point = pointOf(canvas, event);
    from = null;
    at = null;
    above();
    if (moved || !painter().laid) return;
    const row = painter().laid.nearest.find(...point, 14, (one) => (painter().laid.onFront.has(one) ? 5 : 0));
    if (row < 0) selection.clear();
    else if (event.pointerType === "touch" && tapped !== row) {
      tapped = row;
      hover(row, event.clientX, event.clientY);
    } else if (event.metaKey || event.ctrlKey) window.open(trialPage(data.name, row));
    else open(row);
  });
  canvas.addEventListener("pointercancel", () => { from = null; at = null; above(); });
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("blur", () => hover(-1));
  canvas.addEventListener("keydown", (event) => {
    const { front } = view();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && front.length) {
      event.preventDefault();
      const row = front[(front.indexOf(hovered) + step + front.length) % front.length];
      const box = canvas.getBoundingClientRect();
      hover(row, box.left + painter().laid.px[row], box.top + painter().laid.py[row]);
    } else if (event.key === "Enter" && hovered >= 0 && cardShown()) open(hovered);
    else if (event.key === "Escape") {
      selection.clear();
      hover(-1);
    }
  });
  pulse((beat) => (painter().laid?.going.length || fresh.size) && above(driven(data.summary) ? beat : 0));
}

// New trials: a ring that fades within two seconds.
function drawFresh(pen, { px, py, rows }, fresh) {
  const known = new Set(fresh.size ? rows : []);
  for (const [row, since] of fresh) {
    const age = (performance.now() - since) / 2000;
    if (age > 1 || still()) fresh.delete(row);
    else if (known.has(row)) {
      pen.globalAlpha = 1 - age;
      ring(pen, px[row], py[row]);
    }
  }
  pen.globalAlpha = 1;
}

function ring(pen, x, y) {
  pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 8, 0, 2 * Math.PI);
  pen.stroke();
}

// Calls `work` with a slow beat between 0 and 1, ten times a second; once a second where motion is not wanted.
function pulse(work) {
  setInterval(() => !document.hidden && work(still() ? 0 : 0.5 + 0.5 * Math.sin(Date.now() / 350)), still() ? 1000 : 100);
}
