// Preparations: what is made once before studies and shared by them, such as the training of a supernet.
import { get, page, studyPage } from "../core/api.js";
import { command, empty } from "../core/command.js";
import { byId, el, fill } from "../core/dom.js";
import { start } from "../core/frame.js";
import { percent } from "../core/format.js";
import { every } from "../core/live.js";
import { stateMark, when } from "../study/words.js";

const listed = async () => {
  const answer = await get("/preparations");
  return Array.isArray(answer) ? answer : answer.preparations;
};

if (document.body.dataset.page === "preparations" && !document.documentElement.dataset.key) start(async () => {
  draw(await listed());
  every(3000, async () => draw(await listed()));
});

function draw(all) {
  if (!all.length) {
    fill(byId("page"), empty("Nothing was prepared here yet. A study that learns something before its trials makes a preparation at its first launch:", command("launch fbnet")));
    return;
  }
  const words = ["Preparation", "Kind", "State", "Progress", "Studies", "Last change"];
  fill(byId("page"), el("div", { class: "panel scroll-x", tabindex: "0", role: "region", "aria-label": "Preparations" }, el("table", { class: "table" }, el("thead", {}, el("tr", {}, words.map((one) => el("th", { scope: "col", class: one === "Progress" ? "num" : null }, one)))), el("tbody", {}, all.map((one) => el("tr", {},
    el("td", { class: "name", title: one.key }, el("a", { href: page(`/preparations/${encodeURIComponent(one.key)}`) }, one.key.slice(0, 12))), el("td", {}, one.kind ?? "–"), el("td", {}, stateMark(String(one.state ?? "–").toLowerCase())),
    el("td", { class: "num" }, progress(one.progress)), el("td", {}, (one.studies ?? []).map((name, index) => [index > 0 && ", ", el("a", { href: studyPage(name) }, name)])), el("td", { class: "soft" }, when(one.updated_at))))))));
}

export const progress = (value) => (value === null || value === undefined ? "–" : typeof value === "number" ? percent(value, 0) : String(value));
