// A canvas in a figure that is drawn anew when its size, the theme or its data change, and saved by the same drawing.
import { el } from "../core/dom.js";
import { whileSeen } from "../core/seen.js";
import { colour, onTheme } from "../core/theme.js";
import { SvgPen } from "./svg_pen.js";

// `draw(pen, width, height)` draws everything in CSS pixels; it is called at most once a frame.
export function surface(figure, draw, { label, keys = false } = {}) {
  const canvas = el("canvas", { class: "own", role: "img", "aria-label": label, ...(keys && { tabindex: "0" }) });
  figure.plot.replaceChildren(canvas);
  let asked = 0;
  const now = () => {
    asked = 0;
    const { clientWidth: width, clientHeight: height } = figure.plot;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    draw(pen, width, height);
  };
  const redraw = whileSeen(figure.plot, () => { asked ||= requestAnimationFrame(now); });
  const sizes = new ResizeObserver(redraw);
  sizes.observe(figure.plot);
  onTheme((event) => (event.detail.now ? now() : redraw()));
  const size = () => [figure.plot.clientWidth, figure.plot.clientHeight];
  figure.save.size = size;
  figure.save.svg = () => {
    const pen = new SvgPen(...size());
    draw(pen, ...size());
    return pen.text(colour("panel"));
  };
  redraw();
  return { canvas, redraw, now };
}

export const textFont = (size = 12, weight = "") => `${weight ? `${weight} ` : ""}${size}px ${colour("sans") || "sans-serif"}`;

export function pointOf(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
