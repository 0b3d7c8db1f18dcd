"""Whether a page is for everybody (axe) and fits a phone."""

from __future__ import annotations

from typing import Any

# Contrast takes three quarters of axe's time. No colour of ours depends on the width or the language: it follows from the names, classes and
# states of an element and of what it stands in. So each of these ways through a page is looked at once in a run, the first time that it is seen.
_LOOK = """async ([only, seen]) => {
  const states = ['class', 'type', 'scope', 'tabindex', 'aria-current', 'aria-invalid', 'aria-disabled', 'aria-selected', 'aria-pressed', 'disabled', 'readonly', 'open', 'role', 'data-l', 'fill', 'stroke'];
  const own = (e) => e.tagName + states.map((name) => e.hasAttribute(name) ? `[${name}=${e.getAttribute(name)}]` : '').join('');
  const way = (e) => e.parentElement ? way(e.parentElement) + '>' + own(e) : own(e);
  const known = new Set(seen), fresh = new Map();
  for (const e of document.querySelectorAll('body *')) {
    const says = e.matches('input,select,textarea') || [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    if (!says || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const at = way(e);
    if (!known.has(at) && !fresh.has(at)) fresh.set(at, e);
  }
  const wanted = {resultTypes: ['violations']}, kinds = only ? {runOnly: only} : {};
  const found = (await axe.run({...wanted, ...kinds, rules: {'color-contrast': {enabled: false}}})).violations;
  if (fresh.size) found.push(...(await axe.run({include: [...fresh.values()]}, {...wanted, runOnly: ['color-contrast']})).violations);
  return [found.map((v) => v.id + ' ' + v.nodes[0].html), [...fresh.keys()]];
}"""
_seen: set[str] = set()


def troubles(page: Any, axe: str, *, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds on the page, by all its rules or by those with the tags `only`."""
    page.evaluate(axe + "; true")
    found, fresh = page.evaluate(_LOOK, [list(only), sorted(_seen)] if only else [None, sorted(_seen)])
    if not found:
        _seen.update(fresh)
    return found


def clean(page: Any, axe: str, address: str = "") -> None:
    """axe finds nothing, and a phone does not scroll sideways."""
    if address:
        page.goto(address)
    page.set_viewport_size({"width": 1400, "height": 900})
    assert troubles(page, axe) == [], page.url
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(NARROW) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url
    page.set_viewport_size({"width": 1400, "height": 900})


NARROW = "axe.run({resultTypes: ['violations'], rules: {'color-contrast': {enabled: false}}}).then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))"
