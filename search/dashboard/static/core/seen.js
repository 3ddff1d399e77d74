// Work on a part of the page that waits while the part cannot be seen.

export function whileSeen(node, work) {
  let seen = true;
  let waiting = false;
  const watcher = new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (!seen || !waiting) return;
    waiting = false;
    work();
  }, { rootMargin: "150px" });
  watcher.observe(node);
  return () => {
    if (seen) work();
    else waiting = true;
  };
}
