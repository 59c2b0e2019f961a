// Draws all movers in two calls: course vectors, then symbols. The map stays north-up, so a position is a pixel by
// two multiplications in double precision, and nothing is projected twice.
import { ALARMED } from "./movers.js";

const FLOATS = 6;
const VECTOR_S = 180;
const FADE_FROM_S = 90;
const FADE_TO_S = 900;
const FAINTEST = 0.3;
const STILL_MPS = 0.3;
const HALF_PX = 20;

const SYMBOL_VERTEX = `#version 300 es
in vec2 corner; in vec2 place; in float direction; in float symbol; in float flags; in float alpha;
uniform vec2 view; uniform float size; uniform float scale;
out vec2 at; out vec2 turned; flat out int kind; flat out int flag; out float strength;
void main() {
  float half_px = ${HALF_PX}.0 * scale;
  at = corner * half_px;
  float s = sin(direction), c = cos(direction);
  turned = vec2(c * at.x + s * at.y, s * at.x - c * at.y);
  kind = int(symbol); flag = int(flags); strength = alpha;
  vec2 px = place + at;
  gl_Position = vec4(px.x / view.x * 2.0 - 1.0, 1.0 - px.y / view.y * 2.0, 0.0, 1.0);
}`;

// turned.y points ahead. Flags: 1 alarmed, 2 no direction, 4 still, 8 doubtful or old; above them the priority.
const SYMBOL_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; in vec2 turned; flat in int kind; flat in int flag; in float strength;
uniform float size; uniform float scale; uniform vec3 ink; uniform vec3 paper; uniform vec3 aid; uniform vec3 alarms[4];
out vec4 colour;
float box(vec2 p, vec2 b) { vec2 d = abs(p) - b; return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0); }
float ship(vec2 p) {
  p.x = abs(p.x);
  float hull = box(p - vec2(0.0, -0.28), vec2(0.42, 0.67));
  float bow = dot(p - vec2(0.42, 0.32), normalize(vec2(0.68, 0.42)));
  return max(max(p.x - 0.42, -0.95 - p.y), p.y > 0.32 ? bow : -1.0);
}
float form(vec2 p) {
  if (kind == 2) return (abs(at.x) + abs(at.y)) / size * 0.7071 - 0.42;
  if (kind == 3) return box(at / size, vec2(0.34));
  if (kind == 4) { vec2 q = abs(at / size); float arm = abs(q.x - q.y) * 0.7071 - 0.13; return min(max(arm, max(q.x, q.y) - 0.7), length(q - vec2(0.7)) - 0.26); }
  if (kind == 5) return max(abs(at.x) * 0.8660 + at.y * 0.5, -at.y) / size - 0.45;
  if (kind == 6 || (flag & 2) != 0) return length(at) / size - 0.5;
  if (kind == 1) return box(p, vec2(0.36, 0.92)) - 0.08;
  return ship(p);
}
void main() {
  float d = form(turned / size) * size / scale;
  float line = abs(d) - 0.75;
  bool dashed = (flag & 8) != 0;
  float edge = clamp(0.5 - line, 0.0, 1.0);
  if (dashed) edge *= step(0.5, fract(atan(at.y, at.x) * 1.9099));
  float inside = clamp(0.5 - d, 0.0, 1.0);
  bool alarmed = (flag & 1) != 0;
  vec3 alarm = alarms[clamp((flag >> 4) - 1, 0, 3)];
  bool hollow = (flag & 4) != 0 || dashed || kind == 2 || kind == 3;
  vec3 body = alarmed ? alarm : (kind == 2 || kind == 3 ? aid : ink);
  float halo = clamp(1.9 - d, 0.0, 1.0) * 0.75;
  vec4 result = vec4(paper, 1.0) * halo;
  vec4 fill = hollow ? vec4(paper, 1.0) * inside : vec4(body, 1.0) * inside;
  result = fill + result * (1.0 - fill.a);
  vec4 rim = vec4(body, 1.0) * edge;
  result = rim + result * (1.0 - rim.a);
  result *= alarmed ? 1.0 : strength;
  if (alarmed) {
    float ring = clamp(1.6 - abs(length(at) / scale - 15.0), 0.0, 1.0);
    result = vec4(alarm, 1.0) * ring + result * (1.0 - ring);
  }
  if (result.a < 0.004) discard;
  colour = result;
}`;

const LINE_VERTEX = `#version 300 es
in vec2 place; uniform vec2 view;
void main() { gl_Position = vec4(place.x / view.x * 2.0 - 1.0, 1.0 - place.y / view.y * 2.0, 0.0, 1.0); }`;
const LINE_FRAGMENT = `#version 300 es
precision mediump float; uniform vec4 ink; out vec4 colour;
void main() { colour = vec4(ink.rgb * ink.a, ink.a); }`;

export class ShipLayer {
  id = "movers";
  type = "custom";
  renderingMode = "2d";
  /** JavaScript's share of the last frame. */
  lastMs = 0;

  /** Id of a thing -> the worst priority of its alerts; what nobody asks for any more is a note. */
  priorities = new Map();

  constructor(movers, colours) {
    this.movers = movers;
    this.colours = colours;
    this.data = new Float32Array(0);
    this.lines = new Float32Array(0);
    this.onDrawn = () => {};
  }

  onAdd(map, gl) {
    this.map = map;
    this.symbols = program(gl, SYMBOL_VERTEX, SYMBOL_FRAGMENT);
    this.vectors = program(gl, LINE_VERTEX, LINE_FRAGMENT);
    this.corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    this.instances = gl.createBuffer();
    this.segments = gl.createBuffer();
    this.symbolState = gl.createVertexArray();
    gl.bindVertexArray(this.symbolState);
    attribute(gl, this.symbols, "corner", this.corners, 2, 8, 0, 0);
    ["place:2:0", "direction:1:8", "symbol:1:12", "flags:1:16", "alpha:1:20"].forEach((each) => {
      const [name, size, offset] = each.split(":");
      attribute(gl, this.symbols, name, this.instances, Number(size), 4 * FLOATS, Number(offset), 1);
    });
    this.vectorState = gl.createVertexArray();
    gl.bindVertexArray(this.vectorState);
    attribute(gl, this.vectors, "place", this.segments, 2, 8, 0, 0);
    gl.bindVertexArray(null);
  }

  onRemove(map, gl) {
    for (const buffer of [this.corners, this.instances, this.segments]) gl.deleteBuffer(buffer);
    for (const state of [this.symbolState, this.vectorState]) gl.deleteVertexArray(state);
    for (const each of [this.symbols, this.vectors]) gl.deleteProgram(each);
  }

  render(gl) {
    const began = performance.now();
    const view = viewOf(this.map);
    const size = symbolSize(view.zoom);
    const { count, segments } = this.#fill(view, size, began / 1000);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (segments) this.#drawVectors(gl, view, segments);
    if (count) this.#drawSymbols(gl, view, size, count);
    gl.bindVertexArray(null);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    this.lastMs = performance.now() - began;
    this.onDrawn();
  }

  /** What is in view, as floats; the alarmed come last, so that they lie on top. */
  #fill(view, size, nowS) {
    const { movers } = this;
    if (this.data.length < movers.count * FLOATS) this.data = new Float32Array(movers.capacity * FLOATS);
    if (this.lines.length < movers.count * 4) this.lines = new Float32Array(movers.capacity * 4);
    const { data, lines } = this;
    const withVectors = view.zoom >= 9;
    const at = { x: 0, y: 0 };
    let count = 0;
    let segments = 0;
    for (let pass = 0; pass < 2; pass += 1) {
      for (let i = 0; i < movers.count; i += 1) {
        const alarmed = (movers.style[i] & ALARMED) !== 0;
        if (alarmed !== (pass === 1) || (!alarmed && movers.shown[i] === 0)) continue;
        movers.place(i, nowS, at);
        const x = (at.x - view.x) * view.world + view.width / 2;
        const y = (at.y - view.y) * view.world + view.height / 2;
        if (x < -40 || y < -40 || x > view.width + 40 || y > view.height + 40) continue;
        const age = nowS - movers.seenS[i];
        const direction = movers.direction[i];
        const known = direction === direction;
        const still = !(movers.speed[i] > STILL_MPS);
        const into = count * FLOATS;
        data[into] = x;
        data[into + 1] = y;
        data[into + 2] = known ? direction : 0;
        data[into + 3] = movers.symbol[i];
        data[into + 4] = (alarmed ? 1 : 0) | (known ? 0 : 2) | (still ? 4 : 0) | ((movers.style[i] & 3) !== 0 ? 8 : 0);
        if (alarmed) data[into + 4] += 16 * (this.priorities.get(movers.info[i].id) ?? 4);
        data[into + 5] = age < FADE_FROM_S ? 1 : Math.max(FAINTEST, 1 - (age - FADE_FROM_S) / (FADE_TO_S - FADE_FROM_S));
        count += 1;
        if (withVectors && !still && movers.vx[i] * movers.vx[i] + movers.vy[i] * movers.vy[i] > 0) {
          lines[segments * 4] = x;
          lines[segments * 4 + 1] = y;
          lines[segments * 4 + 2] = x + movers.vx[i] * view.world * VECTOR_S;
          lines[segments * 4 + 3] = y + movers.vy[i] * view.world * VECTOR_S;
          segments += 1;
        }
      }
    }
    return { count, segments };
  }

  #drawVectors(gl, view, segments) {
    gl.useProgram(this.vectors);
    gl.uniform2f(gl.getUniformLocation(this.vectors, "view"), view.width, view.height);
    gl.uniform4f(gl.getUniformLocation(this.vectors, "ink"), ...this.colours.ink, 0.6);
    gl.bindVertexArray(this.vectorState);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.segments);
    gl.bufferData(gl.ARRAY_BUFFER, this.lines.subarray(0, segments * 4), gl.DYNAMIC_DRAW);
    gl.drawArrays(gl.LINES, 0, segments * 2);
  }

  #drawSymbols(gl, view, size, count) {
    gl.useProgram(this.symbols);
    const at = (name) => gl.getUniformLocation(this.symbols, name);
    gl.uniform2f(at("view"), view.width, view.height);
    gl.uniform1f(at("size"), size);
    gl.uniform1f(at("scale"), 1);
    for (const name of ["ink", "paper", "aid"]) gl.uniform3f(at(name), ...this.colours[name]);
    gl.uniform3fv(at("alarms[0]"), this.colours.alarms);
    gl.bindVertexArray(this.symbolState);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.instances);
    gl.bufferData(gl.ARRAY_BUFFER, this.data.subarray(0, count * FLOATS), gl.DYNAMIC_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
  }
}

/** Half the length of a ship's symbol in CSS pixels. */
export const symbolSize = (zoom) => Math.min(13, Math.max(5, 5 + (zoom - 8) * 1.6));

/** The map's view: middle in Mercator units, size of the world and of the canvas in CSS pixels. */
export function viewOf(map) {
  const middle = map.getCenter();
  const canvas = map.getCanvas();
  const zoom = map.getZoom();
  return {
    x: (middle.lng + 180) / 360,
    y: 0.5 - Math.log(Math.tan(Math.PI / 4 + (middle.lat * Math.PI) / 360)) / (2 * Math.PI),
    world: 512 * 2 ** zoom,
    zoom,
    width: canvas.clientWidth,
    height: canvas.clientHeight,
  };
}

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
}

function attribute(gl, of, name, buffer, size, stride, offset, divisor) {
  const where = gl.getAttribLocation(of, name);
  if (where < 0) return;
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.enableVertexAttribArray(where);
  gl.vertexAttribPointer(where, size, gl.FLOAT, false, stride, offset);
  gl.vertexAttribDivisor(where, divisor);
}
