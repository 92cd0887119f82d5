import { fillControls, makeFigures } from "./controls.js";
import { readTheme } from "./looks.js";
import { decodeMovie } from "./movie.js";
import { paintingOrder, sampleAt } from "./scene.js";
import { fitBitmaps, lastFrameOf, momentOf, paint, refresh, showPlaying } from "./show.js";
import { goTo, scrubTo, stop, togglePlaying } from "./time.js";
import { factsOf } from "./tooltip.js";

// What the visitor chose, by the app's key. It outlives the element: who comes back finds it.
const choices = new Map();
const players = new WeakMap();

const PARTS =
  "mode filter panels legend label hint slider back play forward speed loop tooltip spoken".split(" ");

export default async function renderMapPlayer({ parentElement, data }) {
  let player = players.get(parentElement);
  if (!player) {
    player = createPlayer(parentElement.querySelector(".player"), data.key);
    players.set(parentElement, player);
  }
  player.theme = readTheme(player.root); // this function runs again when the theme changes
  if (player.state.startFrame !== data.startFrame) {
    player.state.startFrame = data.startFrame;
    player.state.time = data.startFrame;
  }
  if (player.movieId !== data.id) {
    player.movieId = data.id;
    const movie = await decodeMovie(data.movie);
    // A later run may have asked for another movie meanwhile.
    if (player.movieId === data.id) showMovie(player, movie);
  } else {
    refresh(player);
  }
  return () => {
    // First, so that nothing paints an element that has left the page and has no size.
    player.observer.disconnect();
    stop(player);
  };
}

function createPlayer(root, key) {
  if (!choices.has(key)) {
    const start = { time: 0, startFrame: 0, speed: 1, loop: false, mode: "true", filter: "all" };
    choices.set(key, { ...start, pinned: null, pinnedIn: 0 });
  }
  const find = (name) => root.querySelector(`.${name}`);
  const player = {
    root,
    state: choices.get(key),
    movie: null,
    movieId: null,
    views: [], // one per panel: canvas, panel, places of the samples on it
    hovered: null, // { view, sample }
    isPlaying: false,
    glide: null, // { from, to, start } while a step is on its way
    ticking: null,
    shownFrame: null,
  };
  for (const name of PARTS) player[name] = find(name);
  player.observer = new ResizeObserver(() => fitBitmaps(player));
  return player;
}

function showMovie(player, movie) {
  const { state } = player;
  if (state.pinned >= movie.samples) state.pinned = null;
  state.pinnedIn = Math.min(state.pinnedIn, movie.panels.length - 1);
  state.time = Math.min(state.time, movie.frames.length - 1);
  player.movie = movie;
  player.hovered = null;
  fillControls(player.root, movie, state);
  listen(player);
  showViews(player);
  fitBitmaps(player);
  showPlaying(player);
}

function showViews(player) {
  const { movie, panels, observer } = player;
  const order = paintingOrder(movie);
  const { samples } = movie;
  player.views = makeFigures(movie.panels).map((figure) => ({
    ...figure,
    order,
    places: {
      x: new Float32Array(samples),
      y: new Float32Array(samples),
      kept: new Uint8Array(samples),
    },
  }));
  panels.replaceChildren(...player.views.map(({ figure }) => figure));
  panels.classList.toggle("single", player.views.length === 1);
  observer.disconnect();
  for (const view of player.views) {
    observer.observe(view.canvas);
    listenToPointer(player, view);
  }
}

// ---- what the visitor does ------------------------------------------------------------------

function listen(player) {
  const { state } = player;
  const choose = (name, read) => (event) => {
    state[name] = read(event.target);
    refresh(player);
  };
  player.mode.onchange = choose("mode", (select) => select.value);
  player.filter.onchange = choose("filter", (select) => select.value);
  player.speed.onchange = choose("speed", (select) => Number(select.value));
  player.loop.onchange = choose("loop", (box) => box.checked);
  player.play.onclick = () => togglePlaying(player);
  player.back.onclick = () => goTo(player, (frame) => frame - 1);
  player.forward.onclick = () => goTo(player, (frame) => frame + 1);
  player.slider.oninput = () => scrubTo(player, Number(player.slider.value));
  player.root.onkeydown = (event) => {
    if (handleKey(player, event)) event.preventDefault();
  };
}

function handleKey(player, event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("select")) return false;
  if (key === "Escape") pin(player, null);
  // Space presses a focused button or box; everywhere else it plays.
  else if (key === " " && !target.matches("button, [type=checkbox]")) togglePlaying(player);
  else if (key === "ArrowLeft") goTo(player, (frame) => frame - 1);
  else if (key === "ArrowRight") goTo(player, (frame) => frame + 1);
  else if (key === "Home") goTo(player, () => 0);
  else if (key === "End") goTo(player, () => lastFrameOf(player));
  else return false;
  return true;
}

function listenToPointer(player, view) {
  const { canvas } = view;
  const find = (event, reach) => sampleAt(view, event.offsetX, event.offsetY, reach);
  const hover = (sample) => {
    if (sample === (player.hovered?.sample ?? null)) return;
    player.hovered = sample === null ? null : { view, sample };
    canvas.classList.toggle("on-sample", sample !== null);
    paint(player);
  };
  canvas.onpointermove = (event) => {
    if (event.pointerType === "mouse") hover(find(event, 12));
  };
  canvas.onpointerleave = () => hover(null);
  canvas.onclick = (event) => {
    const sample = find(event, event.pointerType === "touch" ? 24 : 12);
    player.state.pinnedIn = player.views.indexOf(view);
    pin(player, sample === player.state.pinned ? null : sample);
  };
}

function pin(player, sample) {
  if (sample === player.state.pinned) return;
  player.state.pinned = sample;
  paint(player);
  if (sample === null) {
    player.spoken.textContent = "Unpinned.";
    return;
  }
  const { truth, perPanel } = factsOf(player.movie, momentOf(player), sample);
  const paths = perPanel.map(({ title, text }) => `${title}: ${text}.`).join(" ");
  player.spoken.textContent = `Pinned. ${truth}. ${paths}`;
}
