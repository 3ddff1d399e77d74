// A network from left to right: a block's height is its channels, its width its kernel or depth, its colour its share of
// latency (or of MACs) on the chosen device; residuals are arcs, skipped layers dashed gaps, equal neighbours fold.
import { inkOn, viridis } from "../core/colours.js";
import { svg } from "../core/dom.js";
import { sig } from "../core/format.js";

// `differs`: indices of layers to ring. `onhover(layer, event)` gets the layer under the pointer, or null.
export function drawNetwork(network, { width, height, device, small = false, differs = new Set(), onhover } = {}) {
  const blocks = folded(network.layers, device, differs);
  const top = small ? 4 : 34;
  const foot = small ? 4 : 46;
  const room = height - top - foot;
  const places = placed(blocks, width, room, top, small);
  const full = places.length ? places.at(-1).right + (small ? 2 : 12) : width;
  const most = Math.max(...blocks.map((block) => block.share), 1e-12);
  const root = svg("svg", { class: "network", width: Math.max(full, small ? 0 : width), height, role: "img", "aria-label": summaryOf(network) });
  root.append(svg("path", { class: "flow", d: `M0 ${top + room / 2}H${full}` }));
  places.forEach((place) => root.append(...blockOf(place, most, small, onhover)));
  if (!small) root.append(...stageNames(places, height), inputName(network, top + room / 2));
  return root;
}

const summaryOf = (network) => `Network of ${network.layers.filter((layer) => !layer.skipped).length} layers: ${network.layers.slice(0, 40).map((layer) => layer.label).join(", ")}`;

export function latencyOf(layer, device) {
  if (!layer.latency) return null;
  if (device && device in layer.latency) return layer.latency[device];
  return device ? null : Object.values(layer.latency)[0] ?? null;
}

const weight = (layer, device) => (layer.skipped ? 0 : latencyOf(layer, device) ?? layer.macs ?? 0);

// Runs of equal layers become one block that counts them.
function folded(layers, device, differs) {
  const total = layers.reduce((sum, layer) => sum + weight(layer, device), 0) || 1;
  const blocks = [];
  layers.forEach((layer, index) => {
    const last = blocks.at(-1);
    const share = weight(layer, device) / total;
    if (last && same(last.layer, layer) && differs.has(index) === last.differs) {
      last.count += 1;
      last.share += share;
      last.indices.push(index);
    } else blocks.push({ layer, share, count: 1, differs: differs.has(index), indices: [index] });
  });
  return blocks;
}

const same = (a, b) => ["label", "kind", "stage", "kernel", "expansion", "stride", "residual", "skipped"].every((key) => a[key] === b[key]) && String(a.out) === String(b.out) && a.stride !== 2;

function placed(blocks, width, room, top, small) {
  const most = Math.max(...blocks.map(({ layer }) => channels(layer)), 1);
  const marks = blocks.map(({ layer, count }) => 0.7 + 0.16 * (layer.kernel ?? 1) + 0.12 * Math.min(6, count - 1));
  const gaps = blocks.map(({ layer }, index) => (index && layer.stage !== blocks[index - 1].layer.stage ? 3 : 1));
  const gap = small ? 1.2 : 4;
  const free = width - (small ? 4 : 70) - gap * gaps.reduce((sum, one) => sum + one, 0);
  const unit = Math.max(small ? 1.5 : 9, Math.min(small ? 14 : 34, free / marks.reduce((sum, one) => sum + one, 0)));
  let x = small ? 2 : 56;
  return blocks.map((block, index) => {
    x += gap * gaps[index];
    const wide = unit * marks[index];
    const tall = Math.max(small ? 5 : 14, room * Math.sqrt(channels(block.layer) / most));
    const place = { ...block, x, wide, tall, y: top + (room - tall) / 2, right: x + wide, top, room };
    x += wide;
    return place;
  });
}

const channels = (layer) => layer.out?.[0] ?? 1;

function blockOf(place, most, small, onhover) {
  const { layer, x, y, wide, tall } = place;
  const parts = [];
  const tint = place.share / most;
  const rect = svg("rect", { class: layer.skipped ? "block skipped" : "block", x, y, width: wide, height: tall, rx: small ? 1 : 3, ...(!layer.skipped && { fill: viridis(tint) }) });
  parts.push(rect);
  if (layer.residual && !layer.skipped) parts.push(arc(place, small));
  if (place.differs) parts.push(svg("rect", { class: "differs", x: x - 2.5, y: y - 2.5, width: wide + 5, height: tall + 5, rx: 4 }));
  if (!small) parts.push(...words(place, tint));
  if (onhover) {
    rect.addEventListener("pointermove", (event) => onhover(place, event));
    rect.addEventListener("pointerleave", () => onhover(null));
  }
  return parts;
}

function arc({ x, wide, y }, small) {
  const rise = small ? 3 : 9;
  return svg("path", { class: "arc", d: `M${x - 1} ${y + 1}C${x} ${y - rise} ${x + wide} ${y - rise} ${x + wide + 1} ${y + 1}` });
}

function words({ layer, count, x, wide, y, tall }, tint) {
  const middle = x + wide / 2;
  const inside = layer.skipped || !layer.kernel ? "" : `${layer.kernel}`;
  const parts = [];
  if (inside && wide >= 11) {
    const text = svg("text", { x: middle, y: y + tall / 2 + 4, "text-anchor": "middle" }, inside);
    text.style.fill = inkOn(tint);
    parts.push(text);
  }
  const below = [layer.expansion ? `e${sig(layer.expansion, 2)}` : "", count > 1 ? `×${count}` : ""].filter(Boolean);
  below.forEach((word, line) => wide >= 12 && parts.push(svg("text", { x: middle, y: y + tall + 12 + 12 * line, "text-anchor": "middle" }, word)));
  return parts;
}

function inputName(network, y) {
  const [channels, ...sides] = network.input ?? [];
  const node = svg("text", { x: 0, y: y - 6 }, sides.length ? sides.join("×") : channels ? `${channels}` : "");
  return node;
}

// A stage's name above its blocks, its resolution below.
function stageNames(places, height) {
  const stages = [];
  for (const place of places) {
    const last = stages.at(-1);
    if (last && last.name === place.layer.stage) Object.assign(last, { right: place.right, out: place.layer.out });
    else stages.push({ name: place.layer.stage, x: place.x, right: place.right, out: place.layer.out });
  }
  let nameEnd = -Infinity;
  let sizeEnd = -Infinity;
  return stages.flatMap(({ name, x, right, out }) => {
    const middle = (x + right) / 2;
    const parts = [];
    const word = name === null || name === undefined ? "" : String(name);
    const half = 3.1 * word.length;
    if (word && middle - half > nameEnd) {
      nameEnd = middle + half + 4;
      parts.push(svg("text", { class: "stage", x: middle, y: 14, "text-anchor": "middle" }, word));
    }
    const size = out ? (out.length > 1 ? `${out[0]}·${out.slice(1).join("×")}` : String(out[0])) : "";
    const wide = 2.9 * size.length;
    if (size && middle - wide > sizeEnd) {
      sizeEnd = middle + wide + 6;
      parts.push(svg("text", { x: middle, y: height - 4, "text-anchor": "middle" }, size));
    }
    return parts;
  });
}
