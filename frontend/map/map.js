// The console: puts queue, map, detail, search and rail together. Each of them knows nothing of the others.
import { Alerts } from "./alerts.js";
import { Chart } from "./chart.js";
import "./detail.js";
import { keysAreOn, listen, setKeys } from "./keys.js";
import { Movers } from "./movers.js";
import "./queue.js";
import "./rail.js";
import "./search.js";
import { Line, followPositions, steadyAt } from "./stream.js";
import { clock, send, start, t } from "./words.js";

const GLASS_EVERY_MS = 10_000;
const MOST_MARKS = 300;
const NARROW = matchMedia("(max-width: 800px)");

const $ = (selector) => document.querySelector(selector);
const line = new Line();
const movers = new Movers();
const alerts = new Alerts(line);
const queue = $("p2p-queue");
const detail = $("p2p-detail");
const rail = $("p2p-rail");
const search = $("p2p-search");
let chart = null;

function coveredPx() {
  return detail.isOpen && !NARROW.matches ? detail.offsetWidth : 0;
}

// --- what is open -------------------------------------------------------------------------------------------------

function openAlert(id, { push = true, look = true } = {}) {
  const alert = alerts.known.get(id);
  if (!alert) return;
  queue.chosen = id;
  detail.showAlert(alert);
  chart?.choose(alert.subject);
  if (look) lookAtAlert(alert);
  if (push) remember({ alert: id });
}

/** The map stays where it is when the place can be seen; a map that jumps at every key is no help. */
function lookAtAlert(alert) {
  const place = chart?.placeOf(alert.subject) ?? alert.position;
  if (!place || !chart || chart.sees(...place, coveredPx())) return;
  chart.look(...place, { zoom: 9.5, coveredPx: coveredPx() });
}

function openThing(thing, { push = true } = {}) {
  const layer = start.layers.find((each) => each.id === thing.layer);
  if (!layer?.detail) return;
  queue.chosen = "";
  detail.showThing(thing, layer.detail.replace("{id}", encodeURIComponent(thing.id)));
  chart?.choose(thing.id);
  if (push) remember({ thing: thing.id, layer: thing.layer, name: thing.name });
}

/** What an action made of an alert: its fragment in the same panel, its page one link away. */
function openMade({ name, page }, { push = true } = {}) {
  detail.showThing({ name, page }, `${page}/detail`);
  if (push) remember({ page, name });
}

function dismiss({ push = true } = {}) {
  if (!detail.isOpen) return false;
  detail.hide();
  chart?.choose(null);
  if (push) remember({});
  return true;
}

/** The browser's back button closes what was opened. */
function remember(what) {
  const address = what.alert ? `/map?alert=${encodeURIComponent(what.alert)}` : "/map";
  const same = JSON.stringify(history.state ?? {}) === JSON.stringify(what);
  if (!same) history.pushState(what, "", address);
}

window.addEventListener("popstate", (event) => {
  const { alert, thing, layer, name, page } = event.state ?? {};
  if (alert) openAlert(alert, { push: false });
  else if (thing) openThing({ id: thing, layer, name }, { push: false });
  else if (page) openMade({ name, page }, { push: false });
  else dismiss({ push: false });
});

// --- what people do -----------------------------------------------------------------------------------------------

async function decide(name, id, value) {
  if (!start.may_decide || !alerts.known.has(id)) return;
  const answer = name === "acknowledge" ? await alerts.acknowledge(id) : await alerts.close(id, value);
  if (detail.alert?.id === id) detail.told(answer);
  else if (!answer.ok) announce(answer.body?.detail ?? t("error.unreachable"));
}

function find(text) {
  const moving = movers.search(text).map((slot) => {
    const info = movers.info[slot];
    const layer = start.layers.find((each) => each.id === info.layer);
    return {
      name: info.name, what: [layer?.title, info.source].filter(Boolean).join(" · "),
      seenMs: clock.now() - (performance.now() - movers.seenS[slot] * 1000),
      take: () => {
        openThing(info);
        showMap();
        const place = chart?.placeOf(info.id);
        if (place) chart.look(...place, { zoom: 12, coveredPx: coveredPx() });
      },
    };
  });
  const places = (chart?.places(text) ?? []).map(([name, [longitude, latitude]]) => ({
    name, what: t("search.place"),
    take: () => {
      showMap();
      chart.look(longitude, latitude, { zoom: 12, coveredPx: coveredPx() });
    },
  }));
  return [...moving, ...places].slice(0, 10);
}

function showMap() {
  if (NARROW.matches) tab("map");
}

function tab(name) {
  $(".console").dataset.tab = name;
  for (const each of document.querySelectorAll(".console-tabs button")) each.setAttribute("aria-selected", String(each.dataset.tab === name));
  chart?.map.resize();
}

/** The worst of the queue, and what waits above it: more marks than these would hide the map. */
function drawn() {
  return [...alerts.waiting, ...alerts.rows.slice(0, MOST_MARKS)].map((id) => alerts.known.get(id)).filter((alert) => alert && alert.state !== "closed");
}

function announce(text) {
  $("#announce").textContent = "";
  requestAnimationFrame(() => {
    $("#announce").textContent = text;
  });
}

// --- how things are -----------------------------------------------------------------------------------------------

function showLine() {
  const seconds = Math.round((Date.now() - line.downSince) / 1000);
  const box = $("#line");
  box.dataset.state = line.live ? "live" : "down";
  box.textContent = line.live ? t("line.live") : t("line.down", { n: seconds });
  $(".console").classList.toggle("is-stale", !line.live && seconds >= 1);
}

