"""Tunes whose repetition is known: one by heart, and made-up reels that say their first half again, or that do not."""

from random import Random

A = "DFAF dFAF|GABG dBAG|FAdf afdf|edcB A2A2|DFAF dFAF|GABG dBAG|f2ed edcA|d2A2 D4"
B = "fgaf dfaf|g2fe fedc|a2fa gfed|e2cA E2A2|fgaf dfaf|g2fe dcBA|f2ed edcA|d2f2 d4"
AABB = f"X:1\nT:Known\nR:reel\nM:4/4\nL:1/8\nK:D\n|:{A}:|\n|:{B}:|"


def tune(number: int, *, forgets: bool = False) -> str:
    """A made-up reel of two parts, whose second half says the first again, or something else."""
    generator = Random(number)

    def bars(count: int) -> list[str]:
        return ["".join(generator.choice("DEFGABcdef") for _ in range(8)) for _ in range(count)]

    parts = []
    for _ in "AB":
        half = bars(3)
        again = bars(3) if forgets else half
        parts.append("|".join([*half, *bars(1), *again, "f2ed D4"]))
    return (
        f"X:1\nT:{'Else' if forgets else 'Known'} {number}\nR:reel\nM:4/4\nL:1/8\nK:D\n|:{parts[0]}:|\n|:{parts[1]}:|"
    )


REMEMBERING = [tune(number) for number in range(60)]
OTHERS = [tune(number) for number in range(100, 160)]
FORGETFUL = [tune(number, forgets=True) for number in range(200, 260)]
