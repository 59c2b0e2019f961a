// The map's style, made for one palette. Water and land are quiet; only what asks for somebody has colour.
const PALETTES = {
  day: {
    water: "#d3dfe8", land: "#eeede8", dock: "#c9d8e3", waterway: "#bccfdd", rail: "#d5d2cb", fairway: "#a3b9ca", border: "#a9a3b5",
    label: "#4f5a63", quiet: "#77828b", halo: "#f2f2ef", waterLabel: "#5d7a93", zone: "#5f7f9e", restricted: "#a4574d", anchorage: "#77659c",
    ink: "#264a73", paper: "#ffffff", aid: "#6b7580", alarm: "#e30019", warning: "#e96700", caution: "#b38700", note: "#5d7a93", text: "#1f2a33", focus: "#1d3c67",
  },
  bright: {
    water: "#c6dcec", land: "#fbfaf5", dock: "#b8d3e8", waterway: "#a4c4dd", rail: "#cfcac0", fairway: "#7ea3c0", border: "#8d85a0",
    label: "#27323b", quiet: "#4f5d68", halo: "#ffffff", waterLabel: "#2f5b80", zone: "#35648f", restricted: "#9c2f22", anchorage: "#5b4394",
    ink: "#0d3568", paper: "#ffffff", aid: "#48545f", alarm: "#d30017", warning: "#c85500", caution: "#8f6b00", note: "#2f5b80", text: "#0c151c", focus: "#0d3568",
  },
  dusk: {
    water: "#182127", land: "#282a2b", dock: "#141c22", waterway: "#1b2932", rail: "#343637", fairway: "#35505f", border: "#57506a",
    label: "#a3adb4", quiet: "#78838a", halo: "#20262a", waterLabel: "#6f8da1", zone: "#5d7f99", restricted: "#a8665c", anchorage: "#8474a8",
    ink: "#9dbfe2", paper: "#11181d", aid: "#7e8a93", alarm: "#ff3b3b", warning: "#fa7d00", caution: "#ffcc16", note: "#6f8da1", text: "#d6dee4", focus: "#b1d6ff",
  },
  night: {
    water: "#030303", land: "#130e09", dock: "#000000", waterway: "#060504", rail: "#1b140c", fairway: "#2a1d10", border: "#33241a",
    label: "#8a5f32", quiet: "#5f4225", halo: "#070503", waterLabel: "#5d4a33", zone: "#5d4a33", restricted: "#7a3a2a", anchorage: "#5a4650",
    ink: "#b57b3c", paper: "#0a0705", aid: "#5f4c36", alarm: "#e90f20", warning: "#ba5a00", caution: "#897300", note: "#5d4a33", text: "#eaa75e", focus: "#58c8a2",
  },
};
const NOTHING = { type: "FeatureCollection", features: [] };
const FONT = ["Inter Variable"];
const FONT_STRONG = ["Inter Variable SemiBold"];

export const paletteOf = (theme) => PALETTES[theme] ?? PALETTES.day;

/** #rrggbb as three numbers from 0 to 1. */
export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);

const byZoom = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];
const kindIs = (...kinds) => ["in", ["get", "kind"], ["literal", kinds]];

/** A whole MapLibre style: base map when there is one, features of the layers, labels. */
export function mapStyle(theme, start) {
  const p = paletteOf(theme);
  const has = new Set(start.basemap?.layers ?? []);
  const sources = {};
  if (start.basemap) sources.base = { type: "vector", url: `pmtiles://${location.origin}/basemap.pmtiles` };
  for (const layer of start.layers) {
    if (layer.features) {
      sources[layer.id] = { type: "geojson", data: layer.data ?? NOTHING, promoteId: "id" };
      sources[`${layer.id}:names`] = { type: "geojson", data: layer.names ?? NOTHING };
    }
  }
  const base = start.basemap ? baseLayers(p).filter((layer) => has.size === 0 || has.has(layer["source-layer"])) : [];
  const labels = start.basemap ? labelLayers(p).filter((layer) => has.size === 0 || has.has(layer["source-layer"])) : [];
  const features = start.layers.filter((layer) => layer.features);
  return {
    version: 8,
    sources,
    layers: [
      { id: "background", type: "background", paint: { "background-color": p.water } },
      ...base,
      ...features.flatMap((layer) => featureShapes(layer, p)),
      ...labels,
      ...features.flatMap((layer) => featureNames(layer, p)),
    ],
  };
}

