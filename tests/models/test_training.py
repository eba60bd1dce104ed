"""Early stopping, callbacks, the progress bar, warm starts, partial_fit, penalties and dropout."""

import pickle
import re
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.neural_network import MLPClassifier

import skrec
from skrec._engine import program_cache as program
from skrec.datasets import make_interactions
from skrec.models import GRU4RecRanker, NCFRanker, PopularityRanker, SASRecRanker


def liked(frame):
    return (frame["user_id"] % 3 == frame["item_id"] % 3).to_numpy()


# -- early stopping ------------------------------------------------------------------------------------------------

STOPPING = {"epochs": 60, "n_iter_no_change": 3, "tol": 0, "learning_rate": 0.03}


def test_a_ranker_returns_the_weights_of_its_best_epoch(board, ranker):
    X_val = board.held_out[liked(board.held_out)].iloc[::4]
    model = ranker(**STOPPING).fit(board.events, X_val=X_val)
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_ < 60
    assert model.best_validation_score_ == max(model.validation_scores_) > model.validation_scores_[-1]
    assert model.score(X_val) == pytest.approx(model.best_validation_score_, abs=1e-6)


def noisy(y, random):
    return np.where(random.random(len(y)) < 0.3, ~y, y)


def test_a_classifier_returns_the_weights_of_its_best_epoch(board, classifier):
    random = np.random.default_rng(0)
    y, y_val = noisy(liked(board.train), random), noisy(liked(board.held_out), random)
    model = classifier(**STOPPING).fit(board.train, y, X_val=board.held_out, y_val=y_val)
    assert model.n_iter_ < 60
    assert model.best_validation_score_ == max(model.validation_scores_) > model.validation_scores_[-1]
    assert -log_loss(y_val, model.predict_proba(board.held_out)) == pytest.approx(model.best_validation_score_)


def test_a_regressor_returns_the_weights_of_its_best_epoch(board, regressor):
    random = np.random.default_rng(0)
    y, y_val = 10.0 * noisy(liked(board.train), random), 10.0 * noisy(liked(board.held_out), random)
    model = regressor(**STOPPING).fit(board.train, y, X_val=board.held_out, y_val=y_val)
    assert model.n_iter_ < 60
    assert model.best_validation_score_ == max(model.validation_scores_) > model.validation_scores_[-1]
    assert -mean_squared_error(y_val, model.predict(board.held_out)) == pytest.approx(model.best_validation_score_)


