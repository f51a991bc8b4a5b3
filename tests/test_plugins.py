"""A file is a plug-in: what is found, how options are read, and what errors suggest."""

from __future__ import annotations

from typing import Any

import pytest

from mgmtool import engines, masking, plugins, sources
from mgmtool.errors import UsageError

FAMILIES = plugins.FAMILIES


def test_the_known_plugins_are_found() -> None:
    assert {"motion-guided", "motion-literal", "simulated-motion", "tube", "random"} <= set(masking.names())
    assert {"codec", "recorded"} <= set(sources.names())
    assert {"inline", "local"} <= set(engines.names())


@pytest.mark.parametrize(
    ("family", "name", "words"),
    [
        ("mgmtool.masking", "motion_guided", "unknown scheme 'motion_guided' (did you mean 'motion-guided'?)"),
        ("mgmtool.masking", "tubes", "unknown scheme 'tubes' (did you mean 'tube'?)"),
        ("mgmtool.sources", "kodec", "unknown source 'kodec' (did you mean 'codec'?)"),
        ("mgmtool.engines", "lokal", "unknown engine 'lokal' (did you mean 'local'?)"),
        ("mgmtool.masking", "qqq", "unknown scheme 'qqq'; expected one of: "),
        ("mgmtool.masking", "_scheme", "unknown scheme '_scheme'"),
        ("mgmtool.masking", "../evil", "unknown scheme '../evil'"),
        ("mgmtool.masking", "", "unknown scheme ''"),
    ],
)
def test_unknown_names_suggest_the_nearest(family: str, name: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        FAMILIES[family].build(name)
    assert str(caught.value).startswith(words)
    assert all(known in str(caught.value) for known in FAMILIES[family].names())


def test_unknown_options_suggest_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"motion-guided has no option 'smothness' \(did you mean 'smoothness'\?\)"):
        masking.build("motion-guided", {"smothness": 1})
    with pytest.raises(UsageError, match="tube has no option 'a'; it has: no options"):
        masking.build("tube", {"a": 1})


def test_options_may_be_written_with_hyphens() -> None:
    assert plugins.options(masking.build("motion-guided", {"sigma-min": "0.5"}))["sigma_min"] == 0.5


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("3", int, 3),
        (" -3 ", int, -3),
        (3, int, 3),
        (3.0, int, 3),
        ("1e-3", float, 0.001),
        (2, float, 2.0),
        ("text", str, "text"),
        ("Yes", bool, True),
        ("off", bool, False),
        (True, bool, True),
        (0, bool, False),
        ("none", int | None, None),
        ("auto", int | None, None),
        (None, float | None, None),
        ("16", int | None, 16),
    ],
)
def test_values_are_converted(value: Any, hint: Any, expected: Any) -> None:
    converted = plugins.convert(value, hint, "x")
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        ("three", int, "a whole number"),
        ("1.5", int, "a whole number"),
        (1.5, int, "a whole number"),
        (float("inf"), int, "a whole number"),
        (float("nan"), int, "a whole number"),
        (None, int, "a whole number"),
        ([1], int, "a whole number"),
        ("", float, "a number"),
        ({}, float, "a number"),
        pytest.param(10**400, float, "a number", id="huge"),
        ("maybe", bool, "true or false"),
        ("", bool, "true or false"),
        (2, bool, "true or false"),
        ("x", int | None, "a whole number"),
        ([16], int | None, "a whole number"),
        (None, bool, "true or false"),
    ],
)
def test_values_of_another_type_are_refused(value: Any, hint: Any, expected: str) -> None:
    with pytest.raises(UsageError, match=f"^scheme option x is .*; expected {expected}$"):
        plugins.convert(value, hint, "scheme option x")


@pytest.mark.parametrize(
    ("family", "name", "options"),
    [
        ("mgmtool.masking", "motion-guided", {"c": 0}),
        ("mgmtool.masking", "motion-guided", {"c": "nan"}),
        ("mgmtool.masking", "motion-guided", {"pool": -1}),
        ("mgmtool.masking", "motion-guided", {"pool": 65}),
        ("mgmtool.masking", "motion-guided", {"smoothness": -0.1}),
        ("mgmtool.masking", "motion-guided", {"smoothness": "inf"}),
        ("mgmtool.masking", "motion-guided", {"sigma_min": 0}),
        ("mgmtool.masking", "motion-guided", {"border": -1}),
        ("mgmtool.masking", "simulated-motion", {"step": -1}),
        ("mgmtool.masking", "simulated-motion", {"step": 257}),
        ("mgmtool.sources", "codec", {"cell": 5}),
        ("mgmtool.sources", "codec", {"cell": 0}),
    ],
)
def test_values_out_of_range_name_option_value_and_range(family: str, name: str, options: dict[str, Any]) -> None:
    (option, value) = next(iter(options.items()))
    with pytest.raises(UsageError, match=f"^{name} option {option} is {value}.*; expected "):
        FAMILIES[family].build(name, options)
