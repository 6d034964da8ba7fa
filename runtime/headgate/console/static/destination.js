// A field whose line says what is wrong is told to be wrong to whoever cannot see the line.
"use strict";

document.addEventListener("htmx:oobAfterSwap", () => {
  for (const line of document.querySelectorAll(".wrong[id]")) {
    for (const field of document.querySelectorAll(`:is(input, select, textarea)[aria-describedby~="${line.id}"]`)) {
      if (line.textContent.trim()) {
        field.setAttribute("aria-invalid", "true");
      } else {
        field.removeAttribute("aria-invalid");
      }
    }
  }
});
