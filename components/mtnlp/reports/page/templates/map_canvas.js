// The drawing of a map: points as small shapes on a canvas, to be moved, zoomed and pointed at.
//
// Every shape is painted once, and then copied pixel by pixel into the picture. 20,000 points take a
// few milliseconds; the browser's own way to draw as many images takes many times as long.
class PointMap {
  // x, y: of all points, queries last. chosen: called with a point that was clicked, pointed: with
  // the one under the pointer, or -1.
  constructor(canvas, x, y, { chosen, pointed, marks }) {
    Object.assign(this, { canvas, x, y, chosen, pointed, marks });
    this.pen = canvas.getContext("2d", { willReadFrequently: true }); // It is written pixel by pixel.
    this.styles = []; this.kinds = new Uint8Array(x.length); this.order = x.map((_, i) => i);
    this.shown = []; this.faint = null; this.boost = 1; this.moved = false;
    this.touches = new Map();
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.resize();
    this.listen();
  }

  // kinds: of each point, its place in `styles`. order: which are drawn first.
  // shown: of each kind whether it is. faint: of each point whether it stands back, or null.
  // boost: how much larger those are that do not.
  set(parts) { Object.assign(this, parts); this.sprites = null; this.ask(); }

  resize() {
    const width = this.canvas.parentElement.clientWidth;
    if (!width) return; // Not to be seen: there is nothing to draw on.
    const height = Math.round(Math.max(300, Math.min(width * 0.7, innerHeight * 0.75, 640)));
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const old = this.width;
    Object.assign(this, { width, height, ratio, sprites: null });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    this.picture = this.pen.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.picture.data.buffer);
    if (!this.moved) this.reset(); else this.left += (width - old) / 2;
    this.ask();
  }

  // All points, with a margin.
  reset() {
    const range = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const [x0, x1] = range(this.x), [y0, y1] = range(this.y);
    this.scale = this.first = 0.94 * Math.min(this.width / (x1 - x0 || 1), this.height / (y1 - y0 || 1));
    this.left = this.width / 2 - (this.scale * (x0 + x1)) / 2;
    this.top = this.height / 2 + (this.scale * (y0 + y1)) / 2;
    this.moved = false;
    this.ask();
  }

  move(dx, dy) { this.left += dx; this.top += dy; this.moved = true; this.ask(); }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    factor = Math.max(0.5 * this.first, Math.min(200 * this.first, this.scale * factor)) / this.scale;
    this.left = x + (this.left - x) * factor;
    this.top = y + (this.top - y) * factor;
    this.scale *= factor;
    this.moved = true;
    this.ask();
  }

  at(i) { return [this.left + this.x[i] * this.scale, this.top - this.y[i] * this.scale]; }

  // The point nearest to a place, within some pixels, or -1. Those on top are looked at first.
  find(x, y, within = 14) {
    let best = -1, least = within * within;
    for (let k = this.order.length - 1; k >= 0; k--) {
      const i = this.order[k];
      if (!this.shown[this.kinds[i]]) continue;
      const dx = this.left + this.x[i] * this.scale - x, dy = this.top - this.y[i] * this.scale - y;
      const far = dx * dx + dy * dy;
      if (far < least) { least = far; best = i; }
    }
    return best;
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  // Each kind as lists of the pixels around a point, and of their colours; twice, at full strength
  // and faint. Shapes grow as the reader zooms in.
  paint() {
    const count = this.x.length, base = (count > 12000 ? 2.6 : count > 3000 ? 3.2 : count > 800 ? 4 : 5) * Math.min(1, 0.45 + this.width / 1200);
    const radius = Math.round(2 * this.ratio * Math.min(7, base * Math.max(1, this.scale / this.first) ** 0.3)) / 2;
    if (this.sprites && this.radius === radius) return;
    this.radius = radius;
    const size = 2 * Math.ceil(radius * 2.2 * this.boost) + 1, half = size >> 1, width = this.canvas.width;
    const pad = document.createElement("canvas");
    pad.width = pad.height = size;
    const pen = pad.getContext("2d", { willReadFrequently: true });
    const sprite = (style) => {
      pen.clearRect(0, 0, size, size);
      paintShape(pen, size, style, radius, style.plain ? null : this.marks.page);
      const colors = new Uint32Array(pen.getImageData(0, 0, size, size).data.buffer);
      const kept = [...colors.keys()].filter((k) => colors[k] >>> 24);
      return { half, to: Int32Array.from(kept, (k) => (((k / size) | 0) - half) * width + (k % size) - half), colors: Uint32Array.from(kept, (k) => colors[k]) };
    };
    pen.fillStyle = this.marks.page;
    pen.fillRect(0, 0, 1, 1);
    this.ground = new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
    this.sprites = this.styles.map((style) => [sprite({ ...style, grow: Math.max(style.grow ?? 1, Math.min(1.8, (style.grow ?? 1) * this.boost)) }), sprite({ ...style, alpha: 0.13, plain: true })]);
  }

  draw() {
    if (!this.picture) return;
    this.paint();
    const { pixels, order, kinds, shown, faint, ratio } = this;
    const width = this.canvas.width, height = this.canvas.height;
    pixels.fill(this.ground);
    for (const weak of faint ? [1, 0] : [0]) {
      for (let k = 0; k < order.length; k++) {
        const i = order[k], kind = kinds[i];
        if (!shown[kind] || (faint && faint[i] !== weak)) continue;
        const { half, to, colors } = this.sprites[kind][weak];
        const x = Math.round((this.left + this.x[i] * this.scale) * ratio), y = Math.round((this.top - this.y[i] * this.scale) * ratio);
        if (x < half || y < half || x >= width - half || y >= height - half) continue;
        const here = y * width + x;
        for (let p = 0; p < to.length; p++) {
          const color = colors[p], strong = color >>> 24, q = here + to[p];
          if (strong > 250) { pixels[q] = color; continue; }
          const under = pixels[q], weaker = 255 - strong;
          pixels[q] = 0xff000000 | ((((color >>> 16 & 255) * strong + (under >>> 16 & 255) * weaker) / 255) << 16)
            | ((((color >>> 8 & 255) * strong + (under >>> 8 & 255) * weaker) / 255) << 8) | (((color & 255) * strong + (under & 255) * weaker) / 255);
        }
      }
    }
    this.pen.putImageData(this.picture, 0, 0);
    this.over();
  }

  // What stands above the points: rings and names. marks: {page, ink, rings: [{at, color, radius, name}]}.
  over() {
    const pen = this.pen;
    pen.save();
    pen.scale(this.ratio, this.ratio);
    pen.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    for (const ring of this.marks.rings) {
      const [x, y] = this.at(ring.at);
      pen.lineWidth = ring.wide ?? 2;
      for (const [color, more] of [[this.marks.page, 3], [ring.color, 0]]) {
        pen.strokeStyle = color;
        pen.lineWidth = (ring.wide ?? 2) + more;
        pen.beginPath();
        pen.arc(x, y, ring.radius, 0, 7);
        pen.stroke();
        if (!ring.name) continue;
        const long = pen.measureText(ring.name).width, behind = x + ring.radius + 4;
        const start = behind + long < this.width ? behind : x - ring.radius - 4 - long;
        if (more) pen.strokeText(ring.name, start, y + 4.5);
        else { pen.fillStyle = this.marks.ink; pen.fillText(ring.name, start, y + 4.5); }
      }
    }
    pen.restore();
  }

  listen() {
    const { canvas, touches } = this;
    const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    let from = null, gap = 0;
    const on = (name, act, options) => canvas.addEventListener(name, act, options);
    on("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); touches.set(event.pointerId, place(event)); from = place(event); gap = 0; });
    on("pointermove", (event) => {
      const [x, y] = place(event), last = touches.get(event.pointerId);
      if (!last) return this.pointed(this.find(x, y), x, y);
      touches.set(event.pointerId, [x, y]);
      this.move((x - last[0]) / touches.size, (y - last[1]) / touches.size);
      if (touches.size === 2) {
        const [[ax, ay], [bx, by]] = touches.values(), far = Math.hypot(ax - bx, ay - by);
        if (gap) this.zoom(far / gap, (ax + bx) / 2, (ay + by) / 2);
        gap = far;
      }
    });
    on("pointerup", (event) => {
      const [x, y] = place(event);
      touches.delete(event.pointerId);
      if (from && Math.hypot(x - from[0], y - from[1]) < 5) this.chosen(this.find(x, y, event.pointerType === "mouse" ? 14 : 26));
      from = null;
    });
    on("pointercancel", (event) => { touches.delete(event.pointerId); from = null; });
    on("pointerleave", () => this.pointed(-1));
    // The wheel belongs to the page until the map has the focus.
    on("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 160), ...place(event));
    }, { passive: false });
    on("keydown", (event) => {
      const act = { ArrowLeft: () => this.move(50, 0), ArrowRight: () => this.move(-50, 0), ArrowUp: () => this.move(0, 50), ArrowDown: () => this.move(0, -50),
        "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3), 0: () => this.reset() }[event.key];
      if (act && !event.ctrlKey && !event.metaKey) { event.preventDefault(); act(); }
    });
  }
}
