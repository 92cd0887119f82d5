// A page that is reached without a query fills in its own. Streamlit then leaves two entries in the
// browser's history, the bare page and the filled one, when the two messages arrive in that order:
// Back would lead to the bare page, which fills itself again. Filling in replaces the bare entry.
if (!window.pruOneEntryPerPage) {
  window.pruOneEntryPerPage = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const next = new URL(url, location.href);
    const fillsIn = next.pathname === location.pathname && !location.search && next.search;
    return fillsIn ? history.replaceState(state, title, url) : push(state, title, url);
  };
}
