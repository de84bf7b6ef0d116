"""The report in real headless Chromium. Each detector is first shown able to see what it looks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mdnn_verify.reporting.html import render, write_report

CONTRAST = """() => {
  const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true}), known = new Map();
  const drawn = (color) => { c.clearRect(0, 0, 1, 1); c.fillStyle = color; c.fillRect(0, 0, 1, 1);
    return [...c.getImageData(0, 0, 1, 1).data]; };
  const parse = (color) => known.get(color) ?? known.set(color, drawn(color)).get(color);
  const linear = (v) => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => { const f = linear;
    return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
  const ground = (node) => { for (let at = node; at; at = at.parentElement) {
    const rgba = parse(getComputedStyle(at).backgroundColor); if (rgba[3] === 255) return rgba; }
    return parse(matchMedia('(prefers-color-scheme: dark)').matches ? '#000' : '#fff'); };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Map();
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    const skipped = /^(SCRIPT|STYLE|TITLE|DESC|OPTION|OPTGROUP)$/i.test(node.tagName);
    if (skipped || !texts.currentNode.data.trim() || !node.checkVisibility()) continue;
    const style = getComputedStyle(node), svg = node.closest('svg');
    const color = svg ? style.fill : style.color, box = svg && node.closest('g')?.querySelector('rect');
    const back = box ? getComputedStyle(box).fill : null;
    const [a, b] = [light(parse(color)), light(back ? parse(back) : ground(svg ?? node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) seen.set(node.tagName + '.' + (node.className.baseVal ?? node.className) + ' ' + color, ratio);
  }
  return [...seen];
}"""
VISIBLE = "[...document.querySelectorAll('article.theorem')].filter((n) => n.checkVisibility()).map((n) => n.id)"
ROWS = """[...document.querySelectorAll('tr.row')].filter((n) => n.checkVisibility())
  .map((n) => n.dataset.kind + ' ' + n.dataset.verdict)"""
FAMILIES = "[...document.fonts].map((f) => f.family.replaceAll('\"', '') + ' ' + f.status)"
TALLEST = "Math.max(...[...document.querySelectorAll('math mo')].map((m) => m.getBoundingClientRect().height))"
DANGLING = """[...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute('href').slice(1))
  .filter((id) => !document.getElementById(id))"""
HIDDEN = """[...document.querySelectorAll('tr.row, details dl, details table, details figure')]
  .filter((n) => !n.checkVisibility({contentVisibilityAuto: true})).length"""
DUPLICATES = """(() => { const ids = [...document.querySelectorAll('[id]')].map((n) => n.id);
  return ids.filter((id, i) => ids.indexOf(id) !== i); })()"""
UNLABELLED = "[...document.querySelectorAll('input, select')].filter((n) => !n.labels.length).length"


class Visit:
    """A page with everything it asked for and complained about."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)
        self.page.evaluate("document.fonts.ready.then(() => true)")

    @property
    def outside(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


def wait_until(page: Any, condition: str, seconds: float = 10.0) -> None:
    """Asks anew from outside: what `page.wait_for_function` polls with inside the page, our policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds:g} s: {condition}"
        page.wait_for_timeout(20)


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Any]:
    open_visits: list[Visit] = []

    def start(path: Path | None = None, fragment: str = "", **context: Any) -> Visit:
        address = (path or report).as_uri() + (f"#{quote(fragment)}" if fragment else "")
        open_visits.append(Visit(browser, address, **context))
        return open_visits[-1]

    yield start
    for each in open_visits:
        each.context.close()


def test_waiting_sees_what_comes_late_and_what_never_does(visit: Any) -> None:
    page = visit().page
    page.evaluate("setTimeout(() => { window.late = true; }, 200)")
    wait_until(page, "window.late === true")
    with pytest.raises(AssertionError, match=r"not within 0.1 s: window\.never"):
        wait_until(page, "window.never === true", 0.1)


def test_page_asks_nobody_and_complains_about_nothing(visit: Any) -> None:
    seen = visit()
    assert [url for url in seen.requests if not url.startswith("data:")] == [seen.page.url]
    assert seen.complaints == []


def test_detector_sees_an_external_image(visit: Any, report: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    page = report.read_text().replace("default-src 'none'", "default-src *")
    planted.write_text(page.replace("<footer>", '<footer><img src="http://127.0.0.1:9/pixel.png">'))
    assert visit(planted).outside == ["http://127.0.0.1:9/pixel.png"]


def test_policy_blocks_an_external_image_and_a_foreign_script(visit: Any, report: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    foreign = '<footer><img src="http://127.0.0.1:9/pixel.png"><script>window.hacked = 1</script>'
    planted.write_text(report.read_text().replace("<footer>", foreign))
    seen = visit(planted)
    assert seen.page.evaluate("window.hacked") is None
    assert sum("Content Security Policy" in complaint for complaint in seen.complaints) == 2


def test_embedded_font_is_used(visit: Any) -> None:
    page = visit().page
    assert page.evaluate(FAMILIES) == ["Report Math loaded"]
    assert page.evaluate("getComputedStyle(document.querySelector('math')).fontFamily").startswith('"Report Math"')


FORMULAS = """() => [...document.querySelectorAll('math')].filter((m) => m.checkVisibility()).map((m) => {
  const box = m.getBoundingClientRect();
  return [m.textContent, box.width > 1 && box.height > 4 && !m.querySelector('merror')]; })"""


def test_every_formula_is_rendered(visit: Any, document: dict[str, Any]) -> None:
    page = visit().page
    page.click("#expand")
    formulas = page.evaluate(FORMULAS)
    assert len(formulas) >= len(document["theorems"])
    assert [text for text, fine in formulas if not fine] == []
    assert page.locator("code.tex, merror").count() == 0
    shown = page.evaluate("document.body.innerText")
    assert not [tex for tex in ("\\frac", "\\sum", "\\(", "\\operatorname", "$") if tex in shown]


def test_formula_detector_sees_unset_and_empty_formulas(visit: Any, document: dict[str, Any], tmp_path: Path) -> None:
    document["theorems"][0]["statement"] = r"\unknowncommand{x}"
    document["theorems"][1]["statement"] = r"{}"
    path = tmp_path / "index.html"
    write_report(document, path)
    page = visit(path).page
    assert page.locator("code.tex").inner_text() == r"\unknowncommand{x}"
    assert [fine for _, fine in page.evaluate(FORMULAS)].count(False) == 1


def test_fractions_and_integrals_stretch(visit: Any) -> None:
    assert visit().page.evaluate(TALLEST) > 35


@pytest.mark.parametrize(
    ("verdict", "kind", "rows"),
    [
        ("", "montecarlo", {"montecarlo VERIFIED_WITHIN"}),
        ("", "control", {"control REFUTED", "control VERIFIED_WITHIN"}),
        ("PROVED", "symbolic", {"symbolic PROVED"}),
        ("ERROR", "", {"pathwise ERROR"}),
    ],
)
def test_filter_shows_only_what_was_asked_for(visit: Any, verdict: str, kind: str, rows: set[str]) -> None:
    page = visit().page
    everything = page.evaluate(ROWS)
    page.select_option("#verdict", verdict)
    page.select_option("#kind", kind)
    shown = page.evaluate(ROWS)
    assert set(shown) == rows
    assert len(shown) == sum(row in rows for row in everything)


def test_filter_by_a_theorems_verdict(visit: Any) -> None:
    page = visit().page
    page.select_option("#verdict", "refuted")
    assert page.evaluate(VISIBLE) == ["divergences/kl_nonnegative"]
    assert page.locator(".summary tbody tr[data-for]:visible").count() == 1
    assert page.inner_text("#count").startswith("1 of 5 theorems")


def test_search_finds_titles_steps_and_says_when_nothing_matches(visit: Any) -> None:
    page = visit().page
    page.keyboard.press("/")
    page.keyboard.type("rock-paper")
    assert page.evaluate(VISIBLE) == ["games/rps_minimax_unique"]
    page.fill("#search", "quotient")
    assert page.evaluate(VISIBLE) == ["sampling/generalized_inverse"]
    page.fill("#search", "no such words")
    assert page.evaluate(VISIBLE) == []
    assert page.locator("#nothing").is_visible()
    page.click("#reset")
    assert len(page.evaluate(VISIBLE)) == 5
    assert page.get_attribute("#count", "aria-live") == "polite"


@pytest.mark.parametrize("fragment", ["games/rps_minimax_unique", "divergences/gaussian_kl/density_integrates_to_one"])
def test_deep_link_opens_its_place(visit: Any, fragment: str) -> None:
    page = visit(fragment=fragment).page
    wait_until(page, "window.scrollY > 0")
    top = page.evaluate("(id) => document.getElementById(id).getBoundingClientRect().top", fragment)
    bar = page.evaluate("document.querySelector('.tools').getBoundingClientRect().bottom")
    assert bar <= top < 300, "below the toolbar, not under it"
    assert page.evaluate("document.activeElement.id") == fragment


def test_deep_link_clears_a_filter_that_hides_its_target(visit: Any) -> None:
    page = visit().page
    page.fill("#search", "rock-paper")
    page.evaluate("location.hash = 'flows/coupling_log_det/block_triangular'")
    wait_until(page, "document.activeElement.id === 'flows/coupling_log_det/block_triangular'")
    assert page.input_value("#search") == ""


def test_every_link_inside_the_page_has_a_target(visit: Any) -> None:
    page = visit().page
    assert page.evaluate(DANGLING) == []
    page.evaluate("document.querySelector('h1').innerHTML = '<a href=\"#nowhere\">x</a>'")
    assert page.evaluate(DANGLING) == ["nowhere"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit: Any, scheme: str) -> None:
    page = visit(color_scheme=scheme).page
    page.click("#expand")
    assert page.evaluate(CONTRAST) == []
    page.add_style_tag(content=".scope { color: light-dark(#999, #666) }")
    assert page.evaluate(CONTRAST) != [], "the detector must see pale text"


def test_theme_button_overrides_the_system(visit: Any) -> None:
    page = visit(color_scheme="light").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    dark = page.evaluate(ground)
    page.click("#theme")
    assert (light, dark, page.evaluate(ground)) == ("rgb(255, 255, 255)", "rgb(20, 22, 26)", light)
    assert page.inner_text("#theme") == "Theme: light"


def test_print_shows_everything_even_what_is_folded_or_filtered(visit: Any) -> None:
    page = visit().page
    page.fill("#search", "rock-paper")
    assert page.evaluate(HIDDEN) > 0
    page.emulate_media(media="print")
    wait_until(page, f"{HIDDEN} === 0")
    assert not page.locator(".tools").is_visible()


@pytest.mark.parametrize("width", [320, 400, 800])
def test_narrow_pages_do_not_scroll_sideways(visit: Any, width: int) -> None:
    page = visit(viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_page_works_without_scripts(visit: Any, document: dict[str, Any]) -> None:
    page = visit(java_script_enabled=False).page
    assert page.locator("article.theorem:visible").count() == len(document["theorems"])
    assert page.locator("tr.row:visible").count() == sum(
        len(theorem["checks"]) + len(theorem["controls"]) for theorem in document["theorems"]
    )
    assert not page.locator(".tools").is_visible()


def test_controls_are_labelled_and_reachable(visit: Any) -> None:
    page = visit().page
    assert page.evaluate(UNLABELLED) == 0
    assert page.locator("main").count() == page.locator("h1").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate(DUPLICATES) == []


def test_hostile_strings_stay_text(visit: Any, fixtures: Any, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    write_report(fixtures.hostile_document(), path, fixtures.hostile_document())
    seen = visit(path)
    seen.page.click("#expand")
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("img, script").count() == 1
    assert seen.outside == []
    assert "<script>window.hacked = 1</script>" in seen.page.inner_text("h3 >> nth=0")


def test_hostile_detector_sees_an_injection(visit: Any, report: Path, tmp_path: Path) -> None:
    path = tmp_path / "planted.html"
    planted = report.read_text().replace("script-src 'sha256-", "script-src 'unsafe-inline' 'x-")
    path.write_text(planted.replace("<footer>", "<footer><script>window.hacked = 1</script>"))
    assert visit(path).page.evaluate("window.hacked") == 1


DRAWN = """Promise.all([...document.querySelectorAll('svg image')].map(async (node) => {
  const image = new Image(); image.src = node.href.baseVal; await image.decode(); return image.naturalWidth; }))"""


def test_images_of_experiments_are_shown_pixel_by_pixel(visit: Any) -> None:
    seen = visit()
    seen.page.click("#expand")
    assert set(seen.page.evaluate(DRAWN)) == {8}
    assert seen.page.evaluate("getComputedStyle(document.querySelector('svg image')).imageRendering") == "pixelated"
    assert seen.complaints == []


def test_page_of_experiments_alone(visit: Any, experiments_report: Path) -> None:
    seen = visit(experiments_report, color_scheme="dark", viewport={"width": 400, "height": 800})
    page = seen.page
    assert page.locator("details.method[open]").count() == 0
    page.click("#expand")
    assert page.locator("details.method[open]").count() == 2
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(DANGLING) == page.evaluate(DUPLICATES) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: dark"
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert seen.complaints == []


def test_deep_link_opens_a_method(visit: Any, experiments_report: Path) -> None:
    page = visit(experiments_report).page
    link = page.get_attribute("table.methods a", "href")
    linked = visit(experiments_report, link.removeprefix("#")).page
    assert linked.locator("details.method[open]").get_attribute("id") == link.removeprefix("#")


def test_pictures_have_names(visit: Any, experiments_report: Path) -> None:
    page = visit(experiments_report).page
    page.click("#expand")
    names = page.evaluate(NAMES)
    assert len(names) == 9
    assert all(name.strip() for name in names)
    page.evaluate("document.querySelector('svg[role=img] title').textContent = ''")
    assert "" in page.evaluate(NAMES), "the detector must see a picture without a name"


NAMES = """[...document.querySelectorAll('svg[role=img]')].map((svg) =>
  document.getElementById(svg.getAttribute('aria-labelledby').split(' ')[0]).textContent)"""


def test_render_is_deterministic(document: dict[str, Any]) -> None:
    assert render(document) == render(document)
