"""JUnit XML, and findings as such: a file is a test case, its errors are its failure, what was not measured is an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as Xml

from pv.finding import Finding, Severity

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def junit_text(paths: Iterable[str], findings: Sequence[Finding]) -> str:
    """One suite. `paths` are the files judged; a file that only findings name is a case too."""
    return document([findings_suite(paths, findings)])


def findings_suite(paths: Iterable[str], findings: Sequence[Finding]) -> Xml.Element:
    """The suite of `junit_text`."""
    cases: dict[str, list[Finding]] = {path: [] for path in paths}
    for finding in findings:
        cases.setdefault(finding.place.path, []).append(finding)
    suite = Xml.Element("testsuite", name="pv validate")
    for path, found in cases.items():
        _case(suite, path, found)
    return suite


def document(suites: Iterable[Xml.Element]) -> str:
    """The suites as a file, each with its counts."""
    root = Xml.Element("testsuites")
    for suite in suites:
        suite.set("tests", str(len(suite.findall("testcase"))))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
        root.append(suite)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode")


def legal(text: str) -> str:
    """`text` without what no XML file may hold."""
    return _ILLEGAL.sub("\ufffd", text)


def _case(suite: Xml.Element, path: str, found: Sequence[Finding]) -> None:
    case = Xml.SubElement(suite, "testcase", classname="pv.validate", name=legal(path), file=legal(path))
    for severity, tag in ((Severity.ERROR, "failure"), (Severity.UNMEASURED, "error")):
        weighty = [finding for finding in found if finding.severity is severity]
        if weighty:
            first = legal(f"{weighty[0].code} {weighty[0].message}")
            Xml.SubElement(case, tag, message=first, type=weighty[0].code).text = _listed(weighty)
    rest = [finding for finding in found if finding.severity in (Severity.WARNING, Severity.NOTE)]
    if rest:
        Xml.SubElement(case, "system-out").text = _listed(rest)


def _listed(findings: Iterable[Finding]) -> str:
    lines = (
        f"{f.place}: {f.severity.value} {f.code} {f.message}" + (f"\n    {f.hint}" if f.hint else "") for f in findings
    )
    return legal("\n".join(lines))
