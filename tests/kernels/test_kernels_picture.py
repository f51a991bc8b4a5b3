"""Normal flow: what two pictures say of motion against the camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from test_kernels_bounds import Canary

from mgmtool.kernels.energy import lower_to
from mgmtool.kernels.normal_flow import gradient_length, normal_flow
from support import twins_evidence as twins

Array = NDArray[Any]

SPACING = 8.0
STILL = np.zeros((2, 3))


def flow_into(before: Array, after: Array, theta: Array, spacing: float, flow: Array) -> None:
    """Normal flow with the gradient it needs, which has nothing beside it that it could write into."""
    gradient = Canary(after.shape, np.float32)
    gradient_length(after, gradient.view)
    assert gradient.sings()
    normal_flow(before, after, gradient.view, theta, spacing, flow)


def flow_of(before: Array, after: Array, theta: Array, spacing: float = SPACING) -> Array:
    flow = np.full((after.shape[0] // 2, after.shape[1] // 2), np.nan, np.float32)
    flow_into(before, after, theta, spacing, flow)
    return flow


def moved(dy: float, dx: float) -> Array:
    """Camera motion that is the same everywhere."""
    return np.array([[dy, 0, 0], [dx, 0, 0]])


def ramp(shape: tuple[int, int], slope: tuple[float, float], shift: tuple[float, float] = (0, 0)) -> Array:
    """Grey levels that rise evenly, ``slope`` a sample, after moving by ``shift`` pixels."""
    y, x = np.mgrid[: 2 * shape[0], : 2 * shape[1]]
    return np.asarray(
        100 + slope[0] * (y - shift[0] / SPACING) + slope[1] * (x - shift[1] / SPACING), np.float32
    )  # no clipping: the kernel knows no white


def inside(flow: Array) -> Array:
    """Cells whose samples have neighbours on all sides."""
    return flow[1:-1, 1:-1]


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.0, 8.0), (-3.0, 5.0), (11.0, 0.25)])
def test_the_camera_explains_its_own_motion(shift: tuple[float, float]) -> None:
    before, after = ramp((8, 9), (20, -15)), ramp((8, 9), (20, -15), shift)
    flow = inside(flow_of(before, after, moved(*shift)))
    assert np.isfinite(flow[1:-1, 1:-1]).all()
    assert flow[np.isfinite(flow)].max() < 1e-4


@pytest.mark.parametrize("extra", [-6.0, -1.0, 0.5, 4.0])
@pytest.mark.parametrize("slope", [20.0, 60.0])
def test_what_moves_further_along_the_gradient_has_that_flow(extra: float, slope: float) -> None:
    camera = (2.0, -3.0)
    before, after = ramp((8, 8), (0, slope)), ramp((8, 8), (0, slope), (2.0, -3.0 + extra))
    flow = inside(flow_of(before, after, moved(*camera)))
    # The least gradient of 4 grey levels takes 4 % off at a slope of 20, and 0.4 % at 60.
    np.testing.assert_allclose(flow, abs(extra) * slope**2 / (slope**2 + 16), rtol=1e-4)


def test_motion_along_an_edge_shows_in_no_picture() -> None:
    before, after = ramp((6, 6), (0, 20)), ramp((6, 6), (0, 20), (5.0, 0.0))
    assert inside(flow_of(before, after, STILL)).max() < 1e-4


def test_the_camera_moves_from_before_to_after() -> None:
    before, after = ramp((8, 8), (0, 60)), ramp((8, 8), (0, 60), (0.0, 4.0))
    assert inside(flow_of(before, after, moved(0, 4))).max() < 1e-4
    np.testing.assert_allclose(inside(flow_of(before, after, moved(0, -4))), 8, rtol=5e-3)


def test_from_the_picture_after_the_camera_moves_back() -> None:
    now, after = ramp((8, 8), (30, 40)), ramp((8, 8), (30, 40), (3.0, -2.0))
    assert inside(flow_of(after, now, -moved(3, -2))).max() < 1e-4


def test_flow_is_in_pixels_whatever_the_spacing() -> None:
    before, after = ramp((6, 6), (0, 60)), ramp((6, 6), (0, 60), (0.0, 2.0))  # a quarter of a sample
    for spacing in (2.0, 8.0, 32.0):
        flow = inside(flow_of(before, after, STILL, spacing))
        np.testing.assert_allclose(flow, 0.25 * spacing * 3600 / 3616, rtol=1e-4)


def test_zoom_and_turn_are_followed_sample_by_sample() -> None:
    theta = np.array([[1.0, 4.0, -2.0], [-3.0, 2.5, 5.0]])
    shape, slope = (7, 9), np.array([25.0, -30.0])
    here = np.stack(np.mgrid[:14, :18], axis=-1)
    # A plane after a zoom is a plane: from three samples and their origins follows the one before.
    corners = np.array([[0, 0], [0, 17], [13, 0]])
    places = twins.origins(theta, SPACING, shape)[tuple(corners.T)]
    plane = np.linalg.solve(np.column_stack([np.ones(3), places]), 100 + corners @ slope)
    before = np.asarray(plane[0] + here @ plane[1:], np.float32)
    after = np.asarray(100 + here @ slope, np.float32)
    flow = inside(flow_of(before, after, theta))
    assert np.isfinite(flow).sum() > 20
    assert flow[np.isfinite(flow)].max() < 1e-3
    assert inside(flow_of(before, after, STILL)).max() > 0.5


@pytest.mark.parametrize("theta", [STILL, moved(3, -5)])
def test_flat_pictures_have_no_flow(theta: Array) -> None:
    flat = np.full((8, 10), 77, np.float32)
    for after in (flat, flat + np.float32(50)):  # not even when the light changes
        flow = flow_of(flat, after, theta)
        assert not flow[np.isfinite(flow)].any()
        assert np.isfinite(flow[1:-1, 1:-1]).all()


def test_faint_gradients_count_for_little() -> None:
    before, after = ramp((6, 6), (0, 1)), ramp((6, 6), (0, 1), (0.0, 8.0))
    np.testing.assert_allclose(inside(flow_of(before, after, STILL)), 8 / 17, rtol=1e-4)


def test_samples_from_outside_do_not_count() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (8, 12)).astype(np.float32)
    right = flow_of(picture, picture, moved(0, 4 * SPACING))  # four samples, two cells
    assert np.isinf(right[:, :2]).all()
    assert np.isfinite(right[:, 2:]).all()
    up = flow_of(picture, picture, moved(-3 * SPACING, 0))  # half of the last but one row of cells counts
    assert np.isinf(up[3:]).all()
    assert np.isfinite(up[:3]).all()


@pytest.mark.parametrize("far", [1e3, 1e30, 1e308, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("place", [(0, 0), (1, 0), (0, 2), (1, 1)])
def test_no_camera_leads_outside_the_picture(far: float, place: tuple[int, int]) -> None:
    theta = np.zeros((2, 3))
    theta[place] = far
    around = np.full((14, 16), np.nan, np.float32)
    around[3:-3, 3:-3] = 100
    flow = Canary((4, 5), np.float32)
    with np.errstate(all="ignore"):  # overflows
        flow_into(around[3:-3, 3:-3], around[3:-3, 3:-3], theta, SPACING, flow.view)
    assert flow.sings()
    assert (np.isinf(flow.view) | (flow.view == 0)).all()
    assert np.isinf(flow.view).any()


any_theta = st.lists(st.floats(-60, 60), min_size=6, max_size=6).map(lambda values: np.reshape(values, (2, 3)))
steps = st.tuples(*[st.integers(-6, 6)] * 2).map(lambda step: moved(step[0] * SPACING, step[1] * SPACING))
shapes = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(data=st.data(), shape=shapes, theta=any_theta | steps, spacing=st.sampled_from([2.0, 8.0, 16.0]))
def test_any_flow_matches_the_twin(data: st.DataObject, shape: tuple[int, int], theta: Array, spacing: float) -> None:
    samples = 2 * shape[0], 2 * shape[1]
    pictures = arrays(np.float32, samples, elements=st.floats(0, 255, width=32))
    before, after = data.draw(pictures), data.draw(pictures)
    # Neither side of "outside" is wrong next to it; whole samples are exact.
    if theta[:, 1:].any() or (theta % spacing).any():
        places = twins.origins(theta, spacing, shape)
        assume(min(np.abs(places - edge).min() for edge in (0, np.array(samples) - 1)) > 1e-4)
    around = np.pad(before, 2, constant_values=np.nan)  # what is read beyond shows
    flow = Canary(shape, np.float32)
    flow_into(around[2:-2, 2:-2], np.pad(after, 2, constant_values=np.nan)[2:-2, 2:-2], theta, spacing, flow.view)
    assert flow.sings()
    np.testing.assert_allclose(flow.view, twins.normal_flow(before, after, theta, spacing, shape), rtol=2e-5, atol=1e-4)


@given(data=st.data(), theta=arrays(np.float64, (2, 3)), shape=shapes)
def test_any_camera_whatever_it_holds_gives_flow(data: st.DataObject, theta: Array, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).uniform(0, 255, (2 * shape[0], 2 * shape[1])).astype(np.float32)
    around = np.pad(picture, 2, constant_values=np.nan)
    flow = Canary(shape, np.float32)
    with np.errstate(all="ignore"):
        flow_into(around[2:-2, 2:-2], picture, theta, SPACING, flow.view)
    assert flow.sings()
    assert (flow.view >= 0).all()  # nothing is not a number


# What flow does to the residual.


def test_residuals_are_lowered_by_hand() -> None:
    values = np.array([[0, 1, 5, 5, 7]], np.float32)
    lower_to(np.array([[3, 3, 3, 0, np.inf]], np.float32), 0.5, values)
    assert values.tolist() == [[0, 1, 1.5, 0, 7]]


bounds = st.floats(0, 1e6, width=32) | st.just(np.inf)


@given(data=st.data(), shape=shapes, factor=st.sampled_from([0.5, 1.0, 2.0, 3.7]))
def test_residuals_are_never_raised(data: st.DataObject, shape: tuple[int, int], factor: float) -> None:
    values = data.draw(arrays(np.float32, shape, elements=st.floats(0, 1e6, width=32)))
    bound = data.draw(arrays(np.float32, shape, elements=bounds))
    lowered = Canary(shape, np.float32)
    lowered.view[:] = values
    lower_to(bound, factor, lowered.view)
    assert lowered.sings()
    assert (lowered.view <= values).all()
    np.testing.assert_allclose(lowered.view, np.minimum(values, factor * bound.astype(np.float64)), rtol=1e-6)
