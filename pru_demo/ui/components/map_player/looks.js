import { quoted } from "./emphasis.js";
import { movedAt, valueAt } from "./movie.js";

// Cividis (Nuñez et al. 2018): ordered in lightness and the same to colour-blind eyes. More is
// further from the paper, so it runs to dark on light paper and to light on dark paper; its palest
// ends are cut off, where dots would vanish.
const RAMPS = {
  light: ["#d9c55c", "#c3b369", "#a59c74", "#8a8678", "#707173", "#575d6d", "#3b496c", "#123570", "#00224e"],
  dark: ["#3b5286", "#4b5c7c", "#5e6874", "#737475", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"],
};

// Around dots that are not ringed: some class colours are too pale or too deep for their paper.
export const HAIRLINE = { color: "#7d8794", width: 0.75 };

export const ramp = (theme) => RAMPS[theme.isDark ? "dark" : "light"];

export const MODES = {
  true: { name: () => "True class" },
  predicted: { name: () => "Predicted class" },
  pf: {
    name: (movie) => `Belief in ${quoted(movie)}`,
    ends: () => ["0 %", "100 %"],
    part: (movie, panel, moment, sample) => valueAt(panel.pf, movie.samples, moment, sample) / 255,
  },
  moved: {
    name: () => "Distance moved in feature space",
    ends: (movie) => ["0", `≥ ${movie.movedTop.toFixed(1)} class distances`],
    part: (movie, panel, moment, sample) =>
      Math.min(1, movedAt(movie, panel, moment, sample) / movie.movedTop),
  },
};

export function readTheme(element) {
  const style = getComputedStyle(element);
  const ink = style.getPropertyValue("--st-text-color").trim();
  const paper = style.getPropertyValue("--st-background-color").trim();
  const primary = style.getPropertyValue("--st-primary-color").trim();
  const isDark = lightness(paper) < 128;
  return { ink, paper, primary, line: HAIRLINE.color, font: style.fontFamily, isDark };
}

// Lets the browser itself parse the colour, whatever its notation.
function lightness(color) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

export function colorOf(movie, panel, moment, sample, mode, theme) {
  if (mode === "true") return movie.classes[movie.true[sample]].color;
  if (mode === "predicted") {
    return movie.classes[panel.predicted[moment.frame * movie.samples + sample]].color;
  }
  const stops = ramp(theme);
  const part = MODES[mode].part(movie, panel, moment, sample);
  return stops[Math.round(part * (stops.length - 1))];
}

export function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
