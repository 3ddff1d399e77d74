// Light and dark: as the system says, or as chosen here and kept in this browser.
import { byId } from "./dom.js";

const NEXT = { system: "light", light: "dark", dark: "system" };
const MARKS = { system: "◐", light: "☀", dark: "☾" };
const WORDS = { system: "as the system", light: "light", dark: "dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => document.documentElement.dataset.theme ?? "system";
export const isDark = () => (chosen() === "system" ? system.matches : chosen() === "dark");
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function onTheme(work) {
  document.addEventListener("theme", work);
}

const tell = (now = false) => document.dispatchEvent(new CustomEvent("theme", { detail: { now } }));

function keep(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch { /* not kept */ }
}

export function startTheme() {
  const control = byId("theme");
  const show = () => {
    control.textContent = MARKS[chosen()];
    control.setAttribute("aria-label", `Theme: ${WORDS[chosen()]}; change`);
    control.title = `Theme: ${WORDS[chosen()]}`;
  };
  control.addEventListener("click", () => {
    keep(NEXT[chosen()]);
    show();
    tell();
  });
  system.addEventListener("change", () => tell());
  printInLight();
  show();
}

// Paper is light: plots are drawn anew for it, and back.
function printInLight() {
  let before;
  addEventListener("beforeprint", () => {
    before = chosen();
    document.documentElement.dataset.theme = "light";
    tell(true);
  });
  addEventListener("afterprint", () => {
    if (before === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = before;
    tell();
  });
}
