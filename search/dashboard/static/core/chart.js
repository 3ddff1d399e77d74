// ECharts in a figure: both themes, sizes that follow the page, the hover card, and saving. It is large: it is loaded
// when the first chart is drawn.
import { debounce } from "./dom.js";
import { hideCard, showCard } from "./hover.js";
import { whileSeen } from "./seen.js";
import { colour, onTheme, still } from "./theme.js";

let echarts = null;

// `option()` is asked for anew when the theme changes; `card(params)` gives the hover card's content, `click(params)` acts.
export function chart(figure, option, { card, click, csv, label } = {}) {
  let drawn = null;
  let gone = false;
  const full = () => ({ ...frame(), ...option(), animation: false });
  const now = () => drawn?.setOption(full(), { notMerge: true });
  const redraw = whileSeen(figure.plot, debounce(now, 60)); // while something is brushed, others come first
  const inTheme = (event) => (event.detail.now ? now() : redraw());
  const resizing = new ResizeObserver(() => drawn?.resize());
  const begin = (library) => {
    echarts = library;
    if (gone) return;
    figure.plot.replaceChildren();
    drawn = echarts.init(figure.plot, null, { renderer: "canvas" });
    if (card) hovering(drawn, card);
    if (click) drawn.on("click", click);
    now();
    resizing.observe(figure.plot);
    figure.save.svg = () => toSvg(full(), figure.plot);
    figure.save.size = () => [figure.plot.clientWidth, figure.plot.clientHeight];
  };
  figure.plot.setAttribute("role", "img");
  figure.plot.setAttribute("aria-label", label ?? figure.heading.textContent);
  onTheme(inTheme);
  if (csv) figure.save.csv = csv;
  import("../vendor/echarts-6.1.0.esm.min.js").then(begin).catch(figure.failed);
  const dispose = () => {
    gone = true;
    resizing.disconnect();
    document.removeEventListener("theme", inTheme);
    drawn?.dispose();
  };
  return { redraw, dispose };
}

function hovering(drawn, card) {
  drawn.on("mousemove", (params) => {
    const content = card(params);
    if (content) showCard(params.event.event.clientX, params.event.event.clientY, content);
  });
  drawn.on("mouseout", hideCard);
  drawn.on("globalout", hideCard);
}

function toSvg(option, plot) {
  const paper = echarts.init(null, null, { renderer: "svg", ssr: true, width: plot.clientWidth, height: plot.clientHeight });
  paper.setOption({ ...option, backgroundColor: colour("panel") });
  const text = paper.renderToSVGString();
  paper.dispose();
  return text;
}

const frame = () => ({
  textStyle: { fontFamily: colour("sans"), color: colour("ink"), fontSize: 12 },
  grid: { left: 6, right: 18, top: 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "all" },
  aria: { enabled: false },
  stateAnimation: { duration: still() ? 0 : 100 },
});

// An axis in the house's look; `name` with its unit.
export function axis(name, more = {}) {
  return {
    name, nameLocation: "middle", nameGap: more.nameGap ?? 28, scale: true,
    nameTextStyle: { color: colour("soft"), fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: colour("line") } }, axisTick: { show: false },
    axisLabel: { color: colour("soft"), fontSize: 11.5, hideOverlap: true, ...(more.min !== undefined && more.scale !== false && { showMinLabel: false, showMaxLabel: false }), ...more.axisLabel },
    splitLine: { show: more.type !== "category", lineStyle: { color: colour("grid") } },
    ...omit(more, ["axisLabel", "nameGap"]),
  };
}

const omit = (from, names) => Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));
