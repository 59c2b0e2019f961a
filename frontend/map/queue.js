// The queue: fixed rows, only those in view exist. A row never moves under somebody's pointer or keys: what is new
// waits above the fold line until the list is free, or until somebody asks for it.
import { LitElement, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { shape } from "./symbols.js";
import { age, clock, t } from "./words.js";

export const ROW_PX = 56;
const SPARE_ROWS = 6;
/** The list counts as free when no pointer is in it and no key was used in it for so long. */
const FREE_AFTER_MS = 15_000;

export class Queue extends LitElement {
  static properties = { chosen: { type: String }, mine: { type: Boolean }, account: {} };

  constructor() {
    super();
    this.chosen = "";
    this.mine = false;
    this.pointerInside = false;
    this.keyAt = -Infinity;
    this.first = 0;
    this.fits = 20;
  }

  createRenderRoot() {
    return this;
  }

  bind(alerts) {
    this.alerts = alerts;
    alerts.addEventListener("change", (event) => {
      if (event.detail?.settled) this.#keepPlace();
      this.requestUpdate();
    });
    setInterval(() => {
      this.#hold();
      this.requestUpdate();
    }, 1_000);
    this.requestUpdate();
  }

  get rows() {
    const { known, rows } = this.alerts;
    return this.mine ? rows.filter((id) => known.get(id)?.acknowledged_by === this.account) : rows;
  }

  get list() {
    return this.querySelector(".rows");
  }

  /** The row that was first in view, and how far it was scrolled: kept when rows are put in their places. */
  #keepPlace() {
    const list = this.list;
    if (!list || !this.shownIds) return;
    const anchor = this.chosen && this.shownIds.includes(this.chosen) ? this.chosen : this.shownIds[Math.floor(list.scrollTop / ROW_PX)];
    const before = this.shownIds.indexOf(anchor);
    const after = this.rows.indexOf(anchor);
    if (before < 0 || after < 0 || list.scrollTop === 0) return;
    const scroll = list.scrollTop + (after - before) * ROW_PX;
    this.updateComplete.then(() => {
      list.scrollTop = scroll;
    });
  }

  #hold() {
    const { alerts } = this;
    const typing = performance.now() - this.keyAt < FREE_AFTER_MS && this.contains(document.activeElement);
    alerts.held = this.pointerInside || typing;
    if (!alerts.held && alerts.needsSettling) alerts.settle();
  }

  /** Somebody works with the keys in the list. */
  touch() {
    this.keyAt = performance.now();
    this.#hold();
  }

  /** Take in what waits, and go to the worst of it. */
  takeIn() {
    const [worst] = [...this.alerts.waiting].map((id) => this.alerts.known.get(id)).sort((a, b) => a.priority - b.priority);
    this.alerts.settle();
    if (worst) this.choose(worst.id);
  }

  move(by) {
    const { rows } = this;
    if (!rows.length) return;
    const at = rows.indexOf(this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    this.choose(rows[next]);
  }

  choose(id) {
    this.chosen = id;
    this.#intoView(this.rows.indexOf(id));
    this.dispatchEvent(new CustomEvent("choose", { detail: id, bubbles: true }));
  }

  #intoView(at) {
    const list = this.list;
    if (!list || at < 0) return;
    const top = at * ROW_PX;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW_PX > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_PX - list.clientHeight;
  }

  focusList() {
    this.list?.focus({ preventScroll: true });
  }

  #scrolled(event) {
    this.first = Math.floor(event.target.scrollTop / ROW_PX);
    this.fits = Math.ceil(event.target.clientHeight / ROW_PX);
    this.requestUpdate();
  }

  updated() {
    const list = this.list;
    if (!list) return;
    const fits = Math.ceil(list.clientHeight / ROW_PX) || 20;
    if (fits !== this.fits) {
      this.fits = fits;
      this.requestUpdate();
    }
  }

  render() {
    if (!this.alerts) return nothing;
    const { rows } = this;
    this.shownIds = rows;
    return html`${this.#head()} ${this.#waiting()}
      <div
        class="rows"
        role=${rows.length ? "listbox" : "region"}
        tabindex="0"
        aria-label=${t("queue")}
        aria-activedescendant=${rows.includes(this.chosen) ? `alert-${this.chosen}` : nothing}
        @scroll=${this.#scrolled}
        @pointerenter=${() => this.#pointer(true)}
        @pointerleave=${() => this.#pointer(false)}
        @focus=${() => this.touch()}
      >
        ${rows.length ? this.#window(rows) : this.#empty()}
      </div>
      ${this.#keys()}`;
  }

  #pointer(inside) {
    this.pointerInside = inside;
    this.#hold();
  }

  #head() {
    const { open } = this.alerts;
    const mine = open.filter((alert) => alert.acknowledged_by === this.account).length;
    const tab = (title, count, on) => html`<button
      class="tab" aria-pressed=${this.mine === on ? "true" : "false"} @click=${() => this.#only(on)}
    >${title} <b>${count}</b></button>`;
    return html`<div class="queue-head"><h1>${t("queue")}</h1>${tab(t("queue.all"), open.length, false)}${tab(t("queue.mine"), mine, true)}</div>`;
  }

  #only(mine) {
    this.mine = mine;
    if (this.list) this.list.scrollTop = 0;
  }

  /** The fold line: always there, so that nothing moves when something waits. */
  #waiting() {
    const waiting = [...this.alerts.waiting].map((id) => this.alerts.known.get(id)).filter(Boolean);
    if (!waiting.length) return html`<div class="fold"></div>`;
    const urgent = waiting.filter((alert) => alert.priority === 1).length;
    const text = urgent ? t("queue.waiting.urgent", { n: waiting.length, urgent }) : t("queue.waiting", { n: waiting.length });
    return html`<button class="fold has-new ${urgent ? "is-urgent" : ""}" @click=${() => this.takeIn()}>
      <span>${text}</span><kbd>n</kbd>
    </button>`;
  }

  #window(rows) {
    const from = Math.max(0, this.first - SPARE_ROWS);
    const to = Math.min(rows.length, this.first + this.fits + SPARE_ROWS);
    const ids = rows.slice(from, to);
    return html`<div class="rows-space" .style=${`height:${rows.length * ROW_PX}px`}>
      <div class="rows-window" .style=${`transform:translateY(${from * ROW_PX}px)`}>
        ${repeat(ids, (id) => id, (id, i) => this.#row(this.alerts.known.get(id), from + i, rows.length))}
      </div>
    </div>`;
  }

  #row(alert, at, count) {
    if (!alert) return nothing;
    const now = clock.now();
    const classes = ["q-row", `p${alert.priority}`, `is-${alert.state}`, alert.ended_at ? "is-over" : "", alert.acting ? "is-acting" : ""];
    return html`<div
      id="alert-${alert.id}"
      class=${classes.join(" ")}
      role="option"
      aria-selected=${alert.id === this.chosen ? "true" : "false"}
      aria-setsize=${count}
      aria-posinset=${at + 1}
      @click=${() => this.choose(alert.id)}
    >
      ${shape(alert.priority, alert.state === "open")}
      <span class="line-1"><b>${alert.rule}</b><span class="subject">${alert.subject_name}</span></span>
      <time class="age">${age(alert.rang_at, now)}</time>
      <span class="line-2"><span class="word">${t(`priority.${alert.priority}`)}</span>${this.#state(alert)}<span class="source">${alert.source}</span>${alert.owner ? html`<span class="owner">${alert.owner}</span>` : nothing}</span>
      <span class="marks">${alert.count > 1 ? html`<span class="count" title=${t("queue.times", { n: alert.count })}>×${alert.count}</span>` : nothing}${tlp(alert.tlp)}</span>
    </div>`;
  }

  #state(alert) {
    if (alert.state === "closed") return html`<span class="state">${t("state.closed", { who: alert.closed_by })}</span>`;
    const over = alert.ended_at ? html`<span class="state over">${t("state.over")}</span>` : nothing;
    if (alert.state === "acknowledged") {
      const who = alert.acknowledged_by === this.account ? t("state.mine") : t("state.acknowledged", { who: alert.acknowledged_by });
      return html`<span class="state">${who}</span>${over}`;
    }
    return over;
  }

  #empty() {
    if (!this.alerts.loaded) return html`<p class="quiet-note">${t("queue.loading")}</p>`;
    if (this.mine) return html`<p class="quiet-note">${t("queue.none-mine")}</p>`;
    return html`<div class="quiet-note"><p><b>${t("queue.quiet")}</b> ${t("queue.quiet.more")}</p></div>`;
  }

  #keys() {
    const key = (name, what) => html`<span><kbd>${name}</kbd> ${what}</span>`;
    return html`<div class="keys" aria-hidden="true">
      ${key("j k", t("key.move"))}${key("↵", t("key.open"))}${key("a", t("key.acknowledge"))}${key("/", t("key.search"))}${key("?", t("key.more"))}
    </div>`;
  }
}

/** The handling label, in the colours of TLP 2.0. */
export function tlp(label) {
  if (!label) return nothing;
  return html`<span class="tlp tlp-${label.replace("TLP:", "").replace("+", "-").toLowerCase()}">${label}</span>`;
}

customElements.define("p2p-queue", Queue);
