"""An inequality multiplied by a number that may be negative."""

from mdnn_verify.audit import REALS, Derivation, over

SLIP = "multiplied"


def written(slip):
    derivation = Derivation("A bound, scaled", over(x=REALS, y=REALS, c=REALS, limit=250, generic=False))

    @derivation.line(r"x-y\le 0")
    def start(x, y, c):
        return x - y <= 0

    @derivation.line(r"\iff x\le y", "iff")
    def moved(x, y, c):
        return x <= y

    @derivation.line(
        r"\implies cx\le cy" if slip else r"\implies c^2x\le c^2y",
        "implies",
        reason="multiplied by $c$" if slip else "multiplied by $c^2\\ge0$",
    )
    def multiplied(x, y, c):
        return c * x <= c * y if slip else c**2 * x <= c**2 * y

    return derivation


wrong, right = written(True), written(False)
