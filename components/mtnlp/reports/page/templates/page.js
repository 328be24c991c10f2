// The contents: closed on narrow screens, and showing where the reader is.
(() => {
  const details = document.querySelector(".contents details");
  if (!details) return;
  const narrow = matchMedia("(max-width: 860px)");
  const fit = () => { details.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
  const links = new Map([...details.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const seen = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    // The last one in the order of the page is the innermost of those in view's upper part.
    const here = [...links.keys()].filter((name) => seen.has(name)).pop();
    for (const [name, link] of links) {
      if (name === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "0px 0px -70% 0px" });
  for (const name of links.keys()) watch.observe(document.getElementById(name));
})();

// A line of buttons below a figure that save what it shows.
function savers(card) {
  const found = card.querySelector(".save");
  if (found) return found;
  const line = document.createElement("div");
  line.className = "save";
  card.append(line);
  return line;
}
// make: gives the address of the data and the name of the file.
function saveButton(label, kind, make) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = kind;
  button.textContent = label;
  button.setAttribute("aria-label", `Save as ${label}`);
  button.addEventListener("click", async () => {
    const link = document.createElement("a");
    [link.href, link.download] = await make();
    link.click();
  });
  return button;
}
