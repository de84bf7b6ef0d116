"""JUnit XML for continuous integration: a test suite a theorem, a test case a check and a control."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mdnn_verify.files import write_text
from mdnn_verify.verdicts import SYMBOLIC

__all__ = ["junit", "write_junit"]

# what XML 1.0 cannot hold even as a character reference
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(document: Mapping[str, Any], path: Path) -> None:
    """Write the run as JUnit XML, all or nothing. Raises OSError."""
    write_text(path, ElementTree.tostring(junit(document), encoding="unicode", xml_declaration=True) + "\n")


def junit(document: Mapping[str, Any]) -> ElementTree.Element:
    """The run as an element tree. A control passes when it is REFUTED; what is undecided fails, SKIPPED is skipped."""
    root = ElementTree.Element("testsuites", name="mdnn-verify", time=_time(document["run"]["seconds"]))
    for theorem in document["theorems"]:
        _count(_suite(root, document["run"], theorem))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    return root


def _suite(root: ElementTree.Element, run: Mapping[str, Any], theorem: Mapping[str, Any]) -> ElementTree.Element:
    suite = _element(root, "testsuite", name=theorem["id"], time=_time(theorem["seconds"]), timestamp=run["started"])
    properties = _element(suite, "properties")
    for name in ("seed", "alpha", "device"):
        _element(properties, "property", name=name, value=str(run[name]))
    _element(properties, "property", name="verdict", value=theorem["verdict"])
    classname = theorem["id"].replace("/", ".")
    for check in theorem["checks"]:
        case = _element(suite, "testcase", classname=classname, name=check["name"], time=_time(check["seconds"]))
        good = ("PROVED",) if check["kind"] == SYMBOLIC else ("PROVED", "VERIFIED_WITHIN")
        _outcome(case, check["verdict"], good, check["counterexample"] or check["detail"], _text(check))
    for control in theorem["controls"]:
        seconds = sum(check["seconds"] for check in control["checks"])
        case = _element(suite, "testcase", classname=classname, name=f"control[{control['name']}]", time=_time(seconds))
        text = "\n\n".join(f"{check['name']}: {check['verdict']}\n{_text(check)}" for check in control["checks"])
        _outcome(case, control["verdict"], ("REFUTED",), control["reason"], text)
    if theorem["verdict"] != "verified" and not any(len(case) for case in suite.iter("testcase")):
        case = _element(suite, "testcase", classname=classname, name="verdict", time=_time(0.0))
        _outcome(case, theorem["verdict"], (), theorem["reason"], theorem["reason"])
    return suite


def _outcome(case: ElementTree.Element, verdict: str, good: tuple[str, ...], message: str, text: str) -> None:
    if verdict in good:
        return
    tag = {"ERROR": "error", "SKIPPED": "skipped"}.get(verdict, "failure")
    _element(case, tag, type=verdict, message=message).text = _clean(text)


def _text(check: Mapping[str, Any]) -> str:
    parts = [check[name] for name in ("doc", "scope", "counterexample", "detail")]
    parts.append(check["evidence"].get("traceback", ""))
    return "\n".join(part for part in parts if part)


def _count(suite: ElementTree.Element) -> None:
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in tags.items():
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))


def _element(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
