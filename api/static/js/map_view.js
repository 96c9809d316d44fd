// Points on a canvas: what is drawn where, moving, zooming, and which point is under the pointer.

import { onSchemeChange, resolved } from "./colours.js";

const CELL = 0.02; // of the square from -1 to 1: small enough that a cell holds few points
const NEAR_PX = 12;
const MOST_ZOOM = 200;

export class MapView {
  /** `onHover(row | null, x, y)` and `onChoose(row)` are told which point is meant. */
  constructor(frame, canvas, { onHover, onChoose }) {
    Object.assign(this, { frame, canvas, onHover, onChoose, zoom: 1, x: 0, y: 0, marked: null, hidden: new Set() });
    this.points = { x: [], y: [], colours: [] };
    new ResizeObserver(() => this.resize()).observe(frame);
    onSchemeChange(() => this.draw());
    this.listen();
  }

  /** Take new points: columns `x`, `y` in [-1, 1], and a CSS colour for each. */
  show(points) {
    this.points = points;
    this.grid = new Map();
    points.x.forEach((x, row) => {
      const key = this.cell(x, points.y[row]);
      if (this.grid.has(key)) this.grid.get(key).push(row);
      else this.grid.set(key, [row]);
    });
    this.draw();
  }

  mark(row, { move = true } = {}) {
    this.marked = row;
    if (move && row !== null) this.moveTo(this.points.x[row], this.points.y[row], Math.max(this.zoom, 3));
    else this.draw();
  }

  moveTo(x, y, zoom) {
    this.zoom = Math.min(Math.max(zoom, 1), MOST_ZOOM);
    const room = 1 - 1 / this.zoom;
    this.x = Math.min(Math.max(x, -room), room);
    this.y = Math.min(Math.max(y, -room), room);
    this.draw();
  }

  resize() {
    const { width, height } = this.frame.getBoundingClientRect();
    this.scale = devicePixelRatio;
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(height * this.scale);
    this.draw();
  }

  /** Pixels of the canvas for a point of the plane. */
  place(x, y) {
    const half = Math.min(this.canvas.width, this.canvas.height) / 2 - 12 * (this.scale ?? 1);
    return [this.canvas.width / 2 + (x - this.x) * this.zoom * half, this.canvas.height / 2 - (y - this.y) * this.zoom * half];
  }

  /** The point of the plane at pixels of the screen, counted from the frame's corner. */
  under(px, py) {
    const half = Math.min(this.canvas.width, this.canvas.height) / 2 - 12 * this.scale;
    return [this.x + (px * this.scale - this.canvas.width / 2) / (this.zoom * half), this.y - (py * this.scale - this.canvas.height / 2) / (this.zoom * half)];
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const brush = this.canvas.getContext("2d");
    brush.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const { x, y, colours } = this.points;
    const size = (x.length > 5000 ? 2.5 : 5) * (this.scale ?? 1) * Math.min(1 + Math.log2(this.zoom) / 4, 2);
    const seen = new Map(); // colour by colour, because changing it is what costs time
    colours.forEach((colour, row) => {
      if (this.hidden.has(colour)) return;
      if (seen.has(colour)) seen.get(colour).push(row);
      else seen.set(colour, [row]);
    });
    brush.globalAlpha = x.length > 5000 ? 0.75 : 0.9;
    for (const [colour, rows] of seen) {
      brush.fillStyle = resolved(colour);
      for (const row of rows) {
        const [px, py] = this.place(x[row], y[row]);
        if (px > -size && py > -size && px < this.canvas.width + size && py < this.canvas.height + size) brush.fillRect(px - size / 2, py - size / 2, size, size);
      }
    }
    brush.globalAlpha = 1;
    if (this.marked !== null) this.ring(brush, this.marked);
  }

  ring(brush, row) {
    const [px, py] = this.place(this.points.x[row], this.points.y[row]);
    brush.strokeStyle = resolved("var(--ink)");
    brush.lineWidth = 2.5 * this.scale;
    brush.beginPath();
    brush.arc(px, py, 9 * this.scale, 0, 2 * Math.PI);
    brush.stroke();
  }

  cell(x, y) {
    return Math.floor((x + 1) / CELL) * 1000 + Math.floor((y + 1) / CELL);
  }

  /** Row of the nearest shown point within a few pixels, or null. */
  nearest(px, py) {
    const [x, y] = this.under(px, py);
    const [, top] = this.under(px, py - NEAR_PX);
    const reach = Math.abs(top - y);
    let best = null;
    let least = reach * reach;
    for (let cx = x - reach; cx <= x + reach + CELL; cx += CELL) {
      for (let cy = y - reach; cy <= y + reach + CELL; cy += CELL) {
        for (const row of this.grid?.get(this.cell(cx, cy)) ?? []) {
          const distance = (this.points.x[row] - x) ** 2 + (this.points.y[row] - y) ** 2;
          if (distance <= least && !this.hidden.has(this.points.colours[row])) [best, least] = [row, distance];
        }
      }
    }
    return best;
  }

  listen() {
    const { frame } = this;
    let from = null;
    const at = (event) => {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = this.under(...at(event));
      const zoom = Math.min(Math.max(this.zoom * Math.exp(-event.deltaY / 400), 1), MOST_ZOOM);
      const share = this.zoom / zoom;
      this.moveTo(x + (this.x - x) * share, y + (this.y - y) * share, zoom);
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => { if (event.target === this.canvas) from = { at: at(event), x: this.x, y: this.y, moved: false }; });
    frame.addEventListener("pointermove", (event) => {
      const here = at(event);
      if (!from) return this.onHover(event.target === this.canvas ? this.nearest(...here) : null, ...here);
      const [ax, ay] = this.under(...from.at);
      const [bx, by] = this.under(...here);
      if (Math.hypot(here[0] - from.at[0], here[1] - from.at[1]) > 4) from.moved = true;
      if (from.moved) this.moveTo(this.x + ax - bx, this.y + ay - by, this.zoom), from.at = here;
      return undefined;
    });
    addEventListener("pointerup", (event) => {
      const row = from && !from.moved ? this.nearest(...at(event)) : null;
      from = null;
      if (row !== null) this.onChoose(row);
    });
    frame.addEventListener("pointerleave", () => this.onHover(null));
    frame.addEventListener("keydown", (event) => {
      if (event.target !== frame) return;
      const step = 0.2 / this.zoom;
      const act = {
        ArrowLeft: () => this.moveTo(this.x - step, this.y, this.zoom), ArrowRight: () => this.moveTo(this.x + step, this.y, this.zoom),
        ArrowUp: () => this.moveTo(this.x, this.y + step, this.zoom), ArrowDown: () => this.moveTo(this.x, this.y - step, this.zoom),
        "+": () => this.zoomBy(1.5), "=": () => this.zoomBy(1.5), "-": () => this.zoomBy(1 / 1.5), 0: () => this.moveTo(0, 0, 1),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  zoomBy(factor) { this.moveTo(this.x, this.y, this.zoom * factor); }
}
