// Colours that carry meaning: Okabe and Ito (2008) for categories, viridis for magnitudes.
import { el } from "./dom.js";
import { isDark } from "./theme.js";

const LIGHT = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6b7280"];
const DARK = ["#56B4E9", "#E98A3C", "#2FBF95", "#DE9CC1", "#E69F00", "#7FA7FF", "#9aa3af"];
const VIRIDIS = ["#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725"];

export const category = (index) => (isDark() ? DARK : LIGHT)[index % LIGHT.length];
export const viridisStops = () => VIRIDIS;

export function viridis(share) {
  const at = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.floor(at);
  const from = parts(VIRIDIS[low]);
  const to = parts(VIRIDIS[Math.min(low + 1, VIRIDIS.length - 1)]);
  const mixed = from.map((value, channel) => Math.round(value + (to[channel] - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

const parts = (hex) => [1, 3, 5].map((from) => parseInt(hex.slice(from, from + 2), 16));

// Black or white, whichever reads on viridis(share).
export const inkOn = (share) => (share > 0.55 ? "#111" : "#fff");

// The same device has the same colour on every page and in every picture: its place among the names that this storage
// knows. After the sixth, colours come again in another shape.
const SHAPES = ["", " square", " diamond", " ring"];
let known = [];
export function learnDevices(names) {
  known = [...new Set([...known, ...names])];
}
function placeOf(name) {
  if (!known.includes(name)) known.push(name);
  return known.indexOf(name);
}
export const deviceColour = (name) => category(placeOf(name) % 6); // the seventh is grey, which means nothing
export function deviceDot(name) {
  return el("span", { class: `dot${SHAPES[Math.floor(placeOf(name) / 6) % SHAPES.length]}`, style: { "--at": deviceColour(name) } });
}