@pytest.mark.parametrize("task", ["ranker", "classifier", "regressor"])
def test_without_x_val_a_part_of_the_rows_is_held_out(board, request, task):
    X = board.events if task == "ranker" else board.train
    y = None if task == "ranker" else liked(board.train).astype(int)
    model = request.getfixturevalue(task)(early_stopping=True, validation_fraction=0.3, **STOPPING).fit(X, y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    if task == "ranker":
        assert model.seen_items(model.users_).sum() == len(X)  # held-out events count as seen all the same
    assert board.own_share(model) > 0.8


def test_early_stopping_is_left_out_of_small_fits_unless_asked_for(fitted_ranker):
    assert fitted_ranker.validation_scores_ == []
    assert fitted_ranker.best_validation_score_ is None
    assert fitted_ranker.n_iter_ == len(fitted_ranker.loss_curve_) == 20


def test_ema_momentum_averages_the_weights_after_each_epoch(board, ranker):
    """Compared with pandas' exponential window over fits of one epoch, two epochs, ..."""
    epochs = [ranker(epochs=n).fit(board.events)._weights for n in range(1, 5)]
    model = ranker(epochs=4, ema_momentum=0.7).fit(board.events)
    for name, array in model._weights.items():
        each = pd.DataFrame([weights[name].ravel() for weights in epochs])
        expected = each.ewm(alpha=0.3, adjust=True).mean().iloc[-1].to_numpy().reshape(array.shape)
        np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_early_stopping_scores_the_averaged_weights_and_trains_on(board, ranker):
    X_val = board.held_out[liked(board.held_out)].iloc[::4]
    averaged = ranker(ema_momentum=0.9, **STOPPING).fit(board.events, X_val=X_val)
    assert averaged.score(X_val) == pytest.approx(max(averaged.validation_scores_), abs=1e-6)
    plain = ranker(**{**STOPPING, "epochs": averaged.n_iter_}).fit(board.events)
    np.testing.assert_allclose(averaged.loss_curve_, plain.loss_curve_)  # training goes on from its own weights


def in_parts(model, X, n_parts, path):
    """Fit in parts, each on an estimator read from a file."""
    for _ in range(n_parts):
        skrec.save(model.fit(X), path)
        model = skrec.load(path)
    return model


@pytest.mark.parametrize("ema_momentum", [0.0, 0.8])
@pytest.mark.parametrize("architecture", ["gmf", "neumf"])
def test_fits_in_parts_equal_one_long_fit(board, ranker, architecture, ema_momentum, tmp_path):
    settings = {"architecture": architecture, "ema_momentum": ema_momentum}
    whole = ranker(epochs=6, **settings).fit(board.events)
    parts = in_parts(ranker(epochs=2, warm_start=True, **settings), board.events, 3, tmp_path / "model.skrec")
    each = ranker(**settings)
    for _ in range(6):
        each.partial_fit(board.events)
    for model in (parts, each):
        assert model.loss_curve_ == whole.loss_curve_
        assert (model.score_items(model.users_) == whole.score_items(whole.users_)).all()


def test_an_average_takes_new_ids_in_as_they_are(board, ranker):
    """Its old rows go on as an average; rows that have no past are those trained."""
    old = board.events[board.events["item_id"] < 50]
    plain, averaged = (ranker(epochs=3, warm_start=True, ema_momentum=m).fit(old) for m in (0.0, 0.9))
    before = averaged.item_embeddings_
    for model in (plain, averaged):
        model.set_params(epochs=1).fit(board.events)
    assert averaged.loss_curve_ == plain.loss_curve_
    assert (averaged.item_embeddings_[50:] == plain.item_embeddings_[50:]).all()
    share = 0.1 / (1 - 0.9**4)
    expected = before + share * (plain.item_embeddings_[:50] - before)
    np.testing.assert_allclose(averaged.item_embeddings_[:50], expected, rtol=1e-4, atol=1e-6)


def test_an_average_may_begin_or_end_between_fits(board, ranker):
    """Training uses the raw weights: each fit's losses are those without."""
    model, plain = ranker(epochs=2, warm_start=True), ranker(epochs=8).fit(board.events)
    for momentum in (0.0, 0.9, 0.9, 0.0):
        model.set_params(ema_momentum=momentum).fit(board.events)
    assert model.loss_curve_ == plain.loss_curve_
    assert (model.item_embeddings_ == plain.item_embeddings_).all()


def test_a_failed_fit_leaves_the_average_to_go_on_from(board, ranker, unchanged):
    model = ranker(epochs=2, warm_start=True, ema_momentum=0.8).fit(board.events)
    model.set_params(learning_rate=1e30)
    with unchanged(model), pytest.raises(FloatingPointError, match="diverged"):
        model.fit(board.events)
    model.set_params(learning_rate=ranker().learning_rate).fit(board.events)
    whole = ranker(epochs=4, ema_momentum=0.8).fit(board.events)
    assert (model.item_embeddings_ == whole.item_embeddings_).all()


def test_after_early_stopping_a_fit_goes_on_from_the_weights_it_kept(board, ranker):
    X_val = board.held_out[liked(board.held_out)].iloc[::4]
    model = ranker(ema_momentum=0.9, warm_start=True, **STOPPING).fit(board.events, X_val=X_val)
    best = model.item_embeddings_
    model.set_params(learning_rate=1e-12, epochs=1).fit(board.events)
    np.testing.assert_allclose(model.item_embeddings_, best, atol=1e-6)


@pytest.mark.parametrize("times", ["timestamp", "row order"])
def test_a_ranker_holds_out_the_last_event_of_each_user(board, ranker, times):
    """Item 1000 is the last of every user: it is held out, so that nothing draws the users to it."""
    last = pd.DataFrame({"user_id": np.unique(board.events["user_id"]), "item_id": 1000})
    X = pd.concat([board.events, last], ignore_index=True)
    if times == "timestamp":
        X = X.assign(timestamp=np.arange(len(X))).sample(frac=1, random_state=0)
    options = {"early_stopping": True, "validation_fraction": 1.0, "n_iter_no_change": 20}
    held_out, trained = (ranker(**parameters).fit(X) for parameters in (options, {}))
    for model, drawn in ((held_out, False), (trained, True)):
        scores = model.score_items(model.users_)
        own = scores[:, model.items_ == 1000][:, 0]
        assert (own.mean() > scores.mean()) == drawn
    assert max(held_out.validation_scores_) < 0.5


def test_classifiers_and_regressors_hold_out_the_latest_rows(board, classifier):
    """The latest rows have labels that contradict the others: no epoch gets better on them."""
    X = board.train.assign(timestamp=np.arange(len(board.train)))
    y = liked(X).copy()
    y[-300:] ^= True
    fraction = 300 / len(X)
    model = classifier(early_stopping=True, validation_fraction=fraction, n_iter_no_change=20).fit(X, y)
    assert np.argmax(model.validation_scores_) < 5
    assert model.validation_scores_[-1] < -1


@pytest.mark.parametrize("task", ["classifier", "regressor"])
def test_the_validation_score_heeds_the_weights_of_rows(board, request, task):
    """Half of the latest rows contradict the others, and weigh nothing."""
    X = board.train.assign(timestamp=np.arange(len(board.train)))
    y, weight = liked(X).copy(), np.ones(len(X))
    y[-300::2] ^= True
    weight[-300::2] = 0
    parameters = {"early_stopping": True, "validation_fraction": 300 / len(X), "n_iter_no_change": 20}
    model = request.getfixturevalue(task)(**parameters).fit(X, y.astype(int), sample_weight=weight)
    assert model.best_validation_score_ > -0.1


def test_a_validation_set_may_hold_new_users_and_items(board, ranker):
    X_val = pd.DataFrame({"user_id": [0, 999], "item_id": [999, 0]})
    model = ranker(epochs=2).fit(board.events, X_val=X_val)
    assert model.score(X_val) == pytest.approx(model.best_validation_score_, abs=1e-6)
    assert 999 not in model.users_


# -- callbacks and the progress bar --------------------------------------------------------------------------------


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, sorted(logs)))


