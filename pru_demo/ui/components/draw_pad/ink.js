// Strokes are lists of points {x, y} in units of the sheet's side, so one drawing fits any canvas.

export const GRID = 84; // side of the image that is sent, three pixels per pixel of MNIST
const PEN = 2.2 / 28; // width of an MNIST stroke in units of the sheet's side

// Wide and faint below narrow and full: the soft edge of a felt pen, as in MNIST.
const LAYERS = [
  { width: 1.3, grey: 90 },
  { width: 1.05, grey: 180 },
  { width: 0.8, grey: 255 },
];

function trace(context, points, scale) {
  const at = (point) => [point.x * scale, point.y * scale];
  context.beginPath();
  context.moveTo(...at(points[0]));
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = at(points[i]);
    const [nextX, nextY] = at(points[i + 1]);
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  const [x, y] = at(points.at(-1));
  // A line of no length would not be painted, and a tap must leave a dot.
  context.lineTo(x + 0.01, y);
  context.stroke();
}

export function paintSheet(canvas, strokes, color) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = color;
  paintStrokes(context, strokes, PEN * canvas.width, canvas.width);
}

// What an empty sheet is for.
export function paintInvitation(canvas, text, font, color) {
  const context = canvas.getContext("2d");
  context.font = `${canvas.width / 16}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = color;
  context.globalAlpha = 0.65;
  context.fillText(text, canvas.width / 2, canvas.height / 2, canvas.width * 0.9);
  context.globalAlpha = 1;
}

function paintStrokes(context, strokes, width, scale) {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = width;
  for (const points of strokes) trace(context, points, scale);
}

export function paintPen(canvas, pen, isDown, color) {
  const context = canvas.getContext("2d");
  const side = canvas.width;
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = side / 160;
  context.beginPath();
  context.arc(pen.x * side, pen.y * side, side * 0.035, 0, 2 * Math.PI);
  context.stroke();
  if (isDown) context.fill();
}

// The image for Python: GRID × GRID bytes, 0 = paper, 255 = ink, as base64.
export function encodeStrokes(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = GRID;
  canvas.height = GRID;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "black";
  context.fillRect(0, 0, GRID, GRID);
  // Where strokes cross, ink does not get whiter than ink.
  context.globalCompositeOperation = "lighten";
  for (const { width, grey } of LAYERS) {
    context.strokeStyle = `rgb(${grey}, ${grey}, ${grey})`;
    paintStrokes(context, strokes, width * PEN * GRID, GRID);
  }
  const rgba = context.getImageData(0, 0, GRID, GRID).data;
  const bytes = Array.from({ length: GRID * GRID }, (_, i) => rgba[4 * i]);
  return btoa(String.fromCharCode(...bytes));
}
