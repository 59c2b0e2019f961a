// The four priorities: colour, shape and word, the same everywhere.
import { svg } from "lit";

export const PRIORITIES = [1, 2, 3, 4];

/** Shapes in a box from -1 to 1: triangle, diamond, disc, square. */
const OUTLINES = {
  1: [[0, -1], [1, 0.8], [-1, 0.8]],
  2: [[0, -1], [1, 0], [0, 1], [-1, 0]],
  4: [[-0.62, -0.62], [0.62, -0.62], [0.62, 0.62], [-0.62, 0.62]],
};

/** An SVG drawing for the queue and the detail. */
export function shape(priority, open) {
  const outline = OUTLINES[priority];
  const form = outline
    ? svg`<polygon points=${outline.map(([x, y]) => `${12 + 9 * x},${12 + 9 * y}`).join(" ")}></polygon>`
    : svg`<circle cx="12" cy="12" r="8"></circle>`;
  const mark = open && priority < 3 ? svg`<path d="M12 9v5M12 15.6v1.6" class="mark"></path>` : "";
  return svg`<svg viewBox="0 0 24 24" class="prio-shape" aria-hidden="true">${form}${mark}</svg>`;
}

/** The same on a canvas, centred at (x, y). */
export function drawShape(context, priority, x, y, size) {
  const outline = OUTLINES[priority];
  context.beginPath();
  if (outline) for (const [dx, dy] of outline) context.lineTo(x + dx * size, y + dy * size);
  else context.arc(x, y, size * 0.85, 0, 2 * Math.PI);
  context.closePath();
}
