"""The version that a change requires, and whether the one written moved that far; semver 2.0.0, items 4 and 6 to 11."""

from __future__ import annotations

from pv.semver.polarity import Step
from pv.version import Version, precedence


def required_version(old: Version, step: Step) -> Version:
    """The least release that a change of `step` makes of `old`.

    Before 1.0.0 anything may change (item 4); by custom a breaking change moves the minor there, and so it is required
    here, without telling it from an addition. A pre-release has not kept what its version announces (item 9): 2.0.0-rc.1
    takes any change on its way to 2.0.0, and 1.4.1-rc.1 only a patch.
    """
    if step is Step.NONE:
        return old
    major, minor, patch = old.major, old.minor, old.patch
    if step is Step.MAJOR and major > 0:
        announced, following = (minor, patch) == (0, 0), Version(major + 1, 0, 0)
    elif step is Step.PATCH:
        announced, following = True, Version(major, minor, patch + 1)
    else:
        announced, following = patch == 0, Version(major, minor + 1, 0)
    return Version(major, minor, patch) if old.prerelease and announced else following


def moved_enough(old: Version, new: Version, step: Step) -> bool:
    """Whether `new` says at least what a change of `step` requires; a pre-release of that version does."""
    least = required_version(old, step)
    if step is Step.NONE:
        return precedence(new) >= precedence(old)
    core, wanted = (new.major, new.minor, new.patch), (least.major, least.minor, least.patch)
    return core >= wanted and precedence(new) > precedence(old)


def spell(version: Version) -> str:
    """As text."""
    core = f"{version.major}.{version.minor}.{version.patch}"
    return f"{core}-{version.prerelease}" if version.prerelease else core
