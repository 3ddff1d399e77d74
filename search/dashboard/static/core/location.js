// The page's state in its URL: what is set to its default is left out.

const current = () => new URLSearchParams(location.search);

export function param(name, fallback = "") {
  return current().get(name) ?? fallback;
}

export function setParams(changes) {
  const params = current();
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined || value === false) params.delete(name);
    else params.set(name, String(value));
  }
  const query = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%40", "@");
  history.replaceState(null, "", location.pathname + (query ? `?${query}` : "") + location.hash);
  document.dispatchEvent(new CustomEvent("params"));
}