def test_keras_callbacks_are_called_with_the_validation_score(board, ranker):
    recorder = Recorder()
    model = ranker(epochs=3, callbacks=[recorder]).fit(board.events, X_val=board.held_out[:50])
    assert recorder.epochs == [(epoch, ["loss", "val_ndcg"]) for epoch in range(3)]
    assert len(model.loss_curve_) == 3
    assert clone(model).callbacks[0].epochs == recorder.epochs
    assert (pickle.loads(pickle.dumps(model)).predict(board.held_out) == model.predict(board.held_out)).all()


@pytest.mark.parametrize("weights_only", [False, True])
def test_callbacks_that_save_the_network_are_told_of_the_way(board, ranker, tmp_path, weights_only):
    path = tmp_path / ("net.weights.h5" if weights_only else "net.keras")
    save = keras.callbacks.ModelCheckpoint(path, save_weights_only=weights_only)
    with pytest.raises(NotImplementedError, match=r"a few epochs at a time with warm_start=True.*skrec\.save"):
        ranker(callbacks=[save]).fit(board.events)


def test_functions_are_called_after_every_epoch(board, ranker):
    calls = []
    model = ranker(epochs=3, callbacks=[lambda epoch, logs: calls.append((epoch, logs))])
    model.fit(board.events, X_val=board.held_out[:50])
    assert [epoch for epoch, _ in calls] == [0, 1, 2]
    assert [logs["val_ndcg"] for _, logs in calls] == model.validation_scores_
    assert [logs["loss"] for _, logs in calls] == model.loss_curve_
    plain = ranker(epochs=3).fit(board.events, X_val=board.held_out[:50])
    assert (plain.item_embeddings_ == model.item_embeddings_).all()


