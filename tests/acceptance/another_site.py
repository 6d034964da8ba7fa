"""A page of another origin that tries to get something out of the console, in a browser that it lets in."""

from contextlib import AbstractContextManager

from tests.acceptance.sites import site

# What a page of another origin can do: read an answer, or have one sent and see only whether it came.
_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Another site</title>
<p>Another site</p>
<script>
const seconds = (n) => new Promise((done) => setTimeout(() => done("nothing came"), 1000 * n));
const loaded = (element) => new Promise((done) => {
  element.onload = () => done("loaded");
  element.onerror = () => done("refused");
  document.body.append(element);
});
// Of another origin's document nothing can be read; of one that never came there is nothing.
const contents = (find) => {
  let text = "";
  try { text = find().body.textContent; } catch {}
  return text ? "read " + text : "refused";
};
const attempts = {
  async read(url) {
    const answer = await fetch(url, { credentials: "include" });
    return "read " + (await answer.text());
  },
  async blind(url) {
    const answer = await fetch(url, { mode: "no-cors", credentials: "include" });
    return answer.type === "opaque" ? "refused" : "read " + (await answer.text());
  },
  async change(url) {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const sent = { method: "POST", mode: "no-cors", credentials: "include", headers, body: "a=b" };
    const answer = await fetch(url, sent);
    return answer.type === "opaque" ? "refused" : "read " + (await answer.text());
  },
  async changeWithToken(url) {
    const headers = { "X-CSRF-Token": "guessed", "HX-Request": "true" };
    const answer = await fetch(url, { method: "POST", credentials: "include", headers, body: "a=b" });
    return "read " + (await answer.text());
  },
  async form(url) {
    const sink = Object.assign(document.createElement("iframe"), { name: "sink-" + Math.random() });
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: url, target: sink.name });
    document.body.append(sink, form);
    const came = new Promise((done) => { sink.onload = () => done("came"); });
    form.submit();
    await Promise.race([came, seconds(2)]);
    return contents(() => sink.contentDocument);
  },
  image: (url) => loaded(Object.assign(new Image(), { src: url })),
  script: (url) => loaded(Object.assign(document.createElement("script"), { src: url })),
  style: (url) => loaded(Object.assign(document.createElement("link"), { rel: "stylesheet", href: url })),
  async frame(url) {
    const frame = Object.assign(document.createElement("iframe"), { src: url });
    await Promise.race([loaded(frame), seconds(0.5)]);
    return contents(() => frame.contentDocument);
  },
  events: (url) => new Promise((done) => {
    const source = new EventSource(url, { withCredentials: true });
    const over = (what) => { source.close(); done(what); };
    source.onopen = () => over("opened");
    source.onmessage = (event) => over("read " + event.data);
    source.onerror = () => over("refused");
  }),
  async opened(url) {
    const other = window.open(url);
    await seconds(0.5);
    return contents(() => other.document);
  },
};
window.attempt = async (name, url) => {
  try { return await Promise.race([attempts[name](url), seconds(3)]); } catch { return "refused"; }
};
window.attemptAll = async (targets) => {
  const found = await Promise.all(targets.map(async ([name, url]) => [name, url, await attempt(name, url)]));
  return found.filter(([, , what]) => what !== "refused");
};
</script>
"""


READING = ("read", "blind", "image", "script", "style", "frame", "events")
CHANGING = ("change", "changeWithToken", "form")


def another_site() -> AbstractContextManager[int]:
    """Serve the page on a port of its own, for any host name, while the block lasts; give the port."""
    return site({"/": ("text/html", _PAGE.encode())}.get)
