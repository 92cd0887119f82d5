import { quoted } from "./emphasis.js";
import { make } from "./looks.js";
import { valueAt } from "./movie.js";

const LONGEST_PATH = 5; // runs of equal predictions that are spelled out

// "9 ×4 → 4 ×7": the labels given so far, equal neighbours counted.
export function labelPath(movie, panel, frame, sample) {
  const runs = [];
  for (let k = 0; k <= frame; k += 1) {
    const { name } = movie.classes[panel.predicted[k * movie.samples + sample]];
    if (runs.at(-1)?.name === name) runs.at(-1).times += 1;
    else runs.push({ name, times: 1 });
  }
  const spelled = runs.map(({ name, times }) => (times > 1 ? `${name} ×${times}` : name));
  const shown = spelled.slice(-LONGEST_PATH);
  return (shown.length < spelled.length ? ["…", ...shown] : shown).join(" → ");
}

function belief(movie, panel, moment, sample) {
  return `${Math.round(valueAt(panel.pf, movie.samples, moment, sample) / 2.55)} %`;
}

export function factsOf(movie, moment, sample) {
  const truth = `True class: ${movie.classes[movie.true[sample]].name}`;
  const perPanel = movie.panels.map((panel) => ({
    title: panel.title,
    text:
      `${labelPath(movie, panel, moment.frame, sample)} ` +
      `(belief in ${quoted(movie)}: ${belief(movie, panel, moment, sample)})`,
  }));
  return { truth, perPanel };
}

export function paintTooltip(tooltip, movie, moment, sample, theme) {
  const facts = factsOf(movie, moment, sample);
  const lines = facts.perPanel.map(({ title, text }) => {
    const line = make("p", "");
    line.append(make("strong", "", `${title}: `), text);
    return line;
  });
  tooltip.querySelector(".facts").replaceChildren(make("p", "truth", facts.truth), ...lines);
  paintPicture(tooltip.querySelector(".picture"), movie.sprite, sample, theme);
}

function paintPicture(canvas, { image, columns, width, height, grey }, sample, theme) {
  canvas.width = width;
  canvas.height = height;
  // MNIST is white ink on black; on light paper it is shown as dark ink on white.
  canvas.classList.toggle("inverted", grey && !theme.isDark);
  const left = (sample % columns) * width;
  const top = Math.floor(sample / columns) * height;
  canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
}

// Beside the sample under the pointer, or in the far corner of the panel of a pinned sample, where
// it does not hide the trail. Always inside the player.
export function placeTooltip(tooltip, view, sample, isPinned) {
  const panel = view.canvas;
  const pixelRatio = panel.width / panel.clientWidth;
  const [x, y] = [view.places.x[sample] / pixelRatio, view.places.y[sample] / pixelRatio];
  const place = isPinned ? farCorner(tooltip, panel, x, y) : beside(tooltip, panel, x, y);
  const outer = tooltip.offsetParent.getBoundingClientRect();
  const inner = panel.getBoundingClientRect();
  const left = inner.left - outer.left + place.left;
  const top = inner.top - outer.top + place.top;
  tooltip.style.left = `${Math.max(0, Math.min(left, outer.width - tooltip.offsetWidth))}px`;
  tooltip.style.top = `${top}px`;
}

const GAP = 14; // CSS pixels between a sample and its tooltip

function beside({ offsetWidth, offsetHeight }, panel, x, y) {
  if (x + GAP + offsetWidth <= panel.clientWidth) return { left: x + GAP, top: y - offsetHeight / 2 };
  if (x - GAP - offsetWidth >= 0) return { left: x - GAP - offsetWidth, top: y - offsetHeight / 2 };
  // No side has room (a phone): below the sample.
  return { left: x - offsetWidth / 2, top: y + GAP };
}

function farCorner({ offsetWidth, offsetHeight }, { clientWidth, clientHeight }, x, y) {
  const margin = 6;
  return {
    left: x > clientWidth / 2 ? margin : clientWidth - offsetWidth - margin,
    top: y > clientHeight / 2 ? margin : clientHeight - offsetHeight - margin,
  };
}