def test_an_error_of_a_function_ends_the_fit_in_good_order(board, ranker):
    def fail(epoch, logs):
        if epoch == 1:
            raise LookupError("enough")

    model = ranker(epochs=5).fit(board.events)
    expected = model.predict(board.held_out)
    model.set_params(callbacks=[fail])
    before = dict(vars(model))
    n_programs = len(program._CACHE._idle)
    with pytest.raises(LookupError, match="enough"):
        model.fit(board.events)
    assert vars(model) == before
    assert len(program._CACHE._idle) == n_programs  # the traced program was handed back
    assert (model.predict(board.held_out) == expected).all()
    assert (ranker(epochs=5).fit(board.events).predict(board.held_out) == expected).all()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_keras_callbacks_can_stop_training_and_change_the_rate(board, ranker):
    stop = keras.callbacks.EarlyStopping(monitor="loss", min_delta=100, patience=1)
    assert ranker(callbacks=(stop,)).fit(board.events).n_iter_ == 2
    still = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 if epoch == 0 else 0.0)
    model = ranker(epochs=3, callbacks=[still]).fit(board.events)
    once = ranker(epochs=1).fit(board.events)
    assert (model.item_embeddings_ == once.item_embeddings_).all()
    assert ranker().fit(board.events).loss_curve_[0] == once.loss_curve_[0]  # the next fit has its own rate again


