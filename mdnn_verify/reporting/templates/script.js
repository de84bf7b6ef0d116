"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = document.querySelector(".tools");
  const search = $("search"), verdict = $("verdict"), kind = $("kind"), root = document.documentElement;
  const text = (node) => node.textContent.toLowerCase().replace(/\s+/g, " ");

  const theorems = all("article.theorem").map((node) => ({
    node,
    text: node.id.replace(/[_/]/g, " ") + " " + all(".head", node).map(text).join(" "),
    id: node.id.toLowerCase(),
    groups: all("tbody.group", node),
    rows: all("tr.row", node).map((row) => ({ node: row, text: text(row) })),
    line: document.querySelector(`tr[data-for="${CSS.escape(node.id)}"]`),
  }));

  function apply() {
    if (!search) return; // a page without theorems
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const whole = ["verified", "refuted", "inconclusive"].includes(verdict.value);
    const filtering = words.length > 0 || verdict.value !== "" || kind.value !== "";
    const rowFilter = kind.value !== "" || (verdict.value !== "" && !whole);
    let shown = 0, checks = 0;
    for (const theorem of theorems) {
      const own = words.every((word) => theorem.text.includes(word) || theorem.id.includes(word));
      const fits = !whole || theorem.node.dataset.verdict === verdict.value;
      let visible = 0;
      for (const row of theorem.rows) {
        const data = row.node.dataset;
        const on = fits && (kind.value === "" || data.kind === kind.value)
          && (verdict.value === "" || whole || data.verdict === verdict.value)
          && (own || words.every((word) => row.text.includes(word) || theorem.text.includes(word)));
        row.node.classList.toggle("off", !on);
        visible += on;
      }
      for (const group of theorem.groups) group.classList.toggle("off", !group.querySelector("tr.row:not(.off)"));
      for (const table of all("table.evidence", theorem.node)) {
        const empty = !table.querySelector("tr.row:not(.off)");
        table.classList.toggle("off", empty);
        table.previousElementSibling.classList.toggle("off", empty);
      }
      const on = fits && (visible > 0 || (own && !rowFilter));
      theorem.node.classList.toggle("off", !on);
      if (theorem.line) theorem.line.classList.toggle("off", !on);
      shown += on;
      checks += on ? visible : 0;
    }
    for (const chapter of all(".chapter")) chapter.classList.toggle("off", !chapter.querySelector("article:not(.off)"));
    $("nothing").classList.toggle("off", shown > 0 || !filtering);
    $("count").textContent = `${shown} of ${theorems.length} theorems, ${checks} checks`;
  }

  function reset() {
    if (search) search.value = verdict.value = kind.value = "";
    apply();
  }

  function open(node) {
    for (let at = node; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  }

  function follow() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const target = id && $(id);
    if (!target) return;
    if (target.closest(".off")) reset();
    open(target);
    if (target.tabIndex < 0) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  }

  const themes = ["automatic", "dark", "light"];
  function setTheme(name) {
    if (name === "automatic") delete root.dataset.theme; else root.dataset.theme = name;
    $("theme").textContent = `Theme: ${name}`;
    try { localStorage.setItem("mdnn-verify-theme", name); } catch { /* a browser may forbid it to local files */ }
  }

  function addCopy(paragraph) {
    const button = document.createElement("button");
    const code = paragraph.querySelector("code");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy the command ${code.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    paragraph.append(" ", button);
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const node of opened) node.open = true;
  });
  addEventListener("afterprint", () => { for (const node of opened) node.open = false; });
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (search && event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && search && event.target === search) reset();
  });
  for (const field of [search, verdict, kind]) field?.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  $("reset")?.addEventListener("click", () => { reset(); search.focus(); });
  $("expand").addEventListener("click", () => { for (const node of all("main details")) node.open = true; });
  $("collapse").addEventListener("click", () => { for (const node of all("main details")) node.open = false; });
  $("theme").addEventListener("click", () => setTheme(themes[(themes.indexOf(root.dataset.theme ?? "automatic") + 1) % 3]));
  for (const paragraph of all("p.command")) addCopy(paragraph);

  let stored = null;
  try { stored = localStorage.getItem("mdnn-verify-theme"); } catch { /* as above */ }
  if (themes.includes(stored)) setTheme(stored);
  form.hidden = false;
  apply();
  follow();
  document.fonts.ready.then(follow); // the fonts move what stands below them
})();
