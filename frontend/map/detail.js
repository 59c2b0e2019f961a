// What is known of one alert or one thing on the map; slides over the map's edge. Answer first, then what to do,
// then how we know; the rest is the page fragment of the capability whose thing it is.
import { LitElement, html, nothing } from "lit";
import { tlp } from "./queue.js";
import { shape } from "./symbols.js";
import { age, clock, clockTime, problemText, send, start, t } from "./words.js";

export class Detail extends LitElement {
  #loading = null;

  constructor() {
    super();
    this.alert = null;
    this.thing = null;
    this.problem = "";
    this.closing = false;
    this.path = "";
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.hidden = true;
    setInterval(() => this.alert && this.requestUpdate(), 1_000);
  }

  get isOpen() {
    return !this.hidden;
  }

  showAlert(alert) {
    const same = this.alert?.id === alert.id;
    this.alert = alert;
    this.thing = null;
    if (!same) this.#fresh();
    this.#load(alert.detail);
  }

  /** The alert changed while it is open: the fragment stays. */
  refresh(alert) {
    this.alert = alert;
    this.requestUpdate();
  }

  showThing(thing, path) {
    this.alert = null;
    this.thing = thing;
    this.#fresh();
    this.#load(path);
  }

  hide() {
    this.hidden = true;
    this.alert = this.thing = null;
    this.path = "";
    this.#loading?.abort();
    this.#fragment?.replaceChildren();
    this.requestUpdate();
  }

  #fresh() {
    this.problem = "";
    this.closing = false;
    this.scrollTop = 0;
  }

  get #fragment() {
    return this.querySelector(".fragment");
  }

  /** Show a fragment. What arrives late, for something else, is thrown away. */
  async #load(path) {
    this.hidden = false;
    this.requestUpdate();
    await this.updateComplete;
    if (path === this.path) return;
    this.path = path;
    this.#loading?.abort();
    this.#fragment.replaceChildren();
    if (!path) return;
    this.#loading = new AbortController();
    const headers = { Accept: "text/html", "HX-Request": "true" };
    const answer = await fetch(path, { headers, signal: this.#loading.signal }).catch(() => null);
    const text = answer?.ok ? await answer.text().catch(() => "") : "";
    if (path !== this.path) return;
    if (answer?.redirected) location.reload();
    else if (text) this.#put(text);
    else if (answer || !this.#loading.signal.aborted) this.#fragment.textContent = t("detail.unavailable");
  }

  #put(text) {
    this.#fragment.innerHTML = text;
    window.htmx?.process(this.#fragment);
  }

  async run(action) {
    if (!this.alert) return;
    const answer = await send(action.path.replace("{id}", encodeURIComponent(this.alert.id)), {});
    if (!answer.ok && answer.body !== null) {
      this.problem = problemText(answer);
      this.requestUpdate();
    } else if (answer.url) {
      const { pathname } = new URL(answer.url);
      this.dispatchEvent(new CustomEvent("made", { detail: { name: action.title, page: pathname } }));
    }
  }

  #decide(name, value) {
    this.dispatchEvent(new CustomEvent("decide", { detail: { name, value, id: this.alert.id }, bubbles: true }));
  }

  /** Ask for the cause, then close. */
  askCause() {
    if (!this.alert || this.alert.state === "closed") return;
    this.closing = true;
    this.requestUpdate();
    this.updateComplete.then(() => this.querySelector(".causes button")?.focus());
  }

  render() {
    return html`<div class="detail-head">
        ${this.alert ? this.#title(this.alert) : html`<h2>${this.thing?.name ?? ""}</h2>`}
        <button class="plain" @click=${() => this.dispatchEvent(new Event("dismiss"))} title=${t("detail.close")}><span aria-hidden="true">✕</span><span class="for-ears">${t("detail.close")}</span> <kbd>Esc</kbd></button>
      </div>
      ${this.alert ? this.#alert(this.alert) : nothing}
      ${this.thing?.page ? html`<p><a href=${this.thing.page}>${t("detail.page")}</a></p>` : nothing}
      <div class="fragment ${this.alert ? "below-alert" : ""}"></div>`;
  }

  #title(alert) {
    return html`<h2 class="kind p${alert.priority} is-${alert.state}">
      ${shape(alert.priority, alert.state === "open")}<span>${t(`priority.${alert.priority}`)}</span><span class="rule">${alert.rule}</span>
    </h2>`;
  }

  #alert(alert) {
    const known = [alert.source, alert.owner || t("detail.own")].filter(Boolean).join(" · ");
    return html`<p class="sentence">${alert.sentence}</p>
      ${alert.ended_at ? html`<p class="over-note">${t("detail.over", { at: clockTime(alert.ended_at), why: alert.ended })}</p>` : nothing}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${this.closing ? this.#causes() : this.#actions(alert)}
      <dl class="how">
        <dt>${t("detail.since")}</dt><dd>${clockTime(alert.raised_at)} · ${age(alert.raised_at, clock.now())}${alert.count > 1 ? html` · ${t("queue.times", { n: alert.count })}` : nothing}</dd>
        <dt>${t("detail.source")}</dt><dd>${known}</dd>
        <dt>${t("detail.who")}</dt><dd>${this.#who(alert)}</dd>
        <dt>${t("detail.handling")}</dt><dd>${alert.tlp ? tlp(alert.tlp) : t("detail.not-shared")}</dd>
      </dl>`;
  }

  #who(alert) {
    if (alert.state === "closed") return t("detail.closed", { who: alert.closed_by, at: clockTime(alert.closed_at ?? clock.now()), why: alert.cause ?? "" });
    if (alert.state === "acknowledged") return t("detail.acknowledged", { who: alert.acknowledged_by, at: clockTime(alert.acknowledged_at) });
    return t("detail.nobody");
  }

  #actions(alert) {
    if (!start.may_decide || alert.state === "closed") return nothing;
    const open = alert.state === "open";
    return html`<div class="actions">
      ${open ? html`<button class="main" ?disabled=${alert.acting} @click=${() => this.#decide("acknowledge")}>${t("act.acknowledge")} <kbd>a</kbd></button>` : nothing}
      ${start.actions.map((each) => html`<button @click=${() => this.run(each)}>${each.title} <kbd>${each.key}</kbd></button>`)}
      <button ?disabled=${alert.acting} @click=${() => this.askCause()}>${t("act.close")} <kbd>x</kbd></button>
    </div>`;
  }

  #causes() {
    return html`<div class="causes" role="group" aria-label=${t("act.close.why")}>
      <p>${t("act.close.why")}</p>
      ${start.causes.map((each, i) => html`<button @click=${() => this.#decide("close", each.key)}>${each.title} <kbd>${i + 1}</kbd></button>`)}
    </div>`;
  }

  /** A digit while the cause is asked for. */
  cause(digit) {
    const cause = start.causes[digit - 1];
    if (this.closing && cause) this.#decide("close", cause.key);
    return this.closing && Boolean(cause);
  }

  told(answer) {
    this.problem = answer.ok ? "" : problemText(answer);
    this.closing = false;
    this.requestUpdate();
  }
}

customElements.define("p2p-detail", Detail);
