// The queue as this screen knows it: what the node told, in an order that never moves under the cursor.
import { followAlerts } from "./stream.js";
import { send } from "./words.js";

const byUrgency = (a, b) => a.priority - b.priority || b.rang_at - a.rang_at || (a.id < b.id ? -1 : 1);

export class Alerts extends EventTarget {
  /** Everything that is not closed, and what was closed but still stands in a row. */
  known = new Map();
  /** Ids in the order of the rows on the screen. */
  rows = [];
  /** Ids that wait above the fold line for the rows to be free. */
  waiting = new Set();
  loaded = false;
  /** Somebody's pointer or keys are in the list: rows keep their places. */
  held = false;
  #source;
  #open = null;

  constructor(line) {
    super();
    this.line = line;
  }

  async load() {
    this.#source?.close();
    try {
      const found = new Map();
      let after = 0;
      for (let offset = 0, total = 1; offset < total; ) {
        const answer = await fetch(`/api/picture/alerts?offset=${offset}`, { headers: { Accept: "application/json" } });
        if (answer.status === 401) return location.reload();
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const page = await answer.json();
        if (offset === 0) after = page.after;
        for (const each of page.alerts) found.set(each.id, each);
        total = page.total;
        offset += page.alerts.length || total;
      }
      this.known = found;
      this.loaded = true;
      this.settle(true);
      this.#source = followAlerts(this.line, after, {
        added: (alert) => this.#added(alert),
        changed: (change) => this.#changed(change),
        reload: () => this.load(),
      });
    } catch {
      setTimeout(() => this.load(), 2_000);
    }
    return undefined;
  }

  #added(alert) {
    const known = this.known.get(alert.id);
    if (known && known.number >= alert.number) return;
    this.#put(alert);
    this.waiting.add(alert.id);
    this.#ring(alert);
    this.#soon();
  }

  #changed(change) {
    const known = this.known.get(change.id);
    if (!known || known.number >= change.number) return;
    if (change.state === "acknowledged" && known.state !== "open") return;
    const priority = Math.min(known.priority, change.priority ?? 4);
    const next = { ...known, ...change, priority, acting: false };
    this.#put(next);
    if (change.rang_at) this.#ring(next);
    this.#soon();
  }

  #ring(alert) {
    this.dispatchEvent(new CustomEvent("ring", { detail: alert }));
  }

  #soon() {
    if (!this.held) this.settle();
    else this.dispatchEvent(new Event("change"));
  }

  /** Put every row in its place: called when nobody's pointer or keys are in the list, or when asked for. */
  settle(first = false) {
    for (const [id, alert] of this.known) if (alert.state === "closed") this.known.delete(id);
    this.#open = null;
    this.rows = [...this.known.values()].sort(byUrgency).map((alert) => alert.id);
    this.waiting.clear();
    this.dispatchEvent(new CustomEvent("change", { detail: { settled: true, first } }));
  }

  get needsSettling() {
    return this.waiting.size > 0 || this.rows.some((id) => this.known.get(id)?.state === "closed");
  }

  /** What is not closed. Kept until the next change: the queue asks for it with every row that comes into view. */
  get open() {
    this.#open ??= [...this.known.values()].filter((alert) => alert.state !== "closed");
    return this.#open;
  }

  #put(alert) {
    this.known.set(alert.id, alert);
    this.#open = null;
  }

  async acknowledge(id) {
    return this.#act(id, `/api/picture/alerts/${encodeURIComponent(id)}/acknowledge`, {});
  }

  async close(id, cause) {
    return this.#act(id, `/api/picture/alerts/${encodeURIComponent(id)}/close`, { cause });
  }

  /** The answer is shown at once; the live line brings the same a moment later. */
  async #act(id, path, body) {
    const known = this.known.get(id);
    if (!known) return { ok: false, body: null };
    this.#put({ ...known, acting: true });
    this.dispatchEvent(new Event("change"));
    const answer = await send(path, { ...body, seen: known.seen });
    const now = this.known.get(id) ?? known;
    const told = answer.ok ? answer.body : {};
    const newer = answer.ok && told.number >= now.number;
    this.#put({ ...now, ...(newer ? { ...told, number: now.number } : {}), acting: false });
    this.#soon();
    return answer;
  }
}
