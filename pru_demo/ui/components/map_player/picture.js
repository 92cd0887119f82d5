// Saves the moment that is shown as a PNG, with all that is needed to read it.

import { FILTERS } from "./emphasis.js";
import { legendOf } from "./legend.js";
import { flow, paintRows, textPen } from "./sheet.js";
import { TAILS_HELP } from "./tails.js";

// In CSS pixels.
const EDGE = 20;
const BETWEEN_PANELS = 16;
const LINE = 21;

export function savePicture(player) {
  const { label } = player.movie.frames[player.shownFrame];
  paintSheet(player).toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = fileName(label);
    link.click();
    URL.revokeObjectURL(link.href);
  });
  player.spoken.textContent = `Saved a picture of ${label}.`;
}

function fileName(label) {
  const words = label.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return `${["map", ...words].join("-")}.png`;
}

// Moment, panels side by side, legend; as sharp as the screen.
function paintSheet(player) {
  const { movie, views, theme } = player;
  const [{ canvas: map }] = views;
  const pixelRatio = map.width / map.clientWidth;
  const [wide, high] = [map.clientWidth, map.clientHeight];
  const width = views.length * (wide + BETWEEN_PANELS) - BETWEEN_PANELS;
  const hasNotes = movie.panels.some(({ note }) => note);
  const { label, hint } = movie.frames[player.shownFrame];
  const sheet = document.createElement("canvas");
  const context = sheet.getContext("2d");
  const hints = flow(inWords(hint), width, textPen(context, theme));
  const rows = flow(legendItems(player), width, textPen(context, theme));
  const captionTop = EDGE + (1.5 + hints.length) * LINE;
  const mapTop = captionTop + (hasNotes ? 3.4 : 2.4) * LINE;
  const legendTop = mapTop + high + 0.5 * LINE;

  sheet.width = Math.round((width + 2 * EDGE) * pixelRatio);
  sheet.height = Math.round((legendTop + rows.length * LINE + EDGE) * pixelRatio);
  context.scale(pixelRatio, pixelRatio);
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  const pen = textPen(context, theme); // a new size made the context forget its font
  pen.write(label, EDGE, EDGE + 0.5 * LINE, { isBold: true, size: 17, most: width });
  paintRows(hints, pen, { left: EDGE, top: EDGE + LINE, line: LINE });
  views.forEach(({ canvas, panel, found }, index) => {
    const left = EDGE + index * (wide + BETWEEN_PANELS);
    context.fillStyle = panel.color;
    context.fillRect(left, captionTop, wide, 3);
    pen.write(panel.title, left, captionTop + 0.8 * LINE, { isBold: true, most: wide });
    pen.write(found.textContent, left, captionTop + 1.8 * LINE, { most: wide });
    pen.write(panel.note, left, captionTop + 2.8 * LINE, { most: wide });
    context.drawImage(canvas, left, mapTop, wide, high);
    context.lineWidth = 1;
    context.strokeStyle = theme.line;
    context.strokeRect(left + 0.5, mapTop + 0.5, wide - 1, high - 1);
  });
  paintRows(rows, pen, { left: EDGE, top: legendTop, line: LINE });
  return sheet;
}

function legendItems({ movie, state, theme }) {
  const { title, classes, ramp, guest } = legendOf(movie, state.mode, theme);
  const items = [{ text: title, isBold: true }];
  for (const { text, color, forgotten } of classes) items.push({ dot: color, isRinged: forgotten, text });
  if (ramp) items.push({ text: ramp.ends[0] }, { colors: ramp.colors }, { text: ramp.ends[1] });
  if (guest) items.push({ guest, text: guest.label });
  const said = [];
  if (state.filter !== "all") said.push(`Highlighted: ${FILTERS[state.filter].name(movie)}.`);
  if (state.tails) said.push(TAILS_HELP);
  return [...items, ...inWords(said.join(" "))];
}

// So that sentences wrap.
function inWords(text) {
  const words = text.split(" ").filter(Boolean);
  return words.map((word, index) => ({ text: word, isWord: true, startsRow: index === 0 }));
}
