// The card beside the pointer. It is not a target itself: what it shows is also on the trial's page.
import { el, fill } from "./dom.js";

let card = null;
let at = [0, 0];

export function showCard(x, y, ...content) {
  card ??= document.body.appendChild(el("div", { class: "hovercard", role: "tooltip" }));
  card.hidden = false;
  fill(card, content);
  at = [x, y];
  place();
  return card;
}

export function hideCard() {
  if (card) card.hidden = true;
}

export const cardShown = () => card && !card.hidden;

export function replaceInCard(selector, node) {
  card?.querySelector(selector)?.replaceChildren(node);
  if (cardShown()) place(); // it may have grown beyond the window
}

function place() {
  const [x, y] = at;
  const { width, height } = card.getBoundingClientRect();
  const right = x + 18 + width > innerWidth - 8 ? x - 18 - width : x + 18;
  const below = y + 14 + height > innerHeight - 8 ? innerHeight - 8 - height : y + 14;
  card.style.left = `${Math.max(8, Math.min(right, innerWidth - 8 - width))}px`;
  card.style.top = `${Math.max(8, below)}px`;
}

export function pairs(rows) {
  return el("dl", { class: "pair" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

document.addEventListener("scroll", hideCard, { passive: true, capture: true });
document.addEventListener("keydown", (event) => event.key === "Escape" && hideCard());
