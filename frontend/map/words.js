// What the console knows at start: handed over by the page, so that nothing is fetched before the first picture.
export const start = JSON.parse(document.getElementById("console-data").textContent);

/** The text of a word key, its {placeholders} filled. */
export function t(key, values = {}) {
  const text = start.words[`picture.${key}`] ?? `picture.${key}`;
  return text.replace(/\{([a-z_][a-z0-9_]*)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** How long ago, in the words of the reader: seconds below 90, minutes below 90, then hours, then days. */
export function age(sinceMs, nowMs) {
  const s = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  if (s < 90) return t("age.seconds", { n: s });
  if (s < 5400) return t("age.minutes", { n: Math.round(s / 60) });
  if (s < 172800) return t("age.hours", { n: Math.floor(s / 3600), m: String(Math.floor(s / 60) % 60).padStart(2, "0") });
  return t("age.days", { n: Math.floor(s / 86400) });
}

const clockForm = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: start.timezone });

/** Local time of the port, 14:02:11. */
export const clockTime = (ms) => clockForm.format(new Date(ms));

/** The node's clock, as far as this screen can tell. */
export const clock = {
  offsetMs: start.now - performance.timeOrigin - performance.now(),
  now() {
    return performance.timeOrigin + performance.now() + this.offsetMs;
  },
};

/**
 * Ask the node for its time; half the round trip is the error, so the quickest of three answers counts. The browser's
 * own timing of the request is used: this script may have been busy drawing when the answer came.
 */
export async function setClock() {
  let best = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const path = `/api/picture/clock?at=${performance.now()}`;
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { now } = await answer.json();
    const [timing] = performance.getEntriesByName(new URL(path, location.href).href);
    if (!timing?.responseStart) continue;
    const took = timing.responseStart - timing.requestStart;
    if (took < best) {
      best = took;
      clock.offsetMs = now + took / 2 - (performance.timeOrigin + timing.responseStart);
    }
  }
  performance.clearResourceTimings();
}

/** POST JSON with the form token; answers {ok, status, body}. */
export async function send(path, body) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": token };
  try {
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { ok: answer.ok, status: answer.status, url: answer.url, body: await answer.json().catch(() => null) };
  } catch {
    return { ok: false, status: 0, url: "", body: { title: t("error.unreachable"), detail: t("error.unreachable.hint") } };
  }
}

/** Show what was refused, in the words the node chose. */
export function problemText(answer) {
  const { title, detail, hint } = answer.body ?? {};
  return [detail || title || t("error.unreachable"), hint].filter(Boolean).join(" ");
}
