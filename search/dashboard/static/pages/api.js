// The REST API, as the server describes it.
import { api, get } from "../core/api.js";
import { byId, el, fill } from "../core/dom.js";
import { start } from "../core/frame.js";

start(async () => {
  const { info, paths } = await get("/openapi.json");
  const place = byId("page");
  fill(place, el("p", { class: "soft" }, info.description, " ", el("a", { href: api("/openapi.json") }, "openapi.json")),
    Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operation(path, method, one))));
});

function operation(path, method, one) {
  const parameters = (one.parameters ?? []).map((parameter) => [el("dt", { class: "mono" }, parameter.name), el("dd", {}, [parameter.description ?? parameter.schema?.description ?? "", parameter.required ? "(required)" : ""].filter(Boolean).join(" ") || "–")]);
  return el("details", { class: "panel" }, el("summary", {}, el("b", { class: "mono" }, method.toUpperCase()), " ", el("code", {}, path), " ", el("span", { class: "soft" }, (one.description ?? one.summary ?? "").split("\n")[0])),
    el("p", { class: "described" }, one.description ?? ""), parameters.length > 0 && el("dl", { class: "pair" }, parameters));
}
