// A network from left to right: a block's height is its channels, its width its kernel or depth, its colour its share of
// latency (or of MACs) on the chosen device; residuals are arcs, skipped layers dashed gaps, equal neighbours fold.
import { inkOn, viridis } from "../core/colours.js";
import { svg } from "../core/dom.js";
import { sig } from "../core/format.js";

// `differs`: indices of layers to ring. `onhover(block, event)` gets the block under the pointer, or null. `lanes`, of
// `commonLanes`, aligns several drawings, whose colours agree by `most`: the share that has the last colour.
export function drawNetwork(network, { width, height, device, small = false, differs = new Set(), onhover, lanes, most = largestShare(network, device) } = {}) {
  const blocks = folded(network.layers, device, differs);
  const top = small ? 4 : 34;
  const foot = small ? 4 : 60;
  const room = height - top - foot;
  const places = placed(blocks, width, room, top, small, lanes);
  const full = places.length ? places.at(-1).right + (small ? 2 : 12) : width;
  const root = svg("svg", { class: "network", width: small ? full : Math.max(full, width), height, role: "img", "aria-label": summaryOf(network) });
  root.append(svg("path", { class: "flow", d: `M0 ${top + room / 2}H${full}` }));
  places.forEach((place) => root.append(...blockOf(place, most, small, onhover)));
  if (!small) root.append(...stageNames(places, height), ...brackets(places, height), inputName(network, top + room / 2));
  return root;
}

const summaryOf = (network) => `Network of ${network.layers.reduce((sum, layer) => sum + (layer.skipped ? 0 : layer.repeats ?? 1), 0)} layers: ${network.layers.slice(0, 12).map(shortLabel).join(", ")}`;

// "relu_conv_bn 16x32x32 -> 16x32x32 (relu > conv2d 3x3 > batch_norm2d)" as "relu_conv_bn 3x3 16x32x32 -> 16x32x32".
export function shortLabel(layer) {
  const plain = String(layer.label ?? layer.kind).replace(/ \(.*\)$/, "");
  return layer.kernel > 0 ? plain.replace(/ /, ` ${layer.kernel}x${layer.kernel} `) : plain;
}

export function latencyOf(layer, device) {
  if (!layer.latency) return null;
  if (device && device in layer.latency) return layer.latency[device];
  return device ? null : Object.values(layer.latency)[0] ?? null;
}

const weight = (layer, device) => (layer.skipped ? 0 : latencyOf(layer, device) ?? layer.macs ?? 0);

// Layers as blocks: what the server folded counts its repeats; equal neighbours within it become one.
function folded(layers, device, differs = new Set()) {
  const total = layers.reduce((sum, layer) => sum + (layer.repeats ?? 1) * weight(layer, device), 0) || 1;
  const sizes = new Map();
  for (const layer of layers) sizes.set(layer.group, (sizes.get(layer.group) ?? 0) + 1);
  const blocks = [];
  layers.forEach((layer, index) => {
    const repeats = layer.repeats ?? 1;
    const share = (repeats * weight(layer, device)) / total;
    const last = blocks.at(-1);
    const alone = layer.group === undefined || sizes.get(layer.group) === 1;
    if (last && same(last.layer, layer) && differs.has(index) === last.differs) {
      last.count += 1;
      last.share += share;
    } else blocks.push({ layer, share, count: alone ? repeats : 1, times: alone ? 1 : repeats, differs: differs.has(index) });
  });
  return blocks;
}

// The largest share of the latency that a block has.
export const largestShare = (network, device) => Math.max(...folded(network.layers, device).map((block) => block.share), 1e-12);

const same = (a, b) => ["label", "stage", "group", "skipped"].every((key) => a[key] === b[key]) && a.stride !== 2;

const markOf = ({ layer, count }) => 0.7 + 0.16 * (layer.kernel ?? 1) + 0.12 * Math.min(6, count - 1);
const gapBefore = (blocks, index) => (index && blocks[index].layer.stage !== blocks[index - 1].layer.stage ? 3 : 1);

