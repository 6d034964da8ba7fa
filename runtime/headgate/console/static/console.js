// What the pages share beyond htmx. No event, no secret and no setting is kept here.
"use strict";

// A stream of server-sent events that the server has ended is told, so that nobody takes a still page for a quiet one.
document.addEventListener("htmx:sseError", (event) => {
  event.target.classList.add("is-cut-off");
});
document.addEventListener("htmx:sseOpen", (event) => {
  event.target.classList.remove("is-cut-off");
});

// An answer of 401 means that the console was started anew: the page has to say so, whatever it asked for.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 401) {
    event.detail.shouldSwap = false;
    window.location.reload();
  }
});
