// Before the first paint: the theme kept in this browser, so that nothing flashes; and the answers that the page will
// want first, so that they are on their way while its modules are.
try {
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* storage may be forbidden: then the system's theme holds */ }
{
  const { root, early } = document.documentElement.dataset;
  const ask = (path) => fetch(`${root}/api/v1${path}`, { headers: { Accept: path.includes("/columns?") ? "application/octet-stream" : "application/json" }, cache: "no-cache" });
  globalThis.early = new Map((early ?? "").split(" ").filter(Boolean).map((path) => [path, ask(path)]));
  for (const answer of globalThis.early.values()) answer.catch(() => null);
}
