"""Displays: what they show, where, and without matplotlib."""

import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from skrec.inspection import (
    AttentionDisplay,
    CrossStrengthDisplay,
    FieldImportanceDisplay,
    HistoryAttentionDisplay,
    attention_weights,
    cross_strengths,
    field_importance,
    history_attention,
)
from skrec.models import AutoIntClassifier, DCNClassifier, SASRecRanker

mpl.use("Agg")
X = pd.DataFrame({"city": ["Bern", "Rome", "Oslo"] * 100, "age": range(300), "noise": np.arange(300) % 7})
Y = X["city"] == "Bern"
NAMES = ["city", "age", "noise"]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="module")
def dcn():
    return DCNClassifier(epochs=2, early_stopping=False, random_state=0).fit(X, Y)


@pytest.fixture(scope="module")
def autoint():
    return AutoIntClassifier(epochs=2, n_attention_layers=2, n_heads=2, early_stopping=False, random_state=0).fit(X, Y)


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def labels(ticks):
    return [tick.get_text() for tick in ticks]


def test_bars_are_the_importances_with_the_largest_on_top(dcn, ax):
    display = FieldImportanceDisplay.from_estimator(dcn, X, n_repeats=2, random_state=0, ax=ax, color="red")
    expected = field_importance(dcn, X, n_repeats=2, random_state=0)
    pd.testing.assert_series_equal(display.importances, expected)
    assert [bar.get_width() for bar in display.bars_] == expected.sort_values().tolist()
    assert labels(ax.get_yticklabels()) == expected.sort_values().index.tolist()
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)


def test_only_the_most_important_fields_are_shown():
    display = FieldImportanceDisplay(importances=pd.Series([0.2, 0.0, 0.5], ["a", "b", "c"]))
    assert display.plot(max_fields=2) is display
    assert labels(display.ax_.get_yticklabels()) == ["a", "c"]
    first = display.ax_
    assert display.plot().ax_ is not first
    assert labels(display.ax_.get_yticklabels()) == ["b", "a", "c"]


def test_the_map_of_crosses_has_the_fields_on_both_axes(dcn, ax):
    display = CrossStrengthDisplay.from_estimator(dcn, ax=ax, colorbar=False, cmap="magma")
    pd.testing.assert_frame_equal(display.strengths, cross_strengths(dcn))
    assert np.array_equal(display.im_.get_array(), display.strengths)
    assert labels(ax.get_xticklabels()) == labels(ax.get_yticklabels()) == NAMES
    assert display.im_.get_cmap().name == "magma"
    assert display.ax_ is ax
    assert display.figure_.axes == [ax]
    assert len(display.plot().figure_.axes) == 2  # with a colour bar


def test_the_map_of_attention_is_a_mean_over_rows(autoint):
    weights = attention_weights(autoint, X).astype(np.float64)
    display = AttentionDisplay.from_estimator(autoint, X)
    assert display.attention == pytest.approx(weights.mean(axis=0))
    assert np.asarray(display.im_.get_array()) == pytest.approx(weights[:, 0].mean(axis=(0, 1)))
    assert labels(display.ax_.get_xticklabels()) == labels(display.ax_.get_yticklabels()) == NAMES
    assert np.asarray(display.plot(layer=1, head=0).im_.get_array()) == pytest.approx(weights[:, 1, 0].mean(axis=0))
    one_row = AttentionDisplay.from_estimator(autoint, X[5:6], head=1)
    assert np.asarray(one_row.im_.get_array()) == pytest.approx(weights[5, 0, 1])


def test_layers_and_heads_must_be_there():
    display = AttentionDisplay(attention=np.full((2, 3, 4, 4), 0.25), field_names=list("abcd"))
    with pytest.raises(IndexError, match="There is no layer 2: the model has 2, counted from 0"):
        display.plot(layer=2)
    with pytest.raises(IndexError, match="There is no head 3: the model has 3, counted from 0"):
        display.plot(head=3)


def test_bars_are_the_past_items_with_the_weightiest_on_top(ax):
    events = pd.DataFrame({"user_id": np.arange(60) % 4, "item_id": np.arange(60) * 7 % 11})
    model = SASRecRanker(epochs=1, embedding_dim=8, random_state=0).fit(events)
    display = HistoryAttentionDisplay.from_estimator(model, [3, 1], query=1, top=5, ax=ax, color="red")
    expected = history_attention(model, [3, 1])
    assert np.array_equal(display.weights, expected.weights)
    weights = expected.weights[1]
    largest = np.argsort(np.abs(weights))[-5:]
    assert [bar.get_width() for bar in display.bars_] == weights[largest].tolist()
    assert labels(ax.get_yticklabels()) == [str(item) for item in expected.past_items[1, largest]]
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)


def test_past_items_have_names_as_far_as_there_are_some():
    past_items = np.array([[None, 7, None, 9, 7], [None] * 5], dtype=object)
    weights = np.array([[0, 0.1, 0.2, -0.3, 0.4], [0] * 5])
    display = HistoryAttentionDisplay(past_items=past_items, weights=weights)
    for names in ({7: "Up"}, pd.Series(["Up"], [7])):
        assert display.plot(names=names) is display
        assert labels(display.ax_.get_yticklabels()) == ["Up", "unknown item", "9", "Up"]
        assert [bar.get_width() for bar in display.bars_] == [0.1, 0.2, -0.3, 0.4]
    assert labels(display.plot(top=2).ax_.get_yticklabels()) == ["9", "7"]
    assert len(display.plot(top=None).bars_) == 4
    assert len(display.plot(query=1).bars_) == 0
    with pytest.raises(IndexError, match="There is no query 2: there are 2, counted from 0"):
        display.plot(query=2)


def test_long_names_have_room():
    names = {0: "Star Wars: Episode V - The Empire Strikes Back (1980)"}
    weights = np.ones((1, 1))
    display = HistoryAttentionDisplay(past_items=np.zeros((1, 1), int), weights=weights).plot(names=names)
    display.figure_.canvas.draw()
    (label,) = display.ax_.get_yticklabels()
    assert label.get_window_extent().x0 >= 0


@pytest.mark.parametrize(
    "display", [AttentionDisplay, CrossStrengthDisplay, FieldImportanceDisplay, HistoryAttentionDisplay]
)
def test_without_matplotlib_the_error_says_so_before_anything_is_computed(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=rf"{display.__name__} needs matplotlib, .* pip install matplotlib"):
        display.from_estimator(None, None)
    monkeypatch.undo()
