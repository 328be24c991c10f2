// Charts, in the colours of the reader's scheme. Those in view are drawn first, the others after.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const style = (place) => {
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(`--${name}`).trim();
    const [ink, muted, line, series] = ["ink", "muted", "line", "series"].map(color);
    const font = getComputedStyle(document.body).fontFamily;
    const colors = series.split(" ");
    const text = { labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500 };
    return {
      background: color("card"),
      font,
      lineBreak: "\n",
      view: { stroke: null },
      axis: { ...text, labelColor: ink, titleColor: muted, gridColor: line, domainColor: muted, tickColor: muted, labelLimit: 175 },
      axisX: { labelOverlap: true, labelSeparation: 6 },
      legend: { ...text, labelColor: ink, titleColor: muted, orient: "top", labelLimit: 190, columns: Math.max(1, Math.floor(place.clientWidth / 130)) },
      header: { ...text, labelColor: ink, titleColor: muted },
      title: { color: ink, font, anchor: "start" },
      text: { color: ink, font },
      rule: { color: muted },
      line: { strokeWidth: 2 },
      range: { category: colors },
      mark: { color: colors[0], tooltip: true },
      // Names for the expressions of specs.
      params: Object.entries({
        ink,
        muted,
        page: color("card"),
        first: colors[0],
        second: colors[1],
        // The colour of text on a cell from some opacity of the two colours on.
        onto: dark.matches ? "#000" : "#fff",
        firstTurn: dark.matches ? 0.62 : 0.87,
        secondTurn: dark.matches ? 0.75 : 2,
      }).map(([name, value]) => ({ name, value })),
    };
  };
  const options = (spec, place) => ({
    mode: "vega-lite",
    ast: true, // Expressions are interpreted: the page's policy forbids eval.
    renderer: "svg",
    actions: false,
    config: style(place),
    ...(spec.usermeta || {}).embedOptions,
  });
  // Buttons that save the picture.
  const offer = (place) => {
    const figure = place.closest("figure");
    if (figure.querySelector(".save .picture")) return;
    for (const kind of ["svg", "png"]) {
      savers(figure).prepend(saveButton(kind.toUpperCase(), "picture", async () => [
        await place.view.view.toImageURL(kind, 2), `${figure.id}.${kind}`,
      ]));
    }
  };
  const draw = async (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "begun";
    const spec = JSON.parse(place.closest("figure").querySelector(".spec").textContent);
    try {
      const fit = { width: "container", autosize: { type: "fit-x", contains: "padding" } };
      place.view = await vegaEmbed(place, spec.width ? spec : { ...fit, ...spec }, options(spec, place));
      offer(place);
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
