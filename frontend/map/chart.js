// The map: MapLibre for what stands still, our own layer for what moves, one canvas for text and marks.
import { Map as MapLibre, NavigationControl, ScaleControl, addProtocol, setWorkerUrl } from "maplibre-gl";
import { Protocol } from "pmtiles";
import { mercatorX, mercatorY, latitudeOf } from "./movers.js";
import { Overlay } from "./overlay.js";
import { ShipLayer, viewOf } from "./shiplayer.js";
import { mapStyle, paletteOf, rgb } from "./style.js";

const PICK_PX = 16;
const REDRAW_MS = 250;
const PLACE_LAYERS = ["place", "poi", "dock"];
const MOST_PLACES = 10_000;
const REFRESH_MS = 3_000;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

setWorkerUrl("/static/picture/build/map-worker.js");
addProtocol("pmtiles", new Protocol({ metadata: true }).tile);

export class Chart extends EventTarget {
  constructor(container, canvas, movers, start) {
    super();
    this.movers = movers;
    this.start = start;
    this.seenPlaces = new Map();
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
    this.#refresh();
    this.map.on("sourcedata", (event) => {
      if (event.sourceId === "base" && event.tile) this.placesDue = true;
    });
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
      for (const part of ["fill", "line", "point", "name", "label"]) {
        const id = `${layer.id}:${part}`;
        if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
      }
    }
    layer.shown = shown;
    this.redraw();
  }

  showAlerts(alerts) {
    this.layer.priorities = new Map();
    for (const { subject, priority } of alerts) {
      this.layer.priorities.set(subject, Math.min(priority, this.layer.priorities.get(subject) ?? 4));
    }
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

  /** Where a mover is by now, [longitude, latitude]; undefined when it is not in the picture. */
  placeOf(id) {
    const slot = this.movers.slotOf(id);
    if (slot === undefined) return undefined;
    const at = this.movers.place(slot, performance.now() / 1000, { x: 0, y: 0 });
    return [at.x * 360 - 180, latitudeOf(at.y)];
  }

  /** Whether a place is in the part of the map that nothing covers. */
  sees(longitude, latitude, coveredPx = 0) {
    const { x, y } = this.map.project([longitude, latitude]);
    const canvas = this.map.getCanvas();
    return this.map.getZoom() > 8 && x > coveredPx + 20 && y > 20 && x < canvas.clientWidth - 20 && y < canvas.clientHeight - 20;
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

  /** Places by the beginning of their name, of those that were in view since the page was opened. */
  places(wanted, limit = 5) {
    const needle = wanted.trim().toLocaleUpperCase();
    if (needle.length < 2) return [];
    return [...this.seenPlaces].filter(([name]) => name.toLocaleUpperCase().startsWith(needle)).slice(0, limit);
  }

  #collectPlaces() {
    for (const sourceLayer of PLACE_LAYERS) {
      if (!this.start.basemap?.layers.includes(sourceLayer) || this.seenPlaces.size > MOST_PLACES) continue;
      for (const feature of this.map.querySourceFeatures("base", { sourceLayer, filter: ["has", "name"] })) {
        const { name } = feature.properties;
        if (!this.seenPlaces.has(name)) this.seenPlaces.set(name, middleOf(feature.geometry));
      }
    }
  }

  /** Fixed things change too, and what was taken back must go: ask again every few seconds. */
  async #refresh() {
    await Promise.all(this.features.map((layer) => this.#load(layer).catch(() => {})));
    setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  async #load(layer) {
    const answer = await fetch(layer.features, { headers: { Accept: "application/geo+json" } });
    const tag = answer.headers.get("etag");
    if (!answer.ok || (tag && tag === layer.tag)) return;
    layer.tag = tag;
    layer.data = await answer.json();
    layer.names = namesOf(layer.data);
    this.map.getSource(layer.id)?.setData(layer.data);
    this.map.getSource(`${layer.id}:names`)?.setData(layer.names);
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
    if (this.placesDue && this.map.isSourceLoaded("base")) {
      this.placesDue = false;
      this.#collectPlaces();
    }
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
    this.layer.colours = { ink: rgb(palette.ink), paper: rgb(palette.paper), aid: rgb(palette.aid) };
    this.layer.colours.alarms = [palette.alarm, palette.warning, palette.caution, palette.note].flatMap(rgb);
  }
}

/** One name an area, in its middle: tiles cut an area in pieces, and each would have its own. */
function namesOf({ features }) {
  const named = features.filter((feature) => feature.properties?.name && feature.geometry);
  const at = ({ properties, geometry }) => ({ type: "Feature", properties: { ...properties, "of-point": geometry.type === "Point" }, geometry: { type: "Point", coordinates: middleOf(geometry) } });
  return { type: "FeatureCollection", features: named.map(at) };
}

/** The middle of what a geometry spans. */
function middleOf(geometry) {
  if (geometry.type === "Point") return geometry.coordinates;
  const points = geometry.coordinates.flat(geometry.type === "MultiPolygon" ? 2 : geometry.type === "LineString" ? 0 : 1);
  const span = (axis) => {
    const values = points.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  return [span(0), span(1)];
}
