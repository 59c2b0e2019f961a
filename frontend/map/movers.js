// Everything that moves, as columns: what is drawn, picked and searched. No object a mover in the hot path.
import { ageOf } from "./frames.js";

const E7 = 1e-7;
const METRES_ROUND = 40_075_016.686;
const RAD = Math.PI / 180;
/** A position is moved on by its course for at most this long; after that it stays and fades. */
export const RECKON_S = 180;
export const ALARMED = 4;

export const mercatorX = (longitude) => (longitude + 180) / 360;
export const mercatorY = (latitude) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (latitude * RAD) / 2)) / (2 * Math.PI);
export const latitudeOf = (y) => (2 * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - Math.PI / 2) / RAD;

/** Symbol classes; a kind that nobody drew a symbol for is a plain one. */
const SYMBOLS = { vessel: 0, barge: 1, aton: 2, "base-station": 3, drone: 4, "sar-aircraft": 4, sart: 5 };
const PLAIN = 6;

export class Movers {
  constructor(capacity = 1024) {
    this.count = 0;
    this.hidden = new Set();
    this.slots = new Map();
    this.byId = new Map();
    this.#allocate(capacity);
    this.info = [];
  }

  #allocate(capacity) {
    const grown = (old, Kind) => {
      const column = new Kind(capacity);
      if (old) column.set(old);
      return column;
    };
    this.capacity = capacity;
    this.x = grown(this.x, Float64Array);
    this.y = grown(this.y, Float64Array);
    this.vx = grown(this.vx, Float64Array);
    this.vy = grown(this.vy, Float64Array);
    this.seenS = grown(this.seenS, Float64Array);
    this.direction = grown(this.direction, Float32Array);
    this.course = grown(this.course, Float32Array);
    this.speed = grown(this.speed, Float32Array);
    this.style = grown(this.style, Uint8Array);
    this.symbol = grown(this.symbol, Uint8Array);
    this.shown = grown(this.shown, Uint8Array);
  }

  /** Take in one frame; `nowS` is this screen's steady clock at which the frame was sent. */
  take(frame, nowS) {
    if (frame.snapshot) this.#forgetAll();
    for (const each of frame.introductions) this.#introduce(each);
    const { handles, longitudes, latitudes, motion } = frame;
    for (let i = 0; i < handles.length; i += 1) {
      const slot = this.slots.get(handles[i] & 0xffffff);
      if (slot !== undefined) this.#put(slot, handles[i] >>> 24, longitudes[i], latitudes[i], motion, 4 * i, nowS);
    }
    for (const handle of frame.gone) this.#forget(handle);
  }

  #put(slot, style, longitude, latitude, motion, at, nowS) {
    const lat = latitude * E7;
    const speed = motion[at + 2] === 255 ? NaN : motion[at + 2] * 0.2;
    const course = motion[at] === 255 ? NaN : (motion[at] * 360) / 255;
    const heading = motion[at + 1] === 255 ? course : (motion[at + 1] * 360) / 255;
    const moving = speed > 0.1 && course === course;
    const perSecond = moving ? speed / (METRES_ROUND * Math.cos(lat * RAD)) : 0;
    this.x[slot] = mercatorX(longitude * E7);
    this.y[slot] = mercatorY(lat);
    this.vx[slot] = moving ? Math.sin(course * RAD) * perSecond : 0;
    this.vy[slot] = moving ? -Math.cos(course * RAD) * perSecond : 0;
    this.direction[slot] = heading * RAD;
    this.course[slot] = course * RAD;
    this.speed[slot] = speed;
    this.style[slot] = style;
    this.seenS[slot] = nowS - ageOf(motion[at + 3]);
  }

  #introduce([handle, layer, kind, id, name, source]) {
    let slot = this.slots.get(handle);
    if (slot === undefined) {
      if (this.count === this.capacity) this.#allocate(this.capacity * 2);
      slot = this.count;
      this.count += 1;
      this.slots.set(handle, slot);
      this.seenS[slot] = -Infinity;
    }
    this.info[slot] = { handle, layer, kind, id, name, source };
    this.byId.set(id, handle);
    this.symbol[slot] = SYMBOLS[kind] ?? PLAIN;
    this.shown[slot] = this.hidden.has(layer) ? 0 : 1;
  }

  /** Close the gap with the last one. */
  #forget(handle) {
    const slot = this.slots.get(handle);
    if (slot === undefined) return;
    const last = this.count - 1;
    this.slots.delete(handle);
    if (this.byId.get(this.info[slot].id) === handle) this.byId.delete(this.info[slot].id);
    if (slot !== last) {
      const columns = [this.x, this.y, this.vx, this.vy, this.seenS, this.direction, this.course, this.speed, this.style, this.symbol, this.shown];
      for (const column of columns) column[slot] = column[last];
      this.info[slot] = this.info[last];
      this.slots.set(this.info[slot].handle, slot);
    }
    this.info.length = last;
    this.count = last;
  }

  #forgetAll() {
    this.slots.clear();
    this.byId.clear();
    this.info.length = 0;
    this.count = 0;
  }

  /** Show or hide a layer; what is alarmed stays on the map. */
  show(layer, shown) {
    if (shown) this.hidden.delete(layer);
    else this.hidden.add(layer);
    for (let i = 0; i < this.count; i += 1) if (this.info[i].layer === layer) this.shown[i] = shown ? 1 : 0;
  }

  isVisible(slot) {
    return this.shown[slot] === 1 || (this.style[slot] & ALARMED) !== 0;
  }

  slotOf(id) {
    const handle = this.byId.get(id);
    return handle === undefined ? undefined : this.slots.get(handle);
  }

  /** Where it is by now, in Mercator units: moved on along its course. */
  place(slot, nowS, into) {
    const on = Math.min(Math.max(0, nowS - this.seenS[slot]), RECKON_S);
    into.x = this.x[slot] + this.vx[slot] * on;
    into.y = this.y[slot] + this.vy[slot] * on;
    return into;
  }

  /** Slots whose name or id holds the text, those that begin with it first. */
  search(wanted, limit = 8) {
    const needle = wanted.trim().toLocaleUpperCase();
    if (!needle) return [];
    const begins = [];
    const holds = [];
    for (let i = 0; i < this.count && begins.length < limit; i += 1) {
      const name = this.info[i].name.toLocaleUpperCase();
      if (name.startsWith(needle)) begins.push(i);
      else if (holds.length < limit && (name.includes(needle) || this.info[i].id.includes(wanted.trim()))) holds.push(i);
    }
    return [...begins, ...holds].slice(0, limit);
  }
}