function baseLayers(p) {
  const from = (id, layer, type, rest) => ({ id, type, source: "base", "source-layer": layer, ...rest });
  return [
    from("land", "land", "fill", { paint: { "fill-color": p.land } }),
    from("lake", "lake", "fill", { paint: { "fill-color": p.water } }),
    from("rail", "rail", "line", { minzoom: 10.5, paint: { "line-color": p.rail, "line-width": byZoom(10, 0.4, 14, 1.2) } }),
    from("waterway", "waterway", "line", {
      filter: ["!", kindIs("lock_gate", "weir", "dam", "canalbank", "derelict_canal")],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": p.waterway, "line-width": byZoom(6, 0.6, 9, 1.2, 12, 4, 15, 14) },
    }),
    from("dock", "dock", "fill", { paint: { "fill-color": p.dock, "fill-outline-color": p.waterway } }),
    from("fairway", "fairway", "line", {
      minzoom: 8.5,
      paint: { "line-color": p.fairway, "line-width": byZoom(8, 0.5, 13, 1.2), "line-dasharray": [6, 4], "line-opacity": 0.8 },
    }),
    from("maritime", "maritime", "line", {
      paint: { "line-color": p.border, "line-width": 0.7, "line-dasharray": [8, 4], "line-opacity": 0.6 },
    }),
    from("border", "border", "line", { paint: { "line-color": p.border, "line-width": byZoom(5, 0.6, 10, 1.2), "line-dasharray": [5, 3] } }),
  ];
}

function labelLayers(p) {
  const text = (id, layer, font, field, paint, rest) => ({
    id, type: "symbol", source: "base", "source-layer": layer, ...rest,
    layout: { "text-field": field, "text-font": font, "text-size": 11, "text-max-width": 8, ...rest.layout },
    paint: { "text-halo-color": p.halo, "text-halo-width": 1.2, ...paint },
  });
  const name = ["get", "name"];
  return [
    text("poi-name", "poi", FONT, name, { "text-color": p.quiet }, {
      minzoom: 12, filter: ["all", ["has", "name"], kindIs("lock", "facility", "harbourmaster", "ferry_terminal", "lighthouse")],
      layout: { "text-anchor": "left", "text-offset": [0.5, 0] },
    }),
    text("waterway-name", "waterway", FONT, name, { "text-color": p.waterLabel }, {
      minzoom: 10.5, filter: ["has", "name"], layout: { "symbol-placement": "line", "symbol-spacing": 400 },
    }),
    text("fairway-name", "fairway", FONT, name, { "text-color": p.waterLabel }, {
      minzoom: 11, filter: ["has", "name"], layout: { "symbol-placement": "line", "symbol-spacing": 500, "text-size": 10 },
    }),
    text("dock-name", "dock", FONT, name, { "text-color": p.waterLabel }, { minzoom: 12, filter: ["has", "name"] }),
    text("village", "place", FONT, name, { "text-color": p.quiet }, { minzoom: 10.5, filter: kindIs("village", "suburb", "quarter") }),
    text("town", "place", FONT, name, { "text-color": p.label }, { minzoom: 8.3, filter: kindIs("town") }),
    text("city", "place", FONT_STRONG, name, { "text-color": p.label }, {
      filter: kindIs("city"), layout: { "text-size": byZoom(6, 11, 10, 14) },
    }),
  ];
}

const zoneColour = (p) => [
  "match", ["get", "style"],
  ["zone-restricted", "zone-drop-off", "restricted"], p.restricted,
  ["zone-anchorage", "anchorage"], p.anchorage,
  p.zone,
];

function featureShapes(layer, p) {
  const visibility = layer.shown ? "visible" : "none";
  const areas = ["==", ["geometry-type"], "Polygon"];
  const colour = zoneColour(p);
  return [
    { id: `${layer.id}:fill`, type: "fill", source: layer.id, filter: areas, layout: { visibility }, paint: { "fill-color": colour, "fill-opacity": 0.07 } },
    {
      id: `${layer.id}:line`, type: "line", source: layer.id, filter: ["!=", ["geometry-type"], "Point"], layout: { visibility, "line-join": "round" },
      paint: { "line-color": colour, "line-width": 1.2, "line-dasharray": [4, 2], "line-opacity": 0.9 },
    },
    {
      id: `${layer.id}:point`, type: "circle", source: layer.id, filter: ["==", ["geometry-type"], "Point"], layout: { visibility },
      paint: {
        "circle-radius": ["match", ["get", "style"], ["incident"], 6, 4],
        "circle-color": ["match", ["get", "style"], ["incident"], p.note, p.paper],
        "circle-stroke-color": ["match", ["get", "style"], ["incident"], p.halo, colour],
        "circle-stroke-width": 1.5,
      },
    },
  ];
}

function featureNames(layer, p) {
  const name = (part, ofPoint, layout) => ({
    id: `${layer.id}:${part}`, type: "symbol", source: `${layer.id}:names`, minzoom: 8.5,
    filter: ["==", ["get", "of-point"], ofPoint],
    layout: {
      visibility: layer.shown ? "visible" : "none", "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "text-max-width": 9, ...layout,
    },
    paint: { "text-color": zoneColour(p), "text-halo-color": p.halo, "text-halo-width": 1.2 },
  });
  return [
    name("name", false, { "text-variable-anchor": ["center", "top", "bottom"] }),
    name("label", true, { "text-variable-anchor": ["left", "right", "top"], "text-radial-offset": 0.9, "text-justify": "auto" }),
  ];
}