def test_verbose_prints_a_progress_bar(board, ranker, capfd):
    ranker(epochs=2, verbose=1).fit(board.events)
    output = capfd.readouterr().out
    assert "Epoch 2/2" in output
    assert "loss:" in output
    n_steps = -(-len(board.events) // 64)
    bars = re.findall(r"(\d+)/(\d+)\x1b", output)
    assert bars
    assert all(int(done) <= int(steps) == n_steps for done, steps in bars)
    ranker(epochs=2, verbose=0).fit(board.events).recommend([1])
    assert capfd.readouterr() == ("", "")


class Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def test_an_interrupted_fit_leaves_the_model_as_it_was(board, ranker):
    model = ranker(epochs=2).fit(board.events)
    expected = model.predict(board.held_out)
    model.set_params(callbacks=[Interrupt()])
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(board.events[:100])
    assert vars(model) == before
    assert (model.predict(board.held_out) == expected).all()
    again = ranker(epochs=2).fit(board.events)
    assert (again.predict(board.held_out) == expected).all()


# -- going on ------------------------------------------------------------------------------------------------------


def test_warm_start_goes_on_where_the_last_fit_ended(board, ranker):
    model = ranker(epochs=5, warm_start=True).fit(board.events)
    first = model.loss_curve_
    again = model.fit(board.events).loss_curve_[5:]
    assert model.loss_curve_[:5] == first
    assert max(again) < min(first)
    assert model.n_iter_ == len(again) == 5
    cold = ranker(epochs=5).fit(board.events)
    assert cold.fit(board.events).loss_curve_ == first


def test_epochs_are_counted_as_scikit_learn_counts_them(board, ranker):
    """``n_iter_`` is of the last call, ``loss_curve_`` of all since the weights were drawn."""
    mlp = MLPClassifier(max_iter=2, random_state=0)
    y = liked(board.train)
    for warm_start in (False, True):
        ours = ranker(epochs=2, warm_start=warm_start)
        theirs = clone(mlp).set_params(warm_start=warm_start)
        for method in ("fit", "fit", "partial_fit", "partial_fit", "fit"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                getattr(theirs, method)(board.train, y)
            getattr(ours, method)(board.events)
            assert ours.n_iter_ == theirs.n_iter_
            assert len(ours.loss_curve_) == len(theirs.loss_curve_)


def test_warm_start_takes_new_rows_for_all_there_is(board, ranker):
    model = ranker(epochs=2, warm_start=True).fit(board.events)
    before = model.items_
    model.fit(pd.DataFrame({"user_id": [0, 7], "item_id": [1000, 1]}))
    assert model.items_.tolist() == [*before, 1000]
    assert model.seen_items([0, 7]).toarray().nonzero()[1].tolist() == [60, 1]


@pytest.mark.parametrize(
    "changed",
    [
        {"embedding_dim": 4},
        {"mlp_embedding_dim": 4},
        {"hidden_units": (16,)},
        {"hidden_units": (8, 4)},
        {"hidden_units": (16, 4, 2)},
        {"hidden_units": (16, 8)},
        {"architecture": "mlp"},
        {"architecture": "gmf"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_structure_cannot_go_on(board, ranker, unchanged, changed, method):
    model = ranker(
        architecture="neumf", mlp_embedding_dim=8, hidden_units=(16, 4), warm_start=True, epochs=1
    ).fit(board.events)  # fmt: skip
    model.set_params(**changed)
    with unchanged(model), pytest.raises(ValueError, match="structure of the network has changed since the last fit"):
        getattr(model, method)(board.events)


def test_partial_fit_from_nothing_is_a_fit_of_one_epoch(board, ranker):
    part, whole = ranker().partial_fit(board.events), ranker(epochs=1).fit(board.events)
    assert (part.item_embeddings_ == whole.item_embeddings_).all()
    assert part.loss_curve_ == whole.loss_curve_


def test_partial_fit_adds_epochs_and_learns(board, ranker):
    model = ranker()
    for _ in range(20):
        model.partial_fit(board.events)
    assert len(model.loss_curve_) == 20
    assert model.n_iter_ == 1
    assert board.own_share(model) > 0.9


def test_partial_fit_brings_in_new_users_and_items(board, ranker):
    old = board.events[(board.events["user_id"] < 40) & (board.events["item_id"] < 50)]
    model = ranker().fit(old)
    users, items, seen = model.users_, model.items_, model.seen_items(model.users_)
    for _ in range(30):
        model.partial_fit(board.events.iloc[::-1])
    assert model.users_.tolist() == [*users, *range(40, 48)]
    assert model.items_.tolist() == [*items, *range(50, 60)]
    assert (seen.toarray() <= model.seen_items(users)[:, : len(items)].toarray()).all()
    assert model.seen_items(model.users_).sum() == len(board.events)
    assert board.own_share(model) > 0.9
    frame = model.recommend(np.arange(40, 48), k=5)
    assert (frame["item_id"] >= 50).any()
    assert not frame.merge(board.events).size


def test_partial_fit_goes_on_gently_after_a_fit(board, ranker):
    """A fit keeps no optimiser state; its first steps afterwards must not be larger than they ought to be."""
    model = ranker(architecture="neumf", epochs=40, learning_rate=0.003).fit(board.events)
    before = np.mean(model.loss_curve_[-3:])
    assert model.partial_fit(board.events).loss_curve_[-1] < 1.05 * before


def test_another_optimizer_can_go_on(board, ranker):
    model = ranker(warm_start=True, optimizer="adam").fit(board.events)
    for optimizer, learning_rate in (("sgd", 0.1), ("adagrad", 0.01), ("adam", 0.001)):
        model.set_params(optimizer=optimizer, learning_rate=learning_rate, epochs=2).fit(board.events)
        assert board.own_share(model) > 0.9


def test_partial_fit_of_a_classifier_may_announce_classes(board, classifier):
    model = classifier().partial_fit(board.train[:50], np.zeros(50, int), classes=[0, 1, 2])
    assert model.classes_.tolist() == [0, 1, 2]
    model.partial_fit(board.train[50:60], np.full(10, 2))
    assert model.predict_proba(board.train[:3]).shape == (3, 3)
    with pytest.raises(ValueError, match=r"label 7.*\[0, 1, 2\].*classes="):
        model.partial_fit(board.train[:2], [0, 7])


def test_balanced_class_weights_go_with_parts_that_lack_a_class(board, classifier):
    y = liked(board.train).astype(int)
    model = classifier(class_weight="balanced", epochs=2).fit(
        board.train, y, X_val=board.train[:5], y_val=np.ones(5, int)
    )
    model.partial_fit(board.train[:5], np.ones(5, int))
    first = classifier(class_weight="balanced").partial_fit(board.train[:5], np.ones(5, int), classes=[0, 1])
    assert first.classes_.tolist() == model.classes_.tolist() == [0, 1]


def test_partial_fit_of_a_regressor_keeps_its_scale(board, regressor):
    model = regressor()
    for start in range(0, 30 * 200, 200):
        part = board.train.iloc[start % 1600 : start % 1600 + 200]
        model.partial_fit(part, 100.0 + 4 * liked(part))
    assert model.score(board.train, 100.0 + 4 * liked(board.train)) > 0.5


def test_partial_fit_of_popularity_adds_up():
    model = PopularityRanker().partial_fit([["a", "y"], ["b", "y"]]).partial_fit([["c", "x"], ["a", "y"]])
    assert model.items_.tolist() == ["y", "x"]
    assert model.item_counts_.tolist() == [3, 1]
    assert model.users_.tolist() == ["a", "b", "c"]


# -- penalties, dropout --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("penalty", "strengths"), [("l1", (0, 0.006, 0.03)), ("l2", (0, 0.03, 0.3))])
def test_penalties_shrink_embeddings(board, ranker, penalty, strengths):
    models = [ranker(**{penalty: strength}).fit(board.events) for strength in strengths]
    sizes = [np.abs(model.user_embeddings_).sum() + np.abs(model.item_embeddings_).sum() for model in models]
    assert sizes[0] > sizes[1] > 1.3 * sizes[2]


def test_dropout_changes_training_but_not_prediction(board, ranker):
    network = {"architecture": "mlp", "hidden_units": (16, 8), "epochs": 4}
    plain, dropped = (ranker(dropout=dropout, **network).fit(board.events) for dropout in (0, 0.4))
    assert not np.allclose(plain.item_embeddings_, dropped.item_embeddings_)
    assert (dropped.predict(board.held_out) == dropped.predict(board.held_out)).all()
    heavier = ranker(dropout=0.8, **network).fit(board.events)
    assert plain.loss_curve_[-1] < dropped.loss_curve_[-1] < heavier.loss_curve_[-1]


def test_id_dropout_trains_what_stands_for_unknown_users(board, ranker):
    """Item 1000 is liked by everybody: an unknown user gets it if unknown users were met in training."""
    likes = pd.DataFrame({"user_id": np.repeat(np.arange(48), 5), "item_id": 1000})
    X = pd.concat([board.events, likes], ignore_index=True)
    model = ranker(id_dropout=0.2).fit(X)
    assert model.recommend([-1], k=1)["item_id"].tolist() == [1000]


def test_diverging_training_is_an_error_that_says_what_to_do(board, regressor, unchanged):
    model = regressor(optimizer="sgd").fit(board.train[:9], np.arange(9)).set_params(learning_rate=1e6)
    with unchanged(model), pytest.raises(FloatingPointError, match="smaller learning_rate"):
        model.fit(board.train, 1.0 * liked(board.train))


def test_an_x_val_that_a_search_may_have_cut_is_told_of(ranker, board):
    with pytest.warns(UserWarning, match=r"X_val has as many rows as X, \d+.*Pass an X_val of another length"):
        ranker(epochs=1).fit(board.events, X_val=board.events)


def test_errors_about_x_val_say_so(ranker, board):
    with pytest.raises(ValueError) as caught:
        ranker(epochs=1).fit(board.events, X_val=board.events[:5].rename(columns={"user_id": "users"}))
    assert "The error is in X_val or y_val" in str(caught.value)


def test_validation_rows_count_whatever_early_stopping_says(board, ranker):
    model = ranker(epochs=2, early_stopping=False).fit(board.events, X_val=board.held_out[:50])
    assert len(model.validation_scores_) == 2


def test_where_no_user_has_two_events_the_cause_is_named():
    events = make_interactions(n_users=30, n_items=10, n_interactions=200, random_state=0).drop_duplicates("user_id")
    for ranker_of in (NCFRanker, SASRecRanker, GRU4RecRanker):
        model = ranker_of(embedding_dim=8, epochs=1, early_stopping=True)
        with pytest.raises(
            ValueError, match=r"no user has two positive events.*Pass X_val, or set early_stopping=False\.$"
        ):
            model.fit(events)
        model.set_params(early_stopping=False).fit(events)
