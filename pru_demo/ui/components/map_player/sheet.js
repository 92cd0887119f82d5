// Text and legend on a canvas, in CSS pixels.

import { paintSmall } from "./guest.js";

const TEXT_SIZE = 14;
const MARK = { dot: 10, ramp: 120, guest: 18, gap: 6 };
const AFTER = { word: 4, entry: 15 };

// Writes in the page's font, centred on a line; too long a text is condensed to `most` pixels.
export function textPen(context, theme) {
  const choose = ({ isBold = false, size = TEXT_SIZE }) => {
    context.font = `${isBold ? 600 : 400} ${size}px ${theme.font}`;
  };
  return {
    context,
    theme,
    widthOf: (text, look) => {
      choose(look);
      return context.measureText(text).width;
    },
    write: (text, x, y, look) => {
      choose(look);
      context.fillStyle = theme.ink;
      context.textBaseline = "middle";
      context.fillText(text, x, y, look.most);
    },
  };
}

// Rows of items, each with its place `x` and the width of what stands before its text.
export function flow(items, width, pen) {
  const rows = [[]];
  let x = 0;
  for (const item of items) {
    const mark = markWidth(item);
    const wide = mark + (item.text ? pen.widthOf(item.text, item) : 0);
    if (x > 0 && (item.startsRow || x + wide > width)) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1).push({ item, x, mark });
    x += wide + (item.isWord ? AFTER.word : AFTER.entry);
  }
  return rows;
}

export function paintRows(rows, pen, { left, top, line }) {
  rows.forEach((row, index) => {
    const middle = top + (index + 0.5) * line;
    for (const { item, x, mark } of row) {
      paintMark(pen, item, left + x, middle);
      if (item.text) pen.write(item.text, left + x + mark, middle, item);
    }
  });
}

function markWidth({ dot, colors, guest }) {
  if (colors) return MARK.ramp;
  if (dot) return MARK.dot + MARK.gap;
  return guest ? MARK.guest + MARK.gap : 0;
}

function paintMark({ context, theme }, { dot, isRinged, colors, guest }, x, middle) {
  if (dot) {
    context.beginPath();
    context.arc(x + MARK.dot / 2, middle, MARK.dot / 2, 0, 2 * Math.PI);
    context.fillStyle = dot;
    context.fill();
    context.lineWidth = isRinged ? 2 : 1;
    context.strokeStyle = isRinged ? theme.ink : theme.line;
    context.stroke();
  }
  if (colors) {
    const gradient = context.createLinearGradient(x, 0, x + MARK.ramp, 0);
    colors.forEach((color, index) => gradient.addColorStop(index / (colors.length - 1), color));
    context.fillStyle = gradient;
    context.beginPath();
    context.roundRect(x, middle - 5, MARK.ramp, 10, 5);
    context.fill();
  }
  if (guest) {
    const [side, top] = [MARK.guest, middle - MARK.guest / 2];
    paintSmall(context, guest, theme, { left: x, top, side });
    context.lineWidth = 2;
    context.strokeStyle = theme.primary;
    context.strokeRect(x - 1, top - 1, side + 2, side + 2);
  }
}
