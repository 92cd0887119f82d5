import { quoted } from "./emphasis.js";
import { capitalised } from "./guest.js";
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

// [["4", "71 %"], ["9", "22 %"]]: what the network makes of the sample at this frame.
function topOf(movie, panel, frame, sample) {
  const size = movie.frames.length * movie.samples;
  const named = [];
  for (let at = frame * movie.samples + sample; at < panel.top.length; at += size) {
    // A class of no percent is not named; the first one is the label, whatever its share.
    if (panel.percent[at] === 0 && named.length) break;
    named.push([movie.classes[panel.top[at]].name, `${panel.percent[at]} %`]);
  }
  return named;
}

export function factsOf(movie, moment, sample) {
  const truth = `True class: ${movie.classes[movie.true[sample]].name}`;
  const perPanel = movie.panels.map((panel) => ({
    title: panel.title,
    color: panel.color,
    top: topOf(movie, panel, moment.frame, sample),
    lines: [
      `Labels: ${labelPath(movie, panel, moment.frame, sample)}`,
      `Belief in ${quoted(movie)}: ${belief(movie, panel, moment, sample)}`,
    ],
  }));
  return { truth, perPanel };
}

export function paintTooltip(tooltip, movie, moment, sample, theme) {
  const facts = factsOf(movie, moment, sample);
  const blocks = facts.perPanel.map(({ title, color, top, lines }) => {
    const block = make("div", "of-panel");
    block.style.setProperty("--method", color);
    block.append(make("strong", "", title), topLine(top));
    block.append(...lines.map((text) => make("p", "", text)));
    return block;
  });
  tooltip.querySelector(".facts").replaceChildren(make("p", "truth", facts.truth), ...blocks);
  const { image, columns, width, height, grey } = movie.sprite;
  const left = (sample % columns) * width;
  const top = Math.floor(sample / columns) * height;
  paintPicture(tooltip, image, { left, top, width, height, grey }, theme);
}

// "4 71 % · 9 22 % · 7 5 %", names in bold: with digits one could not tell them from numbers.
function topLine(top) {
  const line = make("p", "");
  top.forEach(([name, percent], index) => {
    const share = make("span", "share");
    share.append(make("b", "", name), ` ${percent}`);
    line.append(index ? " · " : "", share);
  });
  return line;
}

export function paintGuestTooltip(tooltip, { image, label, grey }, { isComputed }, theme) {
  const facts = [make("p", "truth", capitalised(label))];
  if (!isComputed) facts.push(make("p", "", "Not computed for this moment."));
  tooltip.querySelector(".facts").replaceChildren(...facts);
  const { naturalWidth: width, naturalHeight: height } = image;
  paintPicture(tooltip, image, { left: 0, top: 0, width, height, grey }, theme);
}

function paintPicture(tooltip, image, { left, top, width, height, grey }, theme) {
  const canvas = tooltip.querySelector(".picture");
  canvas.width = width;
  canvas.height = height;
  // MNIST is white ink on black; on light paper it is shown as dark ink on white.
  canvas.classList.toggle("inverted", grey && !theme.isDark);
  canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
}

// Beside what is under the pointer, at a `place` in bitmap pixels, or in the far corner of the panel
// of a pinned sample, where it does not hide the trail. Always inside the player. (Narrow players
// have it below the maps, whatever is set here.)
export function placeTooltip(tooltip, view, place, isPinned) {
  const panel = view.canvas;
  const pixelRatio = panel.width / panel.clientWidth;
  const [x, y] = [place.x / pixelRatio, place.y / pixelRatio];
  const corner = isPinned ? farCorner(tooltip, panel, x, y) : beside(tooltip, panel, x, y);
  const outer = tooltip.offsetParent.getBoundingClientRect();
  const inner = panel.getBoundingClientRect();
  const left = inner.left - outer.left + corner.left;
  const top = inner.top - outer.top + corner.top;
  tooltip.style.left = `${Math.max(0, Math.min(left, outer.width - tooltip.offsetWidth))}px`;
  tooltip.style.top = `${Math.max(0, Math.min(top, outer.height - tooltip.offsetHeight))}px`;
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
