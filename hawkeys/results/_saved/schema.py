"""What a saved result holds, field by field.

To add a field to a result, add it to the class here, and name it in `ADDED` with what it is in
files of schema 1, which were saved without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from hawkeys.results._saved.reading import (
    Bools,
    Count,
    Extended,
    Floats,
    Integers,
    Marginal,
    Real,
    Record,
    Several,
    Text,
    Unbounded,
)

__all__ = [
    "ADDED",
    "BASELINES",
    "KERNELS",
    "KINDS",
    "ONLY_OF",
    "ColumnPosteriorRecord",
    "Common",
    "ContrastRecord",
    "FitRecord",
    "LikelihoodRecord",
    "NonlinearRecord",
    "RectifiedRecord",
    "RowMatricesRecord",
    "VariationalRecord",
]

ADDED: Mapping[str, Any] = {
    "decay_profile.bounds": None,
    "decay_profile.limit": None,
    "prior": None,
    "inclusion_probability": None,
    "column_posterior.prior": None,
    "unit": None,
    "coefficient_std_err": None,
    "columns.flat": 1e-9,
}
"""Fields that files of schema 1 lack, by path ("decay_profile.limit"), and their value there."""

ONLY_OF: Mapping[str, str] = {
    "prior": "variational",
    "inclusion_probability": "variational",
    "coefficient_std_err": "likelihood",
    "columns.flat": "likelihood",
}
"""The kind of result that alone has one of these fields."""


class ExponentialRecord(Record, tag_field="name", tag="exponential"):
    decay: Floats


class LogNormalRecord(Record, tag_field="name", tag="log_normal"):
    location: Floats
    scale: Floats


class GammaRecord(Record, tag_field="name", tag="gamma"):
    shape: Floats
    rate: Floats


class HistogramRecord(Record, tag_field="name", tag="histogram"):
    masses: Floats
    edges: Floats


class SumExponentialRecord(Record, tag_field="name", tag="sum_exponential"):
    decays: Floats
    weights: Floats


class PowerLawRecord(Record, tag_field="name", tag="power_law"):
    c: Real
    p: Real
    tolerance: Real


KERNELS = (
    ExponentialRecord
    | LogNormalRecord
    | GammaRecord
    | HistogramRecord
    | SumExponentialRecord
    | PowerLawRecord
)


class PiecewiseRecord(Record, tag_field="name", tag="piecewise_constant"):
    knots: Floats
    rates: Floats | None


class PeriodicRecord(Record, tag_field="name", tag="periodic"):
    knots: Floats
    period: Real
    rates: Floats | None


class LogLinearRecord(Record, tag_field="name", tag="log_linear"):
    knots: Floats
    covariates: Floats
    coefficients: Floats | None
    rates: Floats | None
    exposure: Floats
    names: list[str]


class SplineRecord(Record, tag_field="name", tag="spline"):
    knots: Floats
    rates: Floats | None
    period: Real | None
    degree: int
    smoothing: Any  # "estimate", null, a number or a list of numbers


BASELINES = PiecewiseRecord | PeriodicRecord | LogLinearRecord | SplineRecord


class HawkesRecord(Record):
    baseline: Any  # numbers, or an object of BASELINES, or of a user's own
    adjacency: Floats
    kernel: Any  # an object of KERNELS, or of a user's own
    mark_names: list[Text]


class RectifiedHawkesRecord(Record):
    baseline: Floats
    adjacency: Floats
    decay: Floats
    mark_names: list[Text]


class NonlinearHawkesRecord(Record):
    baseline: Floats
    weights: Floats
    filters: dict[str, Any]  # knots, or edges and decays
    memory: Several | None
    link: Literal["exponential", "softplus"]
    pieces: Any  # an object of BASELINES, or null
    mark_names: list[Text]


class DecayProfileRecord(Record):
    decays: Floats
    objective: Unbounded
    score: Unbounded
    selection: Literal["likelihood", "cross-validation"]
    bounds: tuple[Real, Real] | None
    limit: Literal["trend", "burst", "trend and burst", "no excitation"] | None


class MapRecord(Record):
    baseline: Integers
    adjacency: Integers
    n_columns: Several


class ColumnsRecord(Record):
    map: MapRecord
    estimates: Floats
    used: Bools
    flat: Real


class ColumnPosteriorRecord(Record):
    map: MapRecord
    posterior: dict[str, Marginal | None]
    prior: dict[str, Unbounded] | None
    prior_coefficient: Unbounded
    log_covariance: Unbounded | None


class RowMatricesRecord(Record):
    """Matrices of which few entries are kept; of many marks."""

    index: Integers
    offsets: Integers
    values: Floats
    n_columns: Several


class Common(Record):
    """What every fit holds."""

    converged: bool
    message: Text
    n_iterations: Count
    trace: Unbounded
    identified: Bools
    event_counts: Integers
    n_realizations: Several
    total_time: Real
    log_likelihood: Extended
    options: dict[str, Any]
    version: Text
    unit: Literal["ns", "us", "ms", "s", "min", "h", "day", "week"] | None


class FitRecord(Common):
    """What every fit without inhibition holds."""

    process: HawkesRecord
    objective: Extended
    optimality_gap: Extended | None
    n_kernel_parameters: Count


class LikelihoodRecord(FitRecord, tag_field="kind", tag="likelihood"):
    method: Literal["mle", "map"]
    kkt_residual: Real
    information: Any  # numbers, or an object of RowMatricesRecord
    decay_profile: DecayProfileRecord | None
    columns: ColumnsRecord | None
    kernel_std_err: dict[str, Unbounded] | None
    coefficient_std_err: Unbounded | None


class VariationalRecord(FitRecord, tag_field="kind", tag="variational"):
    method: Literal["vi", "vi_stochastic", "vi_branching"]
    posterior: dict[str, Marginal | None]
    prior: dict[str, Unbounded] | None
    inclusion_probability: Unbounded | None
    prior_coefficient: Unbounded
    log_covariance: Unbounded | None
    posterior_covariance: Unbounded | None
    column_posterior: ColumnPosteriorRecord | None


class ContrastRecord(FitRecord, tag_field="kind", tag="contrast"):
    method: Literal["least_squares"]
    kkt_residual: Real
    information: Floats
    noise: Floats


KINDS = LikelihoodRecord | VariationalRecord | ContrastRecord


class NonlinearRecord(Record):
    process: NonlinearHawkesRecord
    log_likelihood: Extended
    objective: Extended
    to_gain: Extended
    optimality_gap: Extended
    quadrature_error: Real
    converged: bool
    message: Text
    n_iterations: Count
    traces: list[Unbounded]
    at_bound: Bools
    information: Floats
    event_counts: Integers
    n_realizations: Several
    total_time: Real
    options: dict[str, Any]
    version: Text
    unit: Literal["ns", "us", "ms", "s", "min", "h", "day", "week"] | None


class RectifiedRecord(Common):
    process: RectifiedHawkesRecord
    method: Literal["rectified mle"]
    to_gain: Extended
    gradient_norm: Real
    at_bound: Bools
    information: Floats
    decay_identified: Bools
