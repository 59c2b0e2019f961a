// The right rail: layers, how old the picture is, and how long a report takes to this glass. It folds.
import { LitElement, html, nothing } from "lit";
import { start, t } from "./words.js";

export class Rail extends LitElement {
  constructor() {
    super();
    this.folded = localStorage.getItem("picture.rail") === "folded";
    this.counts = {};
    this.glassMs = null;
    this.frameMs = 0;
  }

  createRenderRoot() {
    return this;
  }

  #fold() {
    this.folded = !this.folded;
    localStorage.setItem("picture.rail", this.folded ? "folded" : "");
    this.requestUpdate();
  }

  #show(layer, shown) {
    this.dispatchEvent(new CustomEvent("layer", { detail: { layer, shown } }));
    this.requestUpdate();
  }

  render() {
    const slow = this.glassMs !== null && this.glassMs > start.glass_limit_ms;
    return html`<button class="plain fold-rail" aria-expanded=${!this.folded} @click=${() => this.#fold()}>${t("rail.layers")} ${this.folded ? "◂" : "▸"}</button>
      ${this.folded ? nothing : this.#layers()}
      <div class="glass ${slow ? "is-slow" : ""}" title=${t("rail.glass.more")}>
        <span>${t("rail.glass")}</span> <b>${this.glassMs === null ? "–" : `${this.glassMs} ms`}</b>
      </div>`;
  }

  #layers() {
    if (!start.layers.length) return html`<p class="quiet-note">${t("rail.none")}</p>`;
    return html`<ul class="layers">
      ${start.layers.map(
        (layer) => html`<li><label>
          <input type="checkbox" .checked=${layer.shown} @change=${(event) => this.#show(layer, event.target.checked)} />
          <span>${layer.title}</span>${this.counts[layer.id] ? html`<b>${this.counts[layer.id]}</b>` : nothing}
        </label></li>`,
      )}
    </ul>`;
  }
}

customElements.define("p2p-rail", Rail);
