// What every page starts: the theme, the keys, the devices' colours, and how the page ends when something fails.
import { get, page } from "./api.js";
import { learnDevices } from "./colours.js";
import { askDialog, toast } from "./dialog.js";
import { byId, el, fill } from "./dom.js";
import { startTheme } from "./theme.js";

const KEYS = [["/", "go to the search or the filter"], ["g s", "studies"], ["g d", "devices"], ["g c", "compare"], ["g p", "preparations"], ["t", "theme"],
  ["← →", "on a focused plot: walk along the front"], ["Enter", "on a focused plot: open the trial"], ["Esc", "clear the selection, close"], ["?", "these keys"]];
const PLACES = { s: "/", d: "/devices", c: "/compare", p: "/preparations" };
let went = 0;

startTheme();
document.addEventListener("keydown", onKey);
export const devicesKnown = get("/devices").then((answer) => {
  learnDevices(answer.order);
  return answer.devices;
}).catch(() => []);

export function start(work) {
  devicesKnown.then(work).catch(showFailure);
}

export function showFailure(error) {
  console.warn(error);
  const message = error.message.split("; GET ")[0].replace(/\.?$/, ".");
  const more = error.status ? "" : " Is the dashboard still running? Load the page again once it is.";
  fill(byId("page"), el("p", { class: "notice bad", role: "alert" }, message[0].toUpperCase(), message.slice(1), more), el("p", {}, el("a", { href: page("/") }, "All studies")));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const key = event.key;
  if (Date.now() - went < 1200 && PLACES[key]) location.href = page(PLACES[key]);
  else if (key === "g") went = Date.now();
  else if (key === "t") byId("theme").click();
  else if (key === "?") showKeys();
  else if (key === "/") {
    const box = document.querySelector("[data-search]");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.scrollIntoView({ block: "center" });
  }
}

function showKeys() {
  askDialog("Keys", el("dl", { class: "pair" }, KEYS.map(([key, words]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, words)])), [["Close", null]]);
}

export function copy(text, words = "Copied") {
  if (!navigator.clipboard) return toast("Copying needs https or localhost: select the text instead.", true);
  return navigator.clipboard.writeText(text).then(() => toast(words), () => toast("The browser refused to copy.", true));
}
