// Sets the theme kept in this browser before the first paint, so that nothing flashes.
try {
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* storage may be forbidden: then the system's theme holds */ }
