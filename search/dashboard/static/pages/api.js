// The REST API, as the server describes it: requests, then the documents that answer them.
import { api, get } from "../core/api.js";
import { byId, el, fill } from "../core/dom.js";
import { start } from "../core/frame.js";

start(async () => {
  const { info, paths, components } = await get("/openapi.json");
  fill(byId("page"), el("p", { class: "soft" }, info.description, " ", el("a", { href: api("/openapi.json") }, "openapi.json")),
    Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operation(path, method, one))),
    el("h2", {}, "Documents"), Object.entries(components.schemas).map(([name, schema]) => documentOf(name, schema)));
});

function operation(path, method, one) {
  const parameters = (one.parameters ?? []).map((parameter) => [el("dt", { class: "mono" }, parameter.name), el("dd", {}, [parameter.description ?? parameter.schema?.description ?? "", parameter.required ? "(required)" : ""].filter(Boolean).join(" ") || "–")]);
  const answers = Object.entries(one.responses["200"]?.content ?? {}).map(([media, { schema }]) => [el("code", {}, media), " ", typeOf(schema), " "]);
  return el("details", { class: "panel" }, el("summary", {}, el("b", { class: "mono" }, method.toUpperCase()), " ", el("code", {}, path), " ", el("span", { class: "soft" }, (one.description ?? one.summary ?? "").split("\n")[0])),
    el("p", { class: "described" }, one.description ?? ""), parameters.length > 0 && el("dl", { class: "pair" }, parameters), answers.length > 0 && el("p", {}, "Answer: ", answers));
}

function documentOf(name, schema) {
  const fields = Object.entries(schema.properties ?? {}).map(([field, one]) => [el("dt", { class: "mono" }, field), el("dd", {}, typeOf(one), one.description && ` – ${one.description}`)]);
  return el("details", { class: "panel", id: name }, el("summary", {}, el("b", { class: "mono" }, name), " ", el("span", { class: "soft" }, (schema.description ?? "").split("\n")[0])),
    fields.length > 0 && el("dl", { class: "pair" }, fields));
}

// A schema in a few words; a document's name is a link to it.
function typeOf(schema) {
  if (schema?.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return el("a", { href: `#${name}`, onclick: () => { byId(name).open = true; } }, name);
  }
  if (schema?.anyOf) return schema.anyOf.map((one, index) => [index > 0 && " or ", typeOf(one)]);
  if (schema?.type === "array") return ["list of ", typeOf(schema.items)];
  if (schema?.type === "object" && schema.additionalProperties?.constructor === Object) return ["values by name, each ", typeOf(schema.additionalProperties)];
  return schema?.const ?? schema?.enum?.join(", ") ?? schema?.format ?? schema?.type ?? "any value";
}
