import { fillControls, makeFigures } from "./controls.js";
import { listen, listenToPointer } from "./listen.js";
import { readTheme } from "./looks.js";
import { placesNow } from "./morph.js";
import { decodeMovie } from "./movie.js";
import { paintingOrder } from "./scene.js";
import { fitBitmaps, refresh, showPlaying } from "./show.js";
import { morphFrom, stop } from "./time.js";

// What the visitor chose, by the app's key. It outlives the element: who comes back finds it.
const choices = new Map();
const players = new WeakMap();

const PARTS = (
  "mode filter panels legend label hint slider back play forward speed loop tails save help " +
  "tooltip spoken"
).split(" ");

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
    const start = { time: 0, startFrame: 0, speed: 1, loop: false, tails: false };
    choices.set(key, { ...start, mode: "true", filter: "all", pinned: null, pinnedIn: 0 });
  }
  const find = (name) => root.querySelector(`.${name}`);
  const player = {
    root,
    state: choices.get(key),
    movie: null,
    movieId: null,
    views: [], // one per panel: canvas, panel, places of the samples and of the guest on it
    hovered: null, // { view, sample }; the sample is null for the guest
    isPlaying: false,
    glide: null, // { from, to, start } while a step is on its way
    morph: null, // { before, start } while the samples are on their way from another map
    ticking: null,
    shownFrame: null,
  };
  for (const name of PARTS) player[name] = find(name);
  player.observer = new ResizeObserver(() => fitBitmaps(player));
  return player;
}

function showMovie(player, movie) {
  const { state, movie: shown } = player;
  const isAlike =
    shown?.samples === movie.samples && shown.panels.length === movie.panels.length;
  const before = isAlike ? placesNow(player.views) : null;
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
  if (before) morphFrom(player, before);
}

function showViews(player) {
  const { movie, panels, observer } = player;
  const order = paintingOrder(movie);
  const { samples } = movie;
  player.views = makeFigures(movie.panels).map((figure) => ({
    ...figure,
    order,
    guest: null,
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
