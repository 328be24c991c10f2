// Charts, in the colours of the reader's scheme. Those in view are drawn first, the others after.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const style = () => {
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(`--${name}`).trim();
    const [ink, muted, line, series] = ["ink", "muted", "line", "series"].map(color);
    const font = getComputedStyle(document.body).fontFamily;
    const colors = series.split(" ");
    const text = { labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500 };
    return {
      background: null,
      font,
      view: { stroke: null },
      axis: { ...text, labelColor: ink, titleColor: muted, gridColor: line, domainColor: muted, tickColor: muted, labelLimit: 150 },
      axisX: { labelOverlap: true },
      legend: { ...text, labelColor: ink, titleColor: muted, orient: "top", labelLimit: 190 },
      header: { ...text, labelColor: ink, titleColor: muted },
      title: { color: ink, font, anchor: "start" },
      text: { color: ink, font },
      rule: { color: muted },
      line: { strokeWidth: 2 },
      range: { category: colors, heatmap: { scheme: dark.matches ? "cividis" : "viridis" } },
      mark: { color: colors[0], tooltip: true },
      params: [{ name: "ink", value: ink }, { name: "page", value: color("card") }],
    };
  };
  const options = (spec) => ({
    mode: "vega-lite",
    ast: true, // Expressions are interpreted: the page's policy forbids eval.
    renderer: "svg",
    actions: { export: true, source: false, compiled: false, editor: false },
    config: style(),
    ...(spec.usermeta || {}).embedOptions,
  });
  const draw = async (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "begun";
    const spec = JSON.parse(place.closest("figure").querySelector(".spec").textContent);
    try {
      place.view = await vegaEmbed(place, { width: "container", autosize: { type: "fit-x", contains: "padding" }, ...spec }, options(spec));
      place.dataset.drawn = "yes";
    } catch (error) {
      place.dataset.drawn = "failed";
      place.textContent = "This chart could not be drawn; its numbers are below.";
      console.error(error);
    }
  };
  const places = [...document.querySelectorAll(".chart")];
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "600px" });
  places.forEach((place) => watch.observe(place));
  const idle = window.requestIdleCallback || ((task) => setTimeout(task, 50));
  const rest = async () => {
    const next = places.find((place) => !place.dataset.drawn);
    if (!next) return;
    await draw(next);
    idle(rest);
  };
  addEventListener("load", () => idle(rest));
  dark.addEventListener("change", () => {
    for (const place of places) {
      if (!place.view) continue;
      place.view.finalize();
      delete place.view;
      delete place.dataset.drawn;
      draw(place);
    }
  });
})();
