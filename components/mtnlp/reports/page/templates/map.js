// What stands around a map: legend, search, the list of points and of a point's neighbours.
(() => {
  const NONE = 255, LISTED = 40, FORMS = Object.keys(MAP_SHAPES);
  const column = (text, Type) => text && new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const grouped = (number) => number.toLocaleString("en");

  function read(root) {
    const data = JSON.parse(root.querySelector(".map-data").textContent);
    const Place = data.wide ? Uint32Array : Uint16Array;
    for (const [name, Type] of [["x", Uint16Array], ["y", Uint16Array], ["predicted", Uint8Array], ["score", Uint8Array], ["marks", Uint16Array], ["near", Place], ["cosine", Int8Array]]) data[name] = column(data[name], Type);
    for (const mode of Object.values(data.modes)) mode.kinds = column(mode.kinds, Uint8Array);
    data.count = data.texts.length;
    return data;
  }

  // The ways to colour the points. The last kind of each is that of points of which nothing is known.
  function modes(data) {
    const found = {};
    for (const [key, { names, styles, kinds }] of Object.entries(data.modes)) {
      const counts = names.map(() => 0);
      kinds.forEach((kind) => counts[kind]++);
      const draw = (colors) => styles.map((style, kind) => (style
        ? { color: colors[key === "score" ? "ramp" : "series"][style[0] % 8], shape: FORMS[style[1] % 8] }
        : { color: colors.muted, shape: "circle", grow: kind === names.length - 1 ? 0.55 : 0.7 }));
      // What is grey lies below the rest, and high scores below low ones.
      const late = { label: (kind) => styles[kind] !== null, score: (kind) => (styles[kind] ? -kind : -99), error: (kind) => styles[kind] !== null }[key];
      if (counts.some((count, kind) => count && kind < names.length - 1)) found[key] = { names, kinds, counts, styles: draw, shown: names.map(() => true), late };
    }
    return found;
  }

  function colors() {
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(`--${name}`).trim();
    return { page: color("card"), ink: color("ink"), muted: color("muted"), focus: color("focus"), series: color("series").split(" "), ramp: color("ramp").split(" ") };
  }

  function setUp(root) {
    const data = read(root), all = modes(data), total = data.count + data.queries.length;
    const part = (name) => root.querySelector(`.map-${name}`);
    const [tip, legend, found, picked, status, search] = ["tip", "legend", "found", "picked", "status", "search"].map(part);
    const named = data.marks !== null;
    let words = null, match = null, mode = null, palette = colors(), at = -1;
    const trail = [];

    const text = (i) => {
      const line = make("span", undefined, { class: "map-text" }), query = data.queries[i - data.count];
      const whole = query ? query.text : data.texts[i];
      const [start, end] = query ? query.mark || [0, 0] : named ? data.marks.subarray(2 * i, 2 * i + 2) : [0, 0];
      line.append(whole.slice(0, start), make("b", whole.slice(start, end)), whole.slice(end));
      return line;
    };
    const about = (i) => {
      if (i >= data.count) return "query";
      const name = (key) => { const { names, kinds } = data.modes[key]; return kinds[i] < names.length - 1 ? names[kinds[i]] : null; };
      const [label, error] = [name("label"), name("error")], said = data.predicted[i], score = data.score[i];
      const facts = [label ?? data.modes.label.names.at(-1)];
      if (said !== NONE && data.labels[said] !== label) facts.push(`predicted ${data.labels[said]}`);
      if (score !== NONE) facts.push(`score ${(score / 100).toFixed(2)}`);
      if (error !== null) facts.push(error);
      return facts.join(" · ");
    };
    const near = (i) => {
      const query = data.queries[i - data.count], count = data.neighbours;
      return query ? query.near.map((place, n) => [place, query.cosine[n]])
        : Array.from({ length: count }, (_, n) => [data.near[i * count + n], data.cosine[i * count + n] / 100]);
    };
    const entry = (i, before = "") => {
      const item = make("li"), button = make("button", undefined, { type: "button" });
      button.append(text(i), make("span", before + about(i), { class: "map-about" }));
      button.addEventListener("click", () => pick(i, true));
      item.append(button);
      return item;
    };

    const map = new PointMap(root.querySelector("canvas"), Float32Array.from(data.x), Float32Array.from(data.y), {
      marks: { page: palette.page, ink: palette.ink, rings: [] },
      chosen: (i) => (i < 0 ? close() : pick(i)),
      pointed: (i, x, y) => {
        tip.hidden = i < 0;
        if (i < 0) return;
        tip.replaceChildren(text(i), make("span", about(i), { class: "map-about" }));
        tip.style.left = `${Math.max(0, Math.min(x + 14, map.width - tip.offsetWidth - 4))}px`;
        tip.style.top = `${y + 18 + tip.offsetHeight > map.height ? Math.max(0, y - tip.offsetHeight - 12) : y + 18}px`;
      },
    });

    function rings() {
      const marked = at < 0 ? [] : near(at).map(([place]) => ({ at: place, color: palette.focus, radius: 7 }));
      if (at >= 0) marked.push({ at, color: palette.ink, radius: 10, wide: 3 });
      data.queries.forEach((_, i) => marked.push({ at: data.count + i, color: palette.ink, radius: 9, name: `query ${i + 1}` }));
      map.marks = { page: palette.page, ink: palette.ink, rings: marked.filter((ring) => map.shown[map.kinds[ring.at]]) };
      map.ask();
    }

    function color() {
      const { kinds, names, shown, late } = mode;
      const all = new Uint8Array(total).fill(names.length);
      all.set(kinds);
      const order = Uint32Array.from({ length: total }, (_, i) => i);
      // Queries lie on top.
      const level = (i) => (all[i] === names.length ? names.length : Number(late(all[i])));
      if (late) order.sort((a, b) => level(a) - level(b) || a - b);
      const styles = [...mode.styles(palette), { color: palette.ink, shape: "star", grow: 1.8 }];
      map.set({ kinds: all, order, styles, shown: [...shown, true], marks: map.marks });
      rings();
      legend.replaceChildren(...names.map((name, kind) => [name, kind]).filter(([, kind]) => mode.counts[kind]).map(([name, kind]) => {
        const button = make("button", undefined, { type: "button", "aria-pressed": shown[kind], title: "Press to hide or show; with Shift, to show it alone" });
        const swatch = make("canvas", undefined, { width: 28, height: 28, "aria-hidden": "true" });
        paintShape(swatch.getContext("2d"), 28, { ...styles[kind], grow: 1 }, 9);
        button.append(swatch, make("span", name), make("span", grouped(mode.counts[kind]), { class: "map-number" }));
        button.addEventListener("click", (event) => {
          if (event.shiftKey) {
            const alone = shown.every((is, other) => is === (other === kind));
            shown.forEach((_, other) => { shown[other] = alone || other === kind; });
          } else shown[kind] = !shown[kind];
          color();
          legend.children[[...legend.children].findIndex((item) => item.dataset.kind === String(kind))].firstChild.focus();
          list();
        });
        const item = make("li", undefined, { "data-kind": kind });
        item.append(button);
        return item;
      }));
    }

    // What is searched for, or else the first points that are shown.
    function list() {
      const places = [];
      let count = 0;
      for (let i = 0; i < data.count; i++) {
        if (!mode.shown[mode.kinds[i]] || (match && !match[i])) continue;
        if (count++ < LISTED) places.push(i);
      }
      status.textContent = `${grouped(count)} of ${grouped(data.count)} ${data.of}` + (match ? ` with “${search.value.trim()}”` : "") + (count > LISTED ? `, the first ${LISTED} of them:` : ":");
      const asked = match ? [] : data.queries.map((_, i) => entry(data.count + i, `${i + 1}: `));
      found.replaceChildren(...asked, ...places.map((i) => entry(i)));
    }

    function pick(i, focus, back) {
      if (at >= 0 && !back) trail.push(at);
      at = i;
      part("chosen").replaceChildren(text(i), make("span", about(i), { class: "map-about" }));
      part("near").replaceChildren(...near(i).map(([place, cosine]) => entry(place, `cosine ${cosine.toFixed(2)} · `)));
      picked.hidden = false;
      part("all").hidden = true;
      if (focus) picked.focus();
      picked.scrollTop = 0;
      rings();
    }

    function close() {
      at = -1;
      trail.length = 0;
      const inside = picked.contains(document.activeElement);
      picked.hidden = true;
      part("all").hidden = false;
      if (inside) search.focus();
      rings();
    }

    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      words ??= data.texts.map((whole, i) => (named ? whole.slice(...data.marks.subarray(2 * i, 2 * i + 2)) : whole).toLowerCase());
      match = wanted ? Uint8Array.from(words, (word) => word.includes(wanted)) : null;
      const faint = match && new Uint8Array(total);
      match?.forEach((is, i) => { faint[i] = 1 - is; });
      map.set({ faint, boost: match?.reduce((sum, is) => sum + is, 0) < 200 ? 1.8 : 1 });
      list();
    });
    part("back").addEventListener("click", () => (trail.length ? pick(trail.pop(), true, true) : close()));
    root.addEventListener("keydown", (event) => { if (event.key === "Escape" && at >= 0) { event.preventDefault(); close(); } });
    for (const [name, act] of [["in", () => map.zoom(1.5)], ["out", () => map.zoom(1 / 1.5)], ["whole", () => map.reset()]]) part(name).addEventListener("click", act);
    const choices = [...root.querySelectorAll("input[type=radio]")];
    for (const choice of choices) {
      choice.parentElement.hidden = !all[choice.value];
      choice.addEventListener("change", () => { mode = all[choice.value]; color(); list(); });
    }
    const first = choices.find((choice) => all[choice.value] && choice.defaultChecked) || choices.find((choice) => all[choice.value]);
    mode = all[first?.value] || { names: [data.of], kinds: new Uint8Array(data.count), counts: [data.count], shown: [true], styles: (colors) => [{ color: colors.series[0], shape: "circle" }] };
    if (first) first.checked = true;
    color();
    list();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { palette = colors(); color(); });
    root.map = map;
  }

  document.querySelectorAll(".map").forEach(setUp);
})();