function showTitle() {
  const urgent = alerts.open.filter((alert) => alert.priority === 1 && alert.state === "open").length;
  document.title = document.title.replace(/^(\(\d+!\) )?/, urgent ? `(${urgent}!) ` : "");
}

let heardMs = 0;
let glassAt = performance.now();

/** A report was drawn: this is how long it took from the sensor. */
function measureGlass() {
  if (!heardMs) return;
  const ms = Math.max(0, Math.round(clock.now() - heardMs));
  heardMs = 0;
  if (ms > 600_000) return;
  rail.glassMs = rail.glassMs === null ? ms : Math.round(0.8 * rail.glassMs + 0.2 * ms);
  if (performance.now() - glassAt > GLASS_EVERY_MS) {
    glassAt = performance.now();
    send("/api/picture/glass", { ms });
  }
}

function countLayers() {
  const counts = {};
  for (let i = 0; i < movers.count; i += 1) counts[movers.info[i].layer] = (counts[movers.info[i].layer] ?? 0) + 1;
  rail.counts = counts;
  rail.requestUpdate();
}

// --- start --------------------------------------------------------------------------------------------------------

async function begin() {
  queue.account = start.account;
  queue.bind(alerts);
  search.bind(find);
  $(".console").dataset.tab = "queue";
  line.addEventListener("change", () => {
    showLine();
    announce($("#line").textContent);
  });
  setInterval(() => {
    showLine();
    countLayers();
  }, 1_000);
  alerts.addEventListener("change", () => {
    chart?.showAlerts(drawn());
    const shown = detail.alert && alerts.known.get(detail.alert.id);
    if (shown && shown !== detail.alert) detail.refresh(shown);
    showTitle();
  });
  alerts.addEventListener("ring", ({ detail: alert }) => {
    if (alert.priority === 1) announce(`${t("priority.1")}: ${alert.sentence}`);
  });
  alerts.load().then(() => {
    const wanted = new URLSearchParams(location.search).get("alert");
    if (wanted) openAlert(wanted, { push: false });
  });
  wire();
  await document.fonts.load('450 24px "Inter Variable"').catch(() => {});
  await document.fonts.load('600 24px "Inter Variable"').catch(() => {});
  try {
    startMap();
  } catch (error) {
    console.error(error);
    $("#no-map").hidden = false;
  }
  followPositions(line, (frame) => {
    movers.take(frame, steadyAt(frame.sentMs));
    if (!frame.snapshot && frame.heardMs) heardMs = Math.max(heardMs, frame.heardMs);
    $("#no-movers").hidden = movers.count > 0 || !start.layers.some((layer) => layer.movers);
    chart?.redraw();
  });
}

function startMap() {
  chart = new Chart($("#map"), $("#overlay"), movers, start);
  chart.addEventListener("drawn", measureGlass);
  chart.addEventListener("pick", ({ detail: thing }) => (thing ? openPicked(thing) : dismiss()));
  chart.showAlerts(drawn());
  $("#attribution").textContent = start.basemap?.attribution ?? "";
  $("#no-basemap").hidden = Boolean(start.basemap);
  window.port2portChart = chart;
}

/** A click on an alarmed thing opens its alert. */
function openPicked(thing) {
  const alert = alerts.open.filter((each) => each.subject === thing.id).sort((a, b) => a.priority - b.priority)[0];
  if (alert) {
    openAlert(alert.id, { look: false });
  } else {
    openThing(thing);
  }
}

function wire() {
  queue.addEventListener("choose", ({ detail: id }) => openAlert(id));
  detail.addEventListener("dismiss", () => dismiss());
  detail.addEventListener("made", ({ detail: made }) => openMade(made));
  detail.addEventListener("decide", ({ detail: { name, id, value } }) => decide(name, id, value));
  rail.addEventListener("layer", ({ detail: { layer, shown } }) => chart?.show(layer, shown));
  for (const each of document.querySelectorAll(".console-tabs button")) each.addEventListener("click", () => tab(each.dataset.tab));
  const help = $("#help");
  const letters = $("#keys-on");
  letters.checked = keysAreOn();
  letters.addEventListener("change", () => setKeys(letters.checked));
  const inQueue = (act) => () => {
    queue.touch();
    queue.focusList();
    act();
  };
  const chosen = () => detail.alert?.id ?? queue.chosen;
  const table = {
    j: inQueue(() => queue.move(1)),
    k: inQueue(() => queue.move(-1)),
    ArrowDown: (event) => (queue.contains(event.target) ? inQueue(() => queue.move(1))() : false),
    ArrowUp: (event) => (queue.contains(event.target) ? inQueue(() => queue.move(-1))() : false),
    Enter: () => (queue.chosen ? openAlert(queue.chosen) : false),
    n: () => queue.takeIn(),
    a: () => (chosen() ? void decide("acknowledge", chosen()) : false),
    x: () => detail.askCause(),
    m: () => {
      showMap();
      chart?.map.getCanvas().focus();
    },
    "/": () => search.open(),
    "ctrl+k": () => search.open(),
    "?": () => (help.open ? help.close() : help.showModal()),
    Escape: () => dismiss() && queue.focusList(),
  };
  for (const digit of ["1", "2", "3", "4"]) table[digit] = () => detail.cause(Number(digit)) || false;
  for (const action of start.actions) table[action.key] ??= () => (detail.alert ? void detail.run(action) : false);
  listen(table);
}

begin();
