"""A forked process in which TensorFlow would hang raises an error at once; one in which it would not works."""

import os
import signal
import subprocess
import sys
import textwrap

import joblib
import numpy as np
import pandas as pd
import pytest

from skrec.inspection import history_attention
from skrec.models import NCFClassifier, NCFRanker, PopularityRanker, SASRecRanker

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

EVENTS = pd.DataFrame({"user_id": [1, 1, 2, 2, 3, 3] * 3, "item_id": [1, 2, 2, 3, 1, 3] * 3})
REFUSED = "RuntimeError: TensorFlow cannot run in this process, because it was forked"


def in_a_fork(function, seconds=30):
    """Call a function in a forked child; return the text of what it returned or raised."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        try:
            text = str(function())
        except BaseException as error:  # noqa: BLE001 - the parent looks at it
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, "the child hung"
    return text


@pytest.fixture(scope="module")
def ranker():
    return NCFRanker(epochs=1, random_state=0).fit(EVENTS)


@pytest.fixture(scope="module")
def sequence_ranker():
    return SASRecRanker(epochs=1, embedding_dim=4, n_blocks=1, random_state=0).fit(EVENTS)


DOORS = {
    "recommend": lambda ranker, _: ranker.recommend([1]),
    "predict": lambda ranker, _: ranker.predict(EVENTS),
    "fit": lambda ranker, _: NCFClassifier(epochs=1).fit(EVENTS, EVENTS["item_id"] > 2),
    "partial_fit": lambda ranker, _: ranker.partial_fit(EVENTS),
    "score": lambda ranker, _: ranker.score(EVENTS),
    "a history of the caller": lambda _, ranker: ranker.recommend(history=[[1, 2]]),
    "attention": lambda _, ranker: history_attention(ranker, history=[[1, 2]]),
    "a callback": lambda ranker, _: NCFRanker(epochs=1, callbacks=[print]).fit(EVENTS),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_child_of_a_process_that_has_used_tensorflow_is_refused(ranker, sequence_ranker, door):
    text = in_a_fork(lambda: DOORS[door](ranker, sequence_ranker))
    assert text.startswith(REFUSED)
    for cure in ("after the fork", "without --preload", "get_context('spawn')"):
        assert cure in text


def test_the_import_of_the_engine_is_refused(ranker):
    def imported():
        for name in [
            name for name in sys.modules if name.startswith("skrec._engine") and name != "skrec._engine.forks"
        ]:
            del sys.modules[name]
        return NCFRanker(epochs=1).fit(EVENTS)

    assert in_a_fork(imported).startswith(REFUSED)


def test_a_child_may_use_what_needs_no_network(ranker):
    popularity = PopularityRanker().fit(EVENTS)
    assert in_a_fork(lambda: popularity.recommend([1])["item_id"].tolist() == [3]) == "True"
    assert in_a_fork(ranker.items_.tolist) == "[1, 2, 3]"


def test_a_refusal_changes_nothing_in_the_parent(ranker):
    before = ranker.score_items([1, 2, 3])
    in_a_fork(lambda: ranker.recommend([1]))
    np.testing.assert_array_equal(ranker.score_items([1, 2, 3]), before)


SCRIPT = """
    import importlib.util, sys
    import joblib
    import skrec

    spec = importlib.util.spec_from_file_location("test_forks", sys.argv[1])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = joblib.load(sys.argv[2])
    assert "tensorflow" not in sys.modules
    print(module.in_a_fork(lambda: model.recommend([1], k=1)["item_id"].tolist(), 120))
    import tensorflow as tf
    print(module.in_a_fork(lambda: model.recommend([1], k=1)["item_id"].tolist(), 120))
    tf.constant(1) + 1
    print(module.in_a_fork(lambda: model.recommend([1])))
"""


def test_a_child_works_where_tensorflow_has_not_run_before(ranker, tmp_path):
    """Neither where it was not imported nor where it was only imported; and where the caller has run it, not skrec."""
    joblib.dump(ranker, tmp_path / "model.joblib")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), __file__, str(tmp_path / "model.joblib")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = str(ranker.recommend([1], k=1)["item_id"].tolist())
    first, second, third = done.stdout.strip().split("\n")
    assert (first, second) == (expected, expected)
    assert third.startswith(REFUSED)
