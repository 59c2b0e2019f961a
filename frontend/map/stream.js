// The two live lines to the node, and whether they hold.
import { Cutter } from "./frames.js";
import { clock, setClock } from "./words.js";

/** The node sends at least every 2 s; silence for longer than this is a broken line. */
const SILENCE_MS = 6_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const CLOCK_EVERY_MS = 60_000;

export class Line extends EventTarget {
  #up = { positions: false, alerts: false };
  downSince = Date.now();

  get live() {
    return this.#up.positions && this.#up.alerts;
  }

  set(which, up) {
    const was = this.live;
    this.#up[which] = up;
    if (was && !this.live) this.downSince = Date.now();
    if (was !== this.live) this.dispatchEvent(new Event("change"));
  }
}

/** Read positions for ever; `take(frame)` gets each frame. */
export async function followPositions(line, take) {
  let pause = FIRST_PAUSE_MS;
  let clockAt = -Infinity;
  for (;;) {
    try {
      if (performance.now() - clockAt > CLOCK_EVERY_MS) {
        await setClock();
        clockAt = performance.now();
      }
      await readPositions(line, (frame) => {
        pause = FIRST_PAUSE_MS;
        take(frame);
      });
    } catch (error) {
      if (error.name !== "AbortError") console.warn("positions:", error.message);
    }
    line.set("positions", false);
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

async function readPositions(line, take) {
  const stop = new AbortController();
  let watch = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const answer = await fetch("/api/picture/positions", { signal: stop.signal, cache: "no-store" });
    if (answer.status === 401 || answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const reader = answer.body.getReader();
    const cutter = new Cutter();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      clearTimeout(watch);
      watch = setTimeout(() => stop.abort(), SILENCE_MS);
      line.set("positions", true);
      for (const frame of cutter.feed(value)) take(frame);
    }
  } finally {
    clearTimeout(watch);
    stop.abort();
  }
}

/** Follow changes of the queue from an entry on; the browser resumes by itself. */
export function followAlerts(line, after, { added, changed, reload }) {
  const source = new EventSource(`/api/picture/stream?after=${after}`);
  source.addEventListener("open", () => line.set("alerts", true));
  source.addEventListener("added", (event) => added(JSON.parse(event.data)));
  source.addEventListener("changed", (event) => changed(JSON.parse(event.data)));
  source.addEventListener("reload", () => {
    source.close();
    line.set("alerts", false);
    reload();
  });
  source.addEventListener("error", () => {
    line.set("alerts", false);
    if (source.readyState === EventSource.CLOSED) setTimeout(reload, 2_000);
  });
  return source;
}

/** How old a frame is on this screen's steady clock: seconds at which the node made it. */
export const steadyAt = (nodeMs) => (performance.now() + (nodeMs - clock.now())) / 1000;
