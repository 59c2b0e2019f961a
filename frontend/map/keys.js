// Every shortcut of the console in one table; a person can switch single letters off (WCAG 2.1.4).
const OFF = "picture.keys";

export const keysAreOn = () => localStorage.getItem(OFF) !== "off";
export const setKeys = (on) => localStorage.setItem(OFF, on ? "on" : "off");

/** Whether a key press belongs to a field that somebody types in. */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** `table` maps a key to what it does; `ctrl+k` forms are always on. */
export function listen(table) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    const name = (event.ctrlKey ? "ctrl+" : "") + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const act = table[name];
    if (!act || (!event.ctrlKey && isTyping(event.target))) return;
    if (name !== "?" && document.querySelector("dialog[open]")) return;
    const single = event.key.length === 1 && !event.ctrlKey;
    if (single && !keysAreOn()) return;
    if (name === "Enter" && event.target instanceof Element && event.target.closest("button, a, summary")) return;
    if (act(event) !== false) event.preventDefault();
  });
}
