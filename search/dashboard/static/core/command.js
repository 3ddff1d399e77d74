// Commands for the reader's terminal, on the database that this page shows.
import { el } from "./dom.js";

const { option } = document.documentElement.dataset;

export const command = (words) => `python -m search ${words}${option ?? ""}`;

// What a place says while it is empty, and the command that fills it.
export const empty = (words, line) => el("div", { class: "empty" }, words, line && [el("br"), el("code", {}, line)]);
