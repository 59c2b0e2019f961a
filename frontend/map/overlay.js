// Text and marks over the map: names of movers, alerts without a mover, what is chosen. Drawn in the same frame.
import { ALARMED } from "./movers.js";
import { viewOf } from "./shiplayer.js";
import { drawShape } from "./symbols.js";

const NAMES_FROM_ZOOM = 10.5;
const MOST_NAMES = 220;
const CELL_PX = 12;
const HEIGHT_PX = 12;
const MOST_WIDTHS = 5_000;

export class Overlay {
  chosen = null;
  alerts = [];
  blinkOn = true;

  constructor(canvas, map, movers, palette) {
    this.canvas = canvas;
    this.map = map;
    this.movers = movers;
    this.palette = palette;
    this.context = canvas.getContext("2d");
    this.widths = new Map();
  }

  draw() {
    const view = viewOf(this.map);
    const { context } = this;
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(view.width * ratio) || this.canvas.height !== Math.round(view.height * ratio)) {
      this.canvas.width = Math.round(view.width * ratio);
      this.canvas.height = Math.round(view.height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    this.taken = new Set();
    this.#chosen(view);
    this.#alerts(view);
    this.#names(view);
  }

  pixel(x, y, view) {
    return [(x - view.x) * view.world + view.width / 2, (y - view.y) * view.world + view.height / 2];
  }

  #chosen(view) {
    const slot = this.chosen && this.movers.slotOf(this.chosen);
    if (slot === undefined || slot === null) return;
    const at = this.movers.place(slot, performance.now() / 1000, { x: 0, y: 0 });
    const [x, y] = this.pixel(at.x, at.y, view);
    const { context } = this;
    context.strokeStyle = this.palette.focus;
    context.lineWidth = 2;
    context.beginPath();
    for (const [dx, dy] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
      context.moveTo(x + dx * 20, y + dy * 12);
      context.lineTo(x + dx * 20, y + dy * 20);
      context.lineTo(x + dx * 12, y + dy * 20);
    }
    context.stroke();
    this.#write(this.movers.info[slot].name, x + 24, y, true);
  }

  /** An alert stands where it was seen, unless a mover shows it already. */
  #alerts(view) {
    const { context, palette } = this;
    const colours = { 1: palette.alarm, 2: palette.warning, 3: palette.caution, 4: palette.note };
    for (const alert of this.alerts) {
      const slot = this.movers.slotOf(alert.subject);
      const at = slot === undefined ? alert.mercator : this.movers.place(slot, performance.now() / 1000, { x: 0, y: 0 });
      if (!at) continue;
      const [x, y] = this.pixel(at.x, at.y, view);
      if (x < -30 || y < -30 || x > view.width + 30 || y > view.height + 30) continue;
      const markY = slot === undefined ? y : y - 24;
      const open = alert.state === "open";
      context.lineJoin = "round";
      drawShape(context, alert.priority, x, markY, 7);
      context.lineWidth = 4;
      context.strokeStyle = palette.halo;
      context.stroke();
      context.lineWidth = 2;
      context.fillStyle = open && (alert.priority > 1 || this.blinkOn) ? colours[alert.priority] : palette.paper;
      context.strokeStyle = colours[alert.priority];
      context.stroke();
      context.fill();
      if (slot === undefined) this.#write(alert.subject_name, x + 12, markY, true);
    }
  }

  #names(view) {
    const { movers } = this;
    const nowS = performance.now() / 1000;
    const at = { x: 0, y: 0 };
    const plain = view.zoom >= NAMES_FROM_ZOOM;
    let written = 0;
    for (let pass = 0; pass < 2; pass += 1) {
      if (pass === 1 && !plain) return;
      for (let i = 0; i < movers.count && written < MOST_NAMES; i += 1) {
        const alarmed = (movers.style[i] & ALARMED) !== 0;
        if (alarmed !== (pass === 0) || (!alarmed && movers.shown[i] === 0) || movers.info[i].id === this.chosen) continue;
        movers.place(i, nowS, at);
        const [x, y] = this.pixel(at.x, at.y, view);
        if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
        if (this.#write(movers.info[i].name, x + (alarmed ? 21 : 13), y, alarmed)) written += 1;
      }
    }
  }

  /** Write a name unless another stands there already. */
  #write(name, x, y, strong) {
    if (!name) return false;
    const { context } = this;
    context.font = `${strong ? 600 : 450} 11px "Inter Variable", sans-serif`;
    const key = (strong ? "!" : "") + name;
    let width = this.widths.get(key);
    if (width === undefined) {
      if (this.widths.size > MOST_WIDTHS) this.widths.clear();
      width = context.measureText(name).width;
      this.widths.set(key, width);
    }
    const cells = [];
    for (let cx = Math.floor(x / CELL_PX); cx <= Math.floor((x + width) / CELL_PX); cx += 1) {
      for (let cy = Math.floor((y - HEIGHT_PX / 2) / CELL_PX); cy <= Math.floor((y + HEIGHT_PX / 2) / CELL_PX); cy += 1) cells.push(cx * 4096 + cy);
    }
    if (!strong && cells.some((cell) => this.taken.has(cell))) return false;
    for (const cell of cells) this.taken.add(cell);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = this.palette.halo;
    context.strokeText(name, x, y);
    context.fillStyle = strong ? this.palette.text : this.palette.label;
    context.fillText(name, x, y);
    return true;
  }
}
