// The map: MapLibre for what stands still, our own layer for what moves, one canvas for text and marks.
import { Map as MapLibre, NavigationControl, ScaleControl, addProtocol, setWorkerUrl } from "maplibre-gl";
import { Protocol } from "pmtiles";
import { mercatorX, mercatorY, latitudeOf } from "./movers.js";
import { Overlay } from "./overlay.js";
import { ShipLayer, viewOf } from "./shiplayer.js";
import { mapStyle, paletteOf, rgb } from "./style.js";

const PICK_PX = 16;
const REDRAW_MS = 250;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

setWorkerUrl("/static/picture/build/map-worker.js");
addProtocol("pmtiles", new Protocol({ metadata: true }).tile);

export class Chart extends EventTarget {
  constructor(container, canvas, movers, start) {
    super();
    this.movers = movers;
    this.start = start;
    this.features = start.layers.filter((layer) => layer.features);
    const theme = document.documentElement.dataset.obcTheme;
    this.map = new MapLibre({
      container,
      style: mapStyle(theme, start),
      center: start.middle,
      zoom: start.zoom,
      minZoom: 3,
      maxZoom: 18,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      rollEnabled: false,
      keyboard: true,
      fadeDuration: STILL.matches ? 0 : 150,
      canvasContextAttributes: { antialias: true },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    this.map.addControl(new ScaleControl({ unit: "nautical", maxWidth: 120 }), "bottom-left");
    this.map.on("error", (event) => console.warn("map:", event.error?.message ?? event));
    this.layer = new ShipLayer(movers, {});
    this.overlay = new Overlay(canvas, this.map, movers, {});
    this.layer.onDrawn = () => {
      this.overlay.draw();
      this.dispatchEvent(new Event("drawn"));
    };
    this.#colour(theme);
    this.map.on("style.load", () => this.map.addLayer(this.layer));
    this.map.on("click", (event) => this.#click(event));
    this.map.on("mousemove", (event) => this.#hover(event));
    new MutationObserver(() => this.#restyle()).observe(document.documentElement, { attributeFilter: ["data-obc-theme"] });
    setInterval(() => this.#beat(), REDRAW_MS);
  }

  /** Draw soon: something changed. */
  redraw() {
    this.map.triggerRepaint();
  }

  show(layer, shown) {
    this.movers.show(layer.id, shown);
    if (layer.features) {
      for (const part of ["fill", "line", "point", "name"]) {
        const id = `${layer.id}:${part}`;
        if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
      }
    }
    layer.shown = shown;
    this.redraw();
  }

  showAlerts(alerts) {
    this.overlay.alerts = alerts.map((alert) => ({
      ...alert,
      mercator: alert.position && { x: mercatorX(alert.position[0]), y: mercatorY(alert.position[1]) },
    }));
    this.redraw();
  }

  choose(id) {
    this.overlay.chosen = id;
    this.redraw();
  }

  /** Bring a place into view, beside a panel that covers `coveredPx` at the left; no further out than it was. */
  look(longitude, latitude, { zoom = 10.5, coveredPx = 0 } = {}) {
    const offset = [coveredPx / 2, 0];
    const target = { center: [longitude, latitude], zoom: Math.max(zoom, this.map.getZoom()), offset };
    if (STILL.matches) this.map.jumpTo(target);
    else this.map.easeTo({ ...target, duration: 150 });
  }

  lookAt(slot, options) {
    const at = this.movers.place(slot, performance.now() / 1000, { x: 0, y: 0 });
    this.look(at.x * 360 - 180, latitudeOf(at.y), options);
  }

  /** Whether a place is in the part of the map that nothing covers. */
  sees(longitude, latitude, coveredPx = 0) {
    const { x, y } = this.map.project([longitude, latitude]);
    const canvas = this.map.getCanvas();
    return x > coveredPx + 20 && y > 20 && x < canvas.clientWidth - 20 && y < canvas.clientHeight - 20;
  }

  /** The mover nearest to a pixel, if it is near enough. */
  pick(px, py) {
    const view = viewOf(this.map);
    const nowS = performance.now() / 1000;
    const at = { x: 0, y: 0 };
    let found = -1;
    let best = PICK_PX * PICK_PX;
    for (let i = 0; i < this.movers.count; i += 1) {
      if (!this.movers.isVisible(i)) continue;
      this.movers.place(i, nowS, at);
      const dx = (at.x - view.x) * view.world + view.width / 2 - px;
      const dy = (at.y - view.y) * view.world + view.height / 2 - py;
      const d = dx * dx + dy * dy;
      if (d < best) [best, found] = [d, i];
    }
    return found;
  }

  places(wanted, limit = 5) {
    if (!this.start.basemap || wanted.trim().length < 2) return [];
    const needle = wanted.trim().toLocaleUpperCase();
    const found = new Map();
    for (const sourceLayer of ["place", "poi", "dock"]) {
      if (this.start.basemap.layers.length && !this.start.basemap.layers.includes(sourceLayer)) continue;
      for (const feature of this.map.querySourceFeatures("base", { sourceLayer, filter: ["has", "name"] })) {
        const { name } = feature.properties;
        if (!found.has(name) && name.toLocaleUpperCase().startsWith(needle)) found.set(name, middleOf(feature.geometry));
        if (found.size >= limit) return [...found];
      }
    }
    return [...found];
  }

  #click(event) {
    const slot = this.pick(event.point.x, event.point.y);
    if (slot >= 0) this.dispatchEvent(new CustomEvent("pick", { detail: this.movers.info[slot] }));
    else this.#clickFeature(event);
  }

  #clickFeature(event) {
    for (const layer of this.features) {
      const ids = ["point", "fill"].map((part) => `${layer.id}:${part}`).filter((id) => this.map.getLayer(id));
      const [feature] = layer.detail ? this.map.queryRenderedFeatures(event.point, { layers: ids }) : [];
      if (feature) {
        const { id, name } = feature.properties;
        this.dispatchEvent(new CustomEvent("pick", { detail: { id, name, layer: layer.id } }));
        return;
      }
    }
    this.dispatchEvent(new CustomEvent("pick", { detail: null }));
  }

  #hover(event) {
    const now = performance.now();
    if (now - (this.hoveredAt ?? 0) < 50) return;
    this.hoveredAt = now;
    this.map.getCanvas().style.cursor = this.pick(event.point.x, event.point.y) >= 0 ? "pointer" : "";
  }

  /** Movers move on between reports, and urgent marks blink: a few frames a second are enough. */
  #beat() {
    if (document.hidden) return;
    this.overlay.blinkOn = STILL.matches || Math.floor(Date.now() / 500) % 2 === 0;
    this.redraw();
  }

  #restyle() {
    const theme = document.documentElement.dataset.obcTheme;
    this.#colour(theme);
    this.map.setStyle(mapStyle(theme, this.start), { diff: false });
  }

  #colour(theme) {
    const palette = paletteOf(theme);
    this.overlay.palette = palette;
    this.layer.colours = { ink: rgb(palette.ink), paper: rgb(palette.paper), aid: rgb(palette.aid), alarm: rgb(palette.alarm) };
  }
}

function middleOf(geometry) {
  let points = geometry.coordinates;
  if (geometry.type === "Point") return points;
  while (Array.isArray(points[0][0])) [points] = points;
  const sum = points.reduce(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
