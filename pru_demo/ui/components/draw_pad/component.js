import { GRID, encodeStrokes, paintInvitation, paintPen, paintSheet } from "./ink.js";

const PEN_STEP = 1 / 28; // one arrow key moves the pen by one pixel of MNIST

// Drawings by the app's key. They outlive the element: a visitor who comes back finds them.
const drawings = new Map();
const pads = new WeakMap();

export default function renderDrawPad({ parentElement, data, setStateValue }) {
  let pad = pads.get(parentElement);
  const isNew = !pad;
  if (isNew) {
    pad = createPad(parentElement, data.key);
    pads.set(parentElement, pad);
  }
  pad.send = () => setStateValue("drawing", valueOf(strokesOf(pad)));
  pad.canvas.setAttribute("aria-label", data.label);
  // Streamlit forgets the value of an element that was away for a while; we have not.
  if (isNew && strokesOf(pad).length > 0) pad.send();
  paint(pad); // this function runs again when the theme changes
  return () => pad.observer.disconnect();
}

function createPad(root, key) {
  if (!drawings.has(key)) drawings.set(key, [[]]);
  const pad = {
    history: drawings.get(key), // every state of the sheet, each a list of strokes; the last is now
    canvas: root.querySelector(".sheet"),
    undo: root.querySelector(".undo"),
    clear: root.querySelector(".clear"),
    spoken: root.querySelector(".spoken"),
    live: null, // the stroke being drawn, not yet in the history
    pointer: null,
    pen: null, // place of the keyboard's pen, null while nobody draws by keyboard
    send: () => {},
  };
  listenToPointer(pad);
  listenToKeyboard(pad);
  pad.undo.onclick = () => undo(pad);
  pad.clear.onclick = () => clear(pad);
  pad.observer = new ResizeObserver(() => fitBitmap(pad));
  pad.observer.observe(pad.canvas);
  return pad;
}

const strokesOf = (pad) => pad.history.at(-1);

const valueOf = (strokes) => ({ strokes: strokes.length, pixels: encodeStrokes(strokes) });

function fitBitmap(pad) {
  const side = Math.max(GRID, Math.round(pad.canvas.clientWidth * window.devicePixelRatio));
  if (pad.canvas.width !== side) pad.canvas.width = pad.canvas.height = side;
  paint(pad);
}

function paint(pad) {
  const style = getComputedStyle(pad.canvas);
  const strokes = pad.live ? [...strokesOf(pad), pad.live] : strokesOf(pad);
  paintSheet(pad.canvas, strokes, style.color);
  if (strokes.length === 0) {
    const text = pad.canvas.getAttribute("aria-label");
    paintInvitation(pad.canvas, text, style.fontFamily, style.color);
  }
  if (pad.pen) {
    const color = style.getPropertyValue("--st-primary-color");
    paintPen(pad.canvas, pad.pen, pad.live !== null, color);
  }
  pad.undo.setAttribute("aria-disabled", String(pad.history.length < 2));
  pad.clear.setAttribute("aria-disabled", String(strokesOf(pad).length === 0));
}

// ---- what can happen to a drawing -----------------------------------------------------------

function remember(pad, strokes) {
  pad.history.push(strokes);
  settle(pad);
}

function settle(pad) {
  paint(pad);
  pad.send();
}

function finishStroke(pad) {
  const stroke = pad.live;
  pad.live = null;
  pad.pointer = null;
  remember(pad, [...strokesOf(pad), stroke]);
  say(pad, `Stroke ${strokesOf(pad).length} drawn.`);
}

function undo(pad) {
  if (pad.live || pad.history.length < 2) return;
  pad.history.pop();
  settle(pad);
  say(pad, `Undone. The sheet has ${countOf(strokesOf(pad))}.`);
}

function clear(pad) {
  pad.live = null;
  if (strokesOf(pad).length === 0) {
    paint(pad);
    return;
  }
  remember(pad, []); // a state like any other: Undo brings the drawing back
  say(pad, "Cleared. The sheet is empty.");
}

function countOf(strokes) {
  return strokes.length === 1 ? "1 stroke" : `${strokes.length || "no"} strokes`;
}

function say(pad, sentence) {
  pad.spoken.textContent = sentence;
}

// ---- mouse, finger, stylus ------------------------------------------------------------------

function listenToPointer(pad) {
  const { canvas } = pad;
  canvas.onpointerdown = (event) => {
    if (pad.live || event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    pad.pointer = event.pointerId;
    pad.pen = null;
    pad.live = [pointOf(pad, event)];
    paint(pad);
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pad.pointer) return;
    // The browser bundles fast movements into one event; the parts make the line smooth.
    const parts = event.getCoalescedEvents?.() ?? [];
    pad.live.push(...(parts.length ? parts : [event]).map((part) => pointOf(pad, part)));
    paint(pad);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === pad.pointer) finishStroke(pad);
  };
}

function pointOf(pad, event) {
  const box = pad.canvas.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

// ---- keyboard -------------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function listenToKeyboard(pad) {
  pad.canvas.onkeydown = (event) => {
    if (pad.pointer !== null || !handleKey(pad, event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  pad.canvas.onblur = () => {
    if (pad.pointer !== null) return;
    pad.pen = null;
    if (pad.live) finishStroke(pad);
    else paint(pad);
  };
}

function handleKey(pad, event) {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "z") undo(pad);
  else if (command || event.altKey) return false;
  else if (event.key in ARROWS) movePen(pad, ARROWS[event.key]);
  else if (event.key === " ") togglePen(pad);
  else if (event.key === "Delete" || event.key === "Backspace") clear(pad);
  else return false;
  return true;
}

function movePen(pad, [right, down]) {
  const clamp = (value) => Math.min(1, Math.max(0, value));
  const from = penOf(pad);
  pad.pen = { x: clamp(from.x + right * PEN_STEP), y: clamp(from.y + down * PEN_STEP) };
  if (pad.live) pad.live.push(pad.pen);
  paint(pad);
}

function togglePen(pad) {
  pad.pen = penOf(pad);
  if (pad.live) {
    finishStroke(pad);
    return;
  }
  pad.live = [pad.pen];
  paint(pad);
  const cell = (value) => Math.round(value * 28);
  say(pad, `Pen down, ${cell(pad.pen.x)} from the left, ${cell(pad.pen.y)} from the top.`);
}

const penOf = (pad) => pad.pen ?? { x: 0.5, y: 0.5 };
