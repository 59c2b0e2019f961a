// Find a mover, an alert or a place by name. Ctrl+K everywhere, since / needs Shift on a Belgian keyboard.
import { LitElement, html, nothing } from "lit";
import { age, clock, t } from "./words.js";

export class Search extends LitElement {
  constructor() {
    super();
    this.found = [];
    this.at = 0;
    this.text = "";
  }

  createRenderRoot() {
    return this;
  }

  bind(look) {
    this.look = look;
  }

  open() {
    this.querySelector("input").focus();
    this.querySelector("input").select();
  }

  #typed(event) {
    this.text = event.target.value;
    this.found = this.text.trim() ? this.look(this.text) : [];
    this.at = 0;
    this.requestUpdate();
  }

  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && this.found.length) {
      this.at = (this.at + steps[event.key] + this.found.length) % this.found.length;
    } else if (event.key === "Enter" && this.found[this.at]) {
      this.#take(this.found[this.at]);
    } else if (event.key === "Escape") {
      this.#done();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.requestUpdate();
  }

  #take(found) {
    this.#done();
    found.take();
  }

  #done() {
    this.found = [];
    this.text = "";
    const input = this.querySelector("input");
    input.value = "";
    input.blur();
    this.requestUpdate();
  }

  render() {
    const open = this.text.trim() !== "";
    return html`<div class="search" role="search">
      <input type="search" role="combobox" autocomplete="off" spellcheck="false" placeholder=${t("search.placeholder")} aria-label=${t("search.placeholder")}
        aria-expanded=${this.found.length > 0} aria-controls=${this.found.length ? "search-found" : nothing} aria-activedescendant=${this.found.length ? `found-${this.at}` : nothing}
        @input=${this.#typed} @keydown=${this.#key} @blur=${() => setTimeout(() => this.#blurred(), 150)} />
      <kbd aria-hidden="true">Ctrl K</kbd>
      ${open ? this.#list() : nothing}
    </div>`;
  }

  #blurred() {
    if (!this.contains(document.activeElement)) this.#done();
  }

  #list() {
    if (!this.found.length) return html`<p class="found quiet-note" role="status">${t("search.nothing", { text: this.text })}</p>`;
    return html`<ul class="found" id="search-found" role="listbox">
      ${this.found.map(
        (each, i) => html`<li id="found-${i}" role="option" aria-selected=${i === this.at} @pointerdown=${() => this.#take(each)}>
          <span>${each.name}</span><small>${each.what}${each.seenMs ? html` · ${age(each.seenMs, clock.now())}` : nothing}</small>
        </li>`,
      )}
    </ul>`;
  }
}

customElements.define("p2p-search", Search);
