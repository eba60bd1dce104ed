"""Search spaces that estimators declare or users pass, as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from skrec._data.tables.spelling import closest

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution, CategoricalChoiceType
    from optuna.trial import Trial

__all__ = ["Space", "parts_with", "search_space"]

_STORABLE = (type(None), bool, int, float, str)  # choices that every storage of Optuna can hold


def search_space(estimator: Any) -> dict[str, BaseDistribution]:
    """Return the parameters worth tuning, each with a distribution: the default search space of ``OptunaSearchCV``.

    Every network of skrec declares a search space, and closed-form models may declare one. Models are also found inside
    Pipelines, searches and other meta-estimators. The space depends on the parameters of the estimator: without hidden
    layers there is no ``dropout`` to tune. The number of epochs is not tuned because early stopping finds it.
    ``hidden_units`` is not tuned because no storage of Optuna can hold tuples: add
    ``{"hidden_units": [(64,), (128, 64)]}`` to the `param_distributions` of ``OptunaSearchCV``.

    Parameters
    ----------
    estimator : estimator
        A model, or a meta-estimator that contains one.

    Returns
    -------
    dict of str to optuna.distributions.BaseDistribution
        Distributions by parameter name, as in ``estimator.set_params``. You may change the dict. Use it with
        ``OptunaSearchCV``, with the ``OptunaSearchCV`` of optuna-integration, or with
        ``study.ask(search_space(estimator))``.

    Raises
    ------
    TypeError
        If the estimator is a class.
    ValueError
        If neither the estimator nor any of its parts declares a search space.

    Notes
    -----
    To declare the space of your own estimator, define a method ``_search_space(self, distributions)``. It receives the
    module :mod:`optuna.distributions` and returns such a dict, without prefixes.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrec.model_selection import search_space
    >>> from skrec.models import NCFRanker
    >>> from skrec.preprocessing import IDEncoder
    >>> for name, distribution in search_space(make_pipeline(IDEncoder(), NCFRanker(architecture="mf"))).items():
    ...     print(name, distribution)
    ncfranker__learning_rate FloatDistribution(high=0.03, log=True, low=0.0003, step=None)
    ncfranker__l2 FloatDistribution(high=0.1, log=True, low=1e-06, step=None)
    ncfranker__embedding_dim CategoricalDistribution(choices=(16, 32, 64, 128))
    """
    from optuna import distributions

    if isinstance(estimator, type):
        raise TypeError(f"estimator is a class: pass an instance, {estimator.__name__}().")
    names = estimator.get_params()
    space = {
        f"{prefix}{name}": distribution
        for prefix, part in parts_with(estimator, "_search_space")
        for name, distribution in part._search_space(distributions).items()
        if f"{prefix}{name}" in names  # the parameters of a frozen part are hidden
    }
    if not space:
        raise ValueError(
            f"{type(estimator).__name__} declares no search space, and neither do its parts. Pass "
            "param_distributions=, a dict from parameter names to Optuna distributions or lists of values."
        )
    return space


def parts_with(estimator: Any, attribute: str) -> list[tuple[str, Any]]:
    """Return the outermost parts of an estimator that have an attribute, and the prefix of the parameters of each.

    The parts inside such a part are not searched.
    """
    if hasattr(estimator, attribute):
        return [("", estimator)]
    parameters = estimator.get_params()
    names = [name for name, part in parameters.items() if hasattr(part, attribute) and not isinstance(part, type)]
    outermost = [name for name in names if not any(name.startswith(f"{other}__") for other in names)]
    return [(f"{name}__", parameters[name]) for name in outermost]


@dataclass(frozen=True)
class Space:
    """A search space in a form that any storage of Optuna can hold.

    Parameters
    ----------
    distributions : dict of str to BaseDistribution
        Distributions by parameter name, sorted by name.
    choices : dict of str to dict
        For each parameter, the choices that cannot be stored, such as tuples, by their text, which is stored instead.
    """

    distributions: dict[str, BaseDistribution]
    choices: dict[str, dict[Any, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, estimator: Any, param_distributions: Mapping[str, Any] | None) -> Space:
        """Read the distributions and lists that the user passed, or use those that the estimator declares."""
        given = search_space(estimator) if param_distributions is None else param_distributions
        if not given:
            raise ValueError(
                "param_distributions is empty: there is nothing to search. Pass None for the default space."
            )
        names = list(estimator.get_params())
        space = cls({})
        for name in sorted(given):
            if name not in names:
                guess = closest(name, names)
                hint = f" Did you mean {guess!r}?" if guess else " See estimator.get_params()."
                raise ValueError(
                    f"param_distributions has {name!r}, which is not a parameter of {type(estimator).__name__}.{hint}"
                )
            space.distributions[name] = space._read(name, given[name])
        return space

    def _read(self, name: str, values: Any) -> BaseDistribution:
        from optuna.distributions import BaseDistribution, CategoricalDistribution

        if isinstance(values, CategoricalDistribution):
            return self._categorical(name, list(values.choices))
        if isinstance(values, BaseDistribution):
            return values
        if hasattr(values, "rvs"):
            return _from_scipy(name, values)
        if isinstance(values, np.ndarray) and values.ndim == 1:
            return self._categorical(name, values.tolist())
        if isinstance(values, list | tuple):
            return self._categorical(
                name, [value.item() if isinstance(value, np.generic) else value for value in values]
            )
        raise TypeError(
            f"param_distributions[{name!r}] is {values!r}; it must be a distribution from optuna.distributions, for "
            "instance FloatDistribution(1e-4, 1e-1, log=True), or a list of values. Put a single value in a list."
        )

    def _categorical(self, name: str, choices: list[Any]) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        if not choices:
            raise ValueError(f"param_distributions[{name!r}] is empty: list the values to choose from.")
        stored = [choice if isinstance(choice, _STORABLE) else repr(choice) for choice in choices]
        twice = [text for text in stored if isinstance(text, str) and stored.count(text) > 1]
        if twice:
            raise ValueError(f"param_distributions[{name!r}] has several values that print as {twice[0]!r}: keep one.")
        self.choices[name] = {
            text: choice for text, choice in zip(stored, choices, strict=True) if not isinstance(choice, _STORABLE)
        }
        return CategoricalDistribution(stored)

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Let a trial choose a value for each parameter."""
        return self.parameters({name: _suggest(trial, name, each) for name, each in self.distributions.items()})

    def parameters(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters for the estimator from the parameters of a trial."""
        chosen = {name: stored[name] for name in self.distributions}
        return {name: self.choices.get(name, {}).get(value, value) for name, value in chosen.items()}


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> CategoricalChoiceType:
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(distribution, FloatDistribution):
        low, high, step = distribution.low, distribution.high, distribution.step
        return trial.suggest_float(name, low, high, step=step, log=distribution.log)
    if isinstance(distribution, IntDistribution):
        low, high, step = distribution.low, distribution.high, distribution.step
        return trial.suggest_int(name, low, high, step=step, log=distribution.log)
    chosen: CategoricalChoiceType = trial.suggest_categorical(name, distribution.choices)  # type: ignore[attr-defined]
    return chosen


def _from_scipy(name: str, values: Any) -> BaseDistribution:
    """Translate the SciPy distributions that are most often used in scikit-learn's searches."""
    from optuna.distributions import FloatDistribution, IntDistribution

    kind = getattr(getattr(values, "dist", None), "name", None)
    if kind not in {"uniform", "loguniform", "reciprocal", "randint"}:
        raise TypeError(
            f"param_distributions[{name!r}] is SciPy's distribution {kind or values}, for which Optuna has no "
            "counterpart: use uniform, loguniform or randint, or a distribution from optuna.distributions."
        )
    low, high = values.support()
    if kind == "randint":
        return IntDistribution(int(low), int(high))
    return FloatDistribution(float(low), float(high), log=kind != "uniform")
