// Questions to the reader, and short answers at the foot of the page.
import { button, el } from "./dom.js";

// Resolves to the chosen value; null where it was closed.
export function askDialog(title, body, choices) {
  return new Promise((resolve) => {
    const box = el("dialog", { "aria-label": title }, el("h2", {}, title), body);
    const answer = (value) => {
      box.close();
      resolve(value);
    };
    box.append(el("div", { class: "row" }, choices.map(([words, value, look]) =>
      button(words, () => answer(typeof value === "function" ? value() : value), { class: look ?? "" }))));
    box.addEventListener("cancel", () => resolve(null));
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
    (box.querySelector("input, textarea") ?? box.querySelector(".row button:last-child"))?.focus();
  });
}

export function askText(title, value, { long = false, hint = "", words = "Save" } = {}) {
  const field = long ? el("textarea", { "aria-label": title }) : el("input", { "aria-label": title });
  field.value = value;
  const body = el("div", {}, field, hint && el("p", { class: "soft small" }, hint));
  const done = askDialog(title, body, [["Cancel", null], [words, () => field.value, "primary"]]);
  if (!long) field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.closest("dialog").querySelector("button.primary").click();
  });
  return done;
}

export function askSure(title, sentence, words) {
  return askDialog(title, el("p", {}, sentence), [["Cancel", null], [words, true, "danger"]]);
}

let shown = null;
export function toast(words, bad = false) {
  shown?.remove();
  shown = el("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : "status" }, words);
  document.body.append(shown);
  const mine = shown;
  setTimeout(() => mine.remove(), bad ? 7000 : 2500);
}

// A button that opens a small list; `items` is called each time it opens.
export function menu(words, items, attributes = {}) {
  const box = el("span", { class: "menu" });
  const close = () => {
    list?.remove();
    list = null;
    opener.setAttribute("aria-expanded", "false");
  };
  let list = null;
  const opener = button(words, () => {
    if (list) return close();
    list = el("div", {}, items(close));
    box.append(list);
    opener.setAttribute("aria-expanded", "true");
    list.querySelector("button, a, input")?.focus();
  }, { "aria-expanded": "false", "aria-haspopup": "true", ...attributes });
  document.addEventListener("pointerdown", (event) => list && !box.contains(event.target) && close());
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !list) return;
    event.stopPropagation();
    close();
    opener.focus();
  });
  box.append(opener);
  return box;
}
