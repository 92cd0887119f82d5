// A tail points from a sample back to where it was in frame 0. On a map one may trust its
// direction at most; its length is the true displacement, measured with all features.

import { colorOf } from "./looks.js";
import { movedAt } from "./movie.js";

// In CSS pixels. A browser without a graphics card strokes lines of one pixel several times faster
// than any wider ones.
const TAIL = { width: 1, alpha: 0.85 };
const SHORTEST_TAIL = 3; // less would hide under the dot

export const TAILS_HELP =
  "Tails point to where samples were at first, and are as long as they moved in feature space.";

// One path per colour: 3,000 strokes of their own would take too long.
export function paintTails(context, view, movie, moment, map, { mode, theme }, pixelRatio) {
  const { panel, places } = view;
  const unit = panel.unit * map.scale;
  const paths = new Map();
  for (const sample of view.order) {
    if (places.kept[sample] === 0) continue;
    const [x, y] = [places.x[sample], places.y[sample]];
    const [right, down] = [map.x(panel.x[sample]) - x, map.y(panel.y[sample]) - y];
    const apart = Math.hypot(right, down);
    const length = movedAt(movie, panel, moment, sample) * unit;
    // Who is where it was on the map has no direction to point to.
    if (apart < 0.01 || length < SHORTEST_TAIL * pixelRatio) continue;
    const color = colorOf(movie, panel, moment, sample, mode, theme);
    if (!paths.has(color)) paths.set(color, []);
    paths.get(color).push(x, y, x + (right / apart) * length, y + (down / apart) * length);
  }
  context.lineWidth = TAIL.width * pixelRatio;
  context.globalAlpha = TAIL.alpha;
  for (const [color, ends] of paths) {
    context.beginPath();
    for (let i = 0; i < ends.length; i += 4) {
      context.moveTo(ends[i], ends[i + 1]);
      context.lineTo(ends[i + 2], ends[i + 3]);
    }
    context.strokeStyle = color;
    context.stroke();
  }
  context.globalAlpha = 1;
}
