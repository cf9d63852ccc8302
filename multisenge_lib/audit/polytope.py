"""Extreme values of linear functions, and of ratios of them, over a set of linear constraints."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

#: How far a solution may violate a constraint. The scores are known to 5e-5 and some classes cover
#: 0.3 % of the ground, so widths of 1e-7 matter; the solver's own default is 1e-7.
_SOLVER_OPTIONS = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}
#: What SciPy's `linprog` calls a problem without a solution.
_INFEASIBLE = 2


@dataclass(frozen=True)
class Polytope:
    """All points x >= 0 with `matrix @ x <= limit` and `sums @ x == totals`.

    Attributes:
        matrix: `(inequalities, variables)`.
        limit: `(inequalities,)`.
        sums: `(equalities, variables)`.
        totals: `(equalities,)`.
    """

    matrix: np.ndarray
    limit: np.ndarray
    sums: np.ndarray
    totals: np.ndarray

    def lowest_point(self, weights: np.ndarray) -> np.ndarray | None:
        """Find a point with the least `weights @ x`; None if no point satisfies the constraints.

        Args:
            weights: `(variables,)`.

        Returns:
            `(variables,)`.

        Raises:
            ArithmeticError: the solver gave up, or there is no least value.
        """
        result = linprog(
            weights,
            A_ub=self.matrix,
            b_ub=self.limit,
            A_eq=self.sums,
            b_eq=self.totals,
            bounds=(0, None),
            method="highs",
            options=_SOLVER_OPTIONS,
        )
        if result.status == _INFEASIBLE:
            return None
        if not result.success:
            raise ArithmeticError(f"the linear programme was not solved: {result.message}")
        return result.x

    def minimum(self, weights: np.ndarray) -> float:
        """Compute the least `weights @ x`, or NaN if no point satisfies the constraints.

        Args:
            weights: `(variables,)`.

        Raises:
            ArithmeticError: the solver gave up, or there is no least value.
        """
        point = self.lowest_point(weights)
        return np.nan if point is None else float(weights @ point)

    def range_of(self, weights: np.ndarray) -> tuple[float, float]:
        """The least and greatest `weights @ x`; the weights are `(variables,)`."""
        return self.minimum(weights), -self.minimum(-weights)

    def range_of_ratio(
        self,
        numerator: np.ndarray,
        denominator: np.ndarray,
        denominator_constant: float,
    ) -> tuple[float, float]:
        """The least and greatest of a ratio of two linear functions; exact.

        The transformation of Charnes and Cooper (1962): with t = 1 / denominator and y = t x, the
        ratio is linear in (y, t), and each constraint on x becomes one on (y, t).

        Args:
            numerator: `(variables,)`, weights above the line.
            denominator: `(variables,)`, weights below it; the whole denominator must be positive
                everywhere.
            denominator_constant: added below it.
        """
        scaled = Polytope(
            matrix=np.column_stack([self.matrix, -self.limit]),
            limit=np.zeros(len(self.limit)),
            sums=np.vstack(
                [
                    np.column_stack([self.sums, -self.totals]),
                    np.append(denominator, denominator_constant),
                ]
            ),
            totals=np.append(np.zeros(len(self.totals)), 1.0),
        )
        return scaled.range_of(np.append(numerator, 0.0))
