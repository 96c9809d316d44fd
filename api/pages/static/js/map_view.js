// Points on a canvas: what is drawn where, moving, zooming, and which point is under the pointer.

import { onSchemeChange, resolved } from "./colours.js";
import { listenToMap } from "./map_gestures.js";

const CELL = 0.02; // of the square from -1 to 1: small enough that a cell holds few points
const NEAR_PX = 12;
const MANY = 4000; // beyond this, points are small squares, which are drawn fastest
const MOST_ZOOM = 200;

export class MapView {
  /** `onHover(row | null, x, y)` and `onChoose(row)` are told which point is meant. */
  constructor(frame, canvas, { onHover, onChoose }) {
    Object.assign(this, { frame, canvas, onHover, onChoose, zoom: 1, x: 0, y: 0, scale: 1, marked: null, hidden: new Set() });
    this.brush = canvas.getContext("2d");
    this.show({ x: [], y: [], kinds: [], colours: [] });
    new ResizeObserver(() => this.resize()).observe(frame);
    onSchemeChange(() => this.draw());
    listenToMap(this);
  }

  /** Take new points: columns `x`, `y` in [-1, 1] and `kinds`, of which each has a CSS colour in `colours`. */
  show({ x, y, kinds, colours }) {
    Object.assign(this, { xs: Float64Array.from(x), ys: Float64Array.from(y), kinds, colours, grid: new Map() });
    this.rowsOf = colours.map(() => []); // colour by colour, because changing it is what costs time
    kinds.forEach((kind, row) => {
      this.rowsOf[kind].push(row);
      const key = this.cell(x[row], y[row]);
      if (this.grid.has(key)) this.grid.get(key).push(row);
      else this.grid.set(key, [row]);
    });
    this.draw();
  }

  get size() { return this.xs.length; }

  mark(row, { move = true } = {}) {
    this.marked = row;
    if (move && row !== null) this.moveTo(this.xs[row], this.ys[row], Math.max(this.zoom, 3));
    else this.draw();
  }

  moveTo(x, y, zoom) {
    this.zoom = Math.min(Math.max(zoom, 1), MOST_ZOOM);
    const room = 1 - 1 / this.zoom;
    this.x = Math.min(Math.max(x, -room), room);
    this.y = Math.min(Math.max(y, -room), room);
    this.draw();
  }

  zoomBy(factor) { this.moveTo(this.x, this.y, this.zoom * factor); }

  /** Zoom so that what lies under these pixels stays there. */
  zoomAt(px, py, factor) {
    const [x, y] = this.under(px, py);
    const zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    const share = this.zoom / zoom;
    this.moveTo(x + (this.x - x) * share, y + (this.y - y) * share, zoom);
  }

  resize() {
    const { width, height } = this.frame.getBoundingClientRect();
    this.scale = devicePixelRatio;
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(height * this.scale);
    this.paint(); // at once: a resized canvas is empty
  }

  /** Pixels of the canvas for one unit of the plane, and where the plane's origin lies. */
  frameOf() {
    const { width, height } = this.canvas;
    const unit = (Math.min(width, height) / 2 - 12 * this.scale) * this.zoom;
    return { unit, left: width / 2 - this.x * unit, top: height / 2 + this.y * unit };
  }

  /** The point of the plane at pixels of the screen, counted from the frame's corner. */
  under(px, py) {
    const { unit, left, top } = this.frameOf();
    return [(px * this.scale - left) / unit, (top - py * this.scale) / unit];
  }

  draw() {
    this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const { brush, canvas } = this;
    brush.clearRect(0, 0, canvas.width, canvas.height);
    const isMany = this.size > MANY;
    const grown = Math.min(1 + Math.log2(this.zoom) / 4, 2.5);
    const size = (isMany ? 2.5 : 7) * this.scale * grown;
    brush.globalAlpha = isMany ? 0.8 : 0.85;
    this.colours.forEach((colour, kind) => {
      if (this.hidden.has(kind)) return;
      brush.fillStyle = resolved(colour);
      if (isMany) this.paintSquares(this.rowsOf[kind], size);
      else this.paintDots(this.rowsOf[kind], size / 2);
    });
    brush.globalAlpha = 1;
    if (this.marked !== null) this.ring(this.marked);
  }

  paintSquares(rows, size) {
    const { brush, xs, ys } = this;
    const { unit, left, top } = this.frameOf();
    const [right, bottom] = [this.canvas.width, this.canvas.height];
    for (const row of rows) {
      const px = left + xs[row] * unit - size / 2;
      const py = top - ys[row] * unit - size / 2;
      if (px > -size && py > -size && px < right && py < bottom) brush.fillRect(px, py, size, size);
    }
  }

  paintDots(rows, radius) {
    const { brush, xs, ys } = this;
    const { unit, left, top } = this.frameOf();
    for (const row of rows) {
      brush.beginPath(); // one path for all would leave holes where they overlap
      brush.arc(left + xs[row] * unit, top - ys[row] * unit, radius, 0, 2 * Math.PI);
      brush.fill();
    }
  }

  ring(row) {
    const { brush } = this;
    const { unit, left, top } = this.frameOf();
    brush.strokeStyle = resolved("var(--ink)");
    brush.lineWidth = 2.5 * this.scale;
    brush.beginPath();
    brush.arc(left + this.xs[row] * unit, top - this.ys[row] * unit, 9 * this.scale, 0, 2 * Math.PI);
    brush.stroke();
  }

  cell(x, y) {
    return Math.floor((x + 1) / CELL) * 1000 + Math.floor((y + 1) / CELL);
  }

  /** Row of the nearest shown point within a few pixels, or null. */
  nearest(px, py) {
    const [x, y] = this.under(px, py);
    const reach = (NEAR_PX * this.scale) / this.frameOf().unit;
    let best = null;
    let least = reach * reach;
    for (let cx = x - reach; cx <= x + reach + CELL; cx += CELL) {
      for (let cy = y - reach; cy <= y + reach + CELL; cy += CELL) {
        for (const row of this.grid.get(this.cell(cx, cy)) ?? []) {
          const distance = (this.xs[row] - x) ** 2 + (this.ys[row] - y) ** 2;
          if (distance <= least && !this.hidden.has(this.kinds[row])) [best, least] = [row, distance];
        }
      }
    }
    return best;
  }
}
