// The shapes of the points of a map, around the middle of a square of pixels.
const MAP_SHAPES = {
  circle: (pen, r) => pen.arc(0, 0, r * 0.92, 0, 7),
  square: (pen, r) => pen.rect(-r * 0.8, -r * 0.8, r * 1.6, r * 1.6),
  triangle: (pen, r) => { pen.moveTo(0, -r * 1.1); pen.lineTo(r * 1.05, r * 0.8); pen.lineTo(-r * 1.05, r * 0.8); pen.closePath(); },
  diamond: (pen, r) => { pen.moveTo(0, -r * 1.2); pen.lineTo(r * 1.05, 0); pen.lineTo(0, r * 1.2); pen.lineTo(-r * 1.05, 0); pen.closePath(); },
  plus: (pen, r) => { pen.rect(-r * 0.36, -r * 1.1, r * 0.72, r * 2.2); pen.rect(-r * 1.1, -r * 0.36, r * 2.2, r * 0.72); },
  cross: (pen, r) => { pen.rotate(Math.PI / 4); MAP_SHAPES.plus(pen, r); },
  down: (pen, r) => { pen.rotate(Math.PI); MAP_SHAPES.triangle(pen, r); },
  star: (pen, r) => {
    for (let i = 0; i < 10; i++) {
      const angle = (Math.PI * i) / 5 - Math.PI / 2, far = i % 2 ? r * 0.52 : r * 1.25;
      pen.lineTo(Math.cos(angle) * far, Math.sin(angle) * far);
    }
    pen.closePath();
  },
};

// A shape around the centre of a square of `size` pixels. halo: the colour of its edge.
function paintShape(pen, size, style, radius, halo) {
  pen.save();
  pen.translate(size / 2, size / 2);
  pen.globalAlpha = style.alpha ?? 1;
  pen.beginPath();
  MAP_SHAPES[style.shape](pen, radius * (style.grow ?? 1));
  if (halo) { pen.lineWidth = radius * 0.5; pen.strokeStyle = halo; pen.stroke(); }
  pen.fillStyle = style.color;
  pen.fill();
  pen.restore();
}