// One unit and one start for each stage, such that several networks, drawn so, stand below each other stage by stage.
export function commonLanes(networks, width, device) {
  const widths = new Map();
  for (const network of networks) {
    const own = new Map();
    folded(network.layers, device).forEach((block) => {
      const [marks, gaps] = own.get(block.layer.stage) ?? [0, 0];
      own.set(block.layer.stage, [marks + markOf(block), gaps + 1]);
    });
    for (const [stage, [marks, gaps]] of own) {
      const [most, many] = widths.get(stage) ?? [0, 0];
      widths.set(stage, [Math.max(most, marks), Math.max(many, gaps)]);
    }
  }
  const sum = (at) => [...widths.values()].reduce((all, pair) => all + pair[at], 0);
  const unit = Math.max(9, Math.min(34, (width - 76 - 4 * sum(1) - 16 * widths.size) / sum(0)));
  const starts = new Map();
  let x = 56;
  for (const [stage, [marks, gaps]] of widths) {
    starts.set(stage, x);
    x += unit * marks + 4 * gaps + 16;
  }
  return { unit, starts };
}

function placed(blocks, width, room, top, small, lanes) {
  const most = Math.max(...blocks.map(({ layer }) => channels(layer)), 1);
  const gap = small ? 1.2 : 4;
  const gaps = blocks.map((_, index) => gapBefore(blocks, index));
  const free = width - (small ? 4 : 76) - gap * gaps.reduce((sum, one) => sum + one, 0);
  const fitting = free / blocks.reduce((sum, block) => sum + markOf(block), 0);
  const unit = lanes?.unit ?? Math.max(small ? 1.2 : 9, Math.min(small ? 14 : 34, fitting));
  let x = small ? 2 : 56;
  return blocks.map((block, index) => {
    x += gap * gaps[index];
    if (lanes && block.layer.stage !== blocks[index - 1]?.layer.stage) x = Math.max(x, lanes.starts.get(block.layer.stage));
    const wide = unit * markOf(block);
    const tall = Math.max(small ? 5 : 14, room * Math.sqrt(channels(block.layer) / most));
    const place = { ...block, x, wide, tall, y: top + (room - tall) / 2, right: x + wide };
    x += wide;
    return place;
  });
}

// What comes again as a whole: a bracket below it, and how often.
function brackets(places, height) {
  const groups = new Map();
  for (const place of places) {
    if (place.times < 2) continue;
    const group = groups.get(place.layer.group);
    if (group) group.right = place.right;
    else groups.set(place.layer.group, { left: place.x, right: place.right, times: place.times });
  }
  return [...groups.values()].flatMap(({ left, right, times }) => [
    svg("path", { class: "arc", d: `M${left} ${height - 36}v5H${right}v-5` }),
    svg("text", { x: (left + right) / 2, y: height - 20, "text-anchor": "middle" }, `×${times}`),
  ]);
}

// The width of what a layer gives: channels of (channels, height, width), features of (tokens, features).
const channels = (layer) => (layer.out?.length === 2 ? layer.out[1] : layer.out?.[0]) ?? 1;

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

function words({ layer, count, x, wide, y, tall, differs }, tint) {
  const middle = x + wide / 2;
  const inside = layer.skipped || !layer.kernel ? "" : `${layer.kernel}`;
  const parts = [];
  if (inside && wide >= 11) {
    const text = svg("text", { x: middle, y: y + tall / 2 + 4, "text-anchor": "middle" }, inside);
    text.style.fill = inkOn(tint);
    parts.push(text);
  }
  const below = [layer.expansion ? `e${sig(layer.expansion, 2)}` : "", count > 1 ? `×${count}` : ""].filter(Boolean);
  below.forEach((word, line) => wide >= 12 && parts.push(svg("text", { x: middle, y: y + tall + (differs ? 15 : 12) + 12 * line, "text-anchor": "middle" }, word)));
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
    const word = name === null || name === undefined ? "" : typeof name === "number" ? `stage ${name + 1}` : String(name);
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
