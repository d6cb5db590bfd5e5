// Keeps a previewed page up to date, and lists what is wrong with the site until it is mended.
(() => {
  "use strict";
  const tag = document.currentScript;
  const file = tag.dataset.file;
  let version = tag.dataset.version;
  let source = null;
  let panel = null;
  let hidden = "";

  const matters = (path) =>
    path === file || (file === "" && path.endsWith(".html")) || !/\.(html|css|md|xml|txt|json)$|(^|\/)_(headers|redirects)$/.test(path);

  const swap = (paths) => {
    for (const link of document.querySelectorAll('link[rel~="stylesheet"][href]')) {
      const url = new URL(link.href);
      const at = decodeURIComponent(url.pathname).slice(1);
      if (url.origin !== location.origin || !paths.includes(at)) continue;
      const next = link.cloneNode();
      url.searchParams.set("v", version);
      next.href = url.href;
      next.addEventListener("load", () => link.remove(), { once: true });
      next.addEventListener("error", () => next.remove(), { once: true });
      link.after(next);
    }
  };

  const add = (parent, name, text) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const show = (state) => {
    const content = JSON.stringify([state.failure, state.errors]);
    panel?.remove();
    panel = null;
    if ((!state.failure && state.errors.length === 0) || content === hidden) return;
    panel = document.createElement("div");
    // The site's own styles and its content security policy stay out of this.
    const root = panel.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      section { position: fixed; inset: auto 0 0 0; z-index: 2147483647; max-height: 45vh; overflow: auto; padding: .75rem 1rem;
        font: 14px/1.5 system-ui, sans-serif; color: #fff; background: #6b1212; border-top: 3px solid #ff9b9b; }
      h2 { margin: 0 3rem .25rem 0; font-size: 1em; } ol { margin: 0; padding-left: 1.5rem; }
      code, pre { font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; margin: 0; } p { margin: 0; }
      button { position: absolute; top: .5rem; right: .75rem; font: inherit; color: inherit; background: none;
        border: 1px solid currentColor; border-radius: 4px; cursor: pointer; }`);
    root.adoptedStyleSheets = [sheet];
    const section = add(root, "section");
    section.setAttribute("role", "status");
    section.setAttribute("aria-label", "Errors of the site");
    if (state.failure) {
      add(section, "h2", "The site cannot be built; this is its last good state");
      add(section, "pre", state.failure);
    } else {
      add(section, "h2", state.error_count === 1 ? "1 error" : `${state.error_count} errors`);
      const list = add(section, "ol");
      for (const error of state.errors) {
        const item = add(list, "li");
        add(item, "code", error.line ? `${error.path}:${error.line}` : error.path);
        item.append(` ${error.message}`);
        if (error.hint) add(item, "p", error.hint);
      }
    }
    const close = add(section, "button", "Hide");
    close.type = "button";
    close.addEventListener("click", () => {
      hidden = content;
      panel.remove();
      panel = null;
    });
    document.documentElement.append(panel);
  };

  const receive = (event) => {
    const state = JSON.parse(event.data);
    const changed = state.changed;
    version = String(state.version);
    if (changed === null || changed.some(matters)) {
      location.reload();
      return;
    }
    swap(changed);
    show(state);
  };

  // A browser keeps six connections to a host: pages nobody looks at must not hold one.
  const listen = () => {
    if (document.hidden || source) return;
    source = new EventSource(`/_sitewright/events?since=${version}`);
    source.addEventListener("state", receive);
    // The address it would retry names an old version.
    source.addEventListener("error", () => {
      pause();
      setTimeout(listen, 1000);
    });
  };
  const pause = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : listen()));
  addEventListener("pagehide", pause);
  addEventListener("pageshow", listen);
  listen();
})();
