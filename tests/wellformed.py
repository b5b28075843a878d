"""`python -m tests.wellformed`: in how many tunes abc2midi, music21 and abcjs find a fault, and in which.

Half are written by chance alone, which takes whatever the grammar allows, half by the default model: in every key and
metre, all unit lengths, many rhythms, forms and ranges, at temperatures from 0.3 to 3. Each is made from its number, so
that one with a fault can be made again (`--only random:17`). What has been judged is kept in .cache until grammar,
model or harness change: a run that was interrupted goes on where it was.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from app.abc.rhythms import meters_to_ask_for
from app.api.schemas.generation import GenerateRequest
from app.generation.job_to_sequence import prepare
from app.generation.jobs import GenerationJob
from app.generation.model_registry import Models, ServedModel
from app.grammar import Form, Grammar, Request
from app.grammar.pitch import KEYS
from app.grammar.ticks import METERS, UNITS
from app.settings import Settings
from tests import judges
from tests.random_tunes import VOCABULARY, write
from tests.start_strings import STARTS

JUDGES = {"abc2midi": judges.abc2midi, "music21": judges.music21, "abcjs": judges.abcjs}
KINDS = ("random", "model")
ROOT = Path(__file__).parent.parent
CHUNK = 20  # tunes that are made and judged at a time

RHYTHMS = (None, None, "reel", "jig", "slip jig", "hornpipe", "Hornpipe", "waltz", "polka", "strathspey", "slow air")
FORMS = (None, None, None, "AABB8", "AABB4", "AABBCC2", "ABC4", "AB8", "AA1", "A16")
RANGES = ((None, None), (None, None), (None, None), (62, 83), (55, 83), (None, 72))


@dataclass(frozen=True)
class Outcome:
    """A tune, what was asked for, and what each judge said."""

    kind: str
    number: int
    request: dict[str, Any]
    abc: str
    is_finished: bool
    complaints: dict[str, list[str]]

    @property
    def is_faulty(self) -> bool:
        return not self.is_finished or any(self.complaints.values())

    def __str__(self) -> str:
        said = [f"{judge}: {complaint}" for judge, complaints in self.complaints.items() for complaint in complaints]
        what = [] if self.is_finished else ["it did not end"]
        return f"{self.kind}:{self.number} {json.dumps(self.request)}\n  " + "\n  ".join(what + said)


def request_of(number: int, alphabet: str) -> GenerateRequest:
    """What the tune of this number is asked to be; half the time by a header, which has a unit length too."""
    choose = Random(number)
    rhythm = choose.choice(RHYTHMS)
    meters = meters_to_ask_for(rhythm.lower()) if rhythm else METERS
    meter = choose.choice([name for name in meters if set(name) <= set(alphabet)])
    key, form = choose.choice(sorted(KEYS)), choose.choice(FORMS)
    unit, (low, high) = choose.choice(tuple(UNITS)), choose.choice(RANGES)
    length = 6000 if form else choose.randint(200, 1200)
    temperature = choose.uniform(0.3, 3)
    if choose.random() < 0.5:
        line = f"R:{rhythm}\n" if rhythm else ""
        header = f"X:1\n{line}M:{meter}\nL:{unit}\nK:{key}\n"
        return GenerateRequest(
            start_string=header, length=length, temperature=temperature, form=form, low=low, high=high
        )
    return GenerateRequest(
        length=length, temperature=temperature, key=key, meter=meter, rhythm=rhythm, form=form, low=low, high=high
    )


# ------------------------------------------------------------------------------------------------ making


@cache
def grammar() -> Grammar:
    """The grammar that chance writes with."""
    return Grammar(VOCABULARY)


@cache
def model() -> ServedModel:
    """The default model; its engine ends with the process."""
    models = Models(Settings())
    models.start()
    return models.all()[0]


def by_chance(number: int) -> tuple[str, bool]:
    """The tune of this number, and whether it ended."""
    asked = request_of(number, VOCABULARY.characters)
    form = Form.parse(asked.form) if asked.form else None
    request = Request(asked.key, asked.meter, asked.rhythm, form, asked.low, asked.high)
    text, cursor = write(
        grammar(), number, asked.length, start=asked.start_string, request=request, temperature=asked.temperature
    )
    return text, cursor.finished == 1


def by_model(numbers: list[int]) -> list[tuple[str, bool]]:
    """The tunes of these numbers, and whether they ended; all are under way at once."""
    alphabet = model().checkpoint.vocabulary.characters
    requests = [request_of(number, alphabet) for number in numbers]
    jobs = [request.job(number) for request, number in zip(requests, numbers, strict=True)]
    sequences = [prepare(model(), job).sequence for job in jobs if isinstance(job, GenerationJob)]
    done = [each.done.result() for each in [model().engine.submit(sequence) for sequence in sequences]]
    decode = model().checkpoint.vocabulary.decode
    return [
        (request.start_string + decode(completion.new_ids), completion.finish_reason == "tunes")
        for request, completion in zip(requests, done, strict=True)
    ]


def make_and_judge(kind: str, numbers: list[int]) -> list[Outcome]:
    """The tunes of these numbers and what the judges say of them."""
    made = by_model(numbers) if kind == "model" else [by_chance(number) for number in numbers]
    alphabet = (model().checkpoint.vocabulary if kind == "model" else VOCABULARY).characters
    texts = [text for text, _ in made]
    said = {name: judge(texts) for name, judge in JUDGES.items()}
    return [
        Outcome(
            kind,
            number,
            request_of(number, alphabet).model_dump(exclude_defaults=True),
            text,
            is_finished,
            {name: complaints[i] for name, complaints in said.items()},
        )
        for i, (number, (text, is_finished)) in enumerate(zip(numbers, made, strict=True))
    ]


# ------------------------------------------------------------------------------------------------ keeping, reporting


def notebook() -> Path:
    """Where outcomes are kept; another file for each state of what they depend on."""
    sources = [Path(__file__), *map(ROOT.joinpath, ("tests/judges.py", "tests/random_tunes.py"))]
    sources += sorted(ROOT.joinpath("app/grammar").glob("*.py"))
    seen = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    seen.update(model().id.hash.encode())
    return ROOT / ".cache" / "wellformed" / f"{seen.hexdigest()[:12]}.jsonl"


def read(file: Path) -> dict[tuple[str, int], Outcome]:
    """Outcomes by kind and number; a line that was cut off is left out."""
    outcomes = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        try:
            outcome = Outcome(**json.loads(line))
        except ValueError:
            continue
        outcomes[outcome.kind, outcome.number] = outcome
    return outcomes


def judged(wanted: dict[str, int], jobs: int) -> list[Outcome]:
    """An outcome for every number below the one wanted of its kind."""
    file = notebook()
    file.parent.mkdir(parents=True, exist_ok=True)
    numbers = [(kind, number) for kind, count in wanted.items() for number in range(1, count + 1)]
    outcomes = read(file)
    chunks = [
        (kind, chunk)
        for kind in wanted
        for chunk in _chunks(
            number for of_kind, number in numbers if of_kind == kind and (kind, number) not in outcomes
        )
    ]
    progress = tqdm(total=len(numbers), initial=len(numbers) - sum(len(chunk) for _, chunk in chunks), unit="tune")
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool, file.open("a") as lines, progress:
        for made in pool.map(make_and_judge, *zip(*chunks, strict=True)) if chunks else ():
            lines.writelines(json.dumps(asdict(outcome)) + "\n" for outcome in made)
            lines.flush()
            outcomes |= {(outcome.kind, outcome.number): outcome for outcome in made}
            progress.update(len(made))
    return [outcomes[each] for each in numbers]


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    numbers = iter(numbers)
    while chunk := list(islice(numbers, CHUNK)):
        yield chunk


def starts() -> str:
    """What became of each start string: where its first fault was found, and what the judges say of the tune."""
    lines = []
    for number, start in enumerate(STARTS):
        text, cursor = write(grammar(), number, 400, start=GenerateRequest(start_string=start.text).start_string)
        tune = text.rstrip("\n").split("\n\n")[-1] + "\n"
        said = [complaint for judge in JUDGES.values() for complaint in judge([tune])[0]]
        fault = next(iter(cursor.faults), None)
        found = f"line {fault.line}, column {fault.column}: {fault.message}" if fault else "clean"
        ended = "ended" if cursor.finished else "unended"
        lines.append(f"{start.name:36} {ended:8} {len(said)} complaints   {found}")
    return "\n".join(lines)


def table(outcomes: list[Outcome]) -> str:
    """How many tunes of each kind each judge finds fault with."""
    lines = [f"{'':8}{'tunes':>8}{'unended':>9}" + "".join(f"{judge:>10}" for judge in JUDGES)]
    for kind in KINDS:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        counts = [sum(bool(outcome.complaints[judge]) for outcome in of_kind) for judge in JUDGES]
        unended = sum(not outcome.is_finished for outcome in of_kind)
        lines.append(f"{kind:8}{len(of_kind):8}{unended:9}" + "".join(f"{count:10}" for count in counts))
    return "\n".join(lines)


def main() -> int:
    """Judge what is asked for; 1 if any tune has a fault, 2 if a judge is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.wellformed", description=__doc__.partition("\n")[0])
    parser.add_argument("--random", type=int, default=2000, metavar="N", help="tunes by chance (default: 2000)")
    parser.add_argument("--model", type=int, default=2000, metavar="N", help="tunes by the model (default: 2000)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="make one tune again, and show it")
    parser.add_argument(
        "--starts", action="store_true", help="show instead what becomes of start strings of every sort"
    )
    options = parser.parse_args()
    if lacking := [reason for judge in JUDGES.values() if (reason := judges.missing(judge))]:
        print("\n".join(lacking), file=sys.stderr)
        return 2
    if options.starts:
        print(starts())
        return 0
    if options.only:
        kind, _, number = options.only.partition(":")
        (outcome,) = make_and_judge(kind, [int(number)])
        print(outcome.abc, outcome, sep="")
        return int(outcome.is_faulty)
    outcomes = judged({"random": options.random, "model": options.model}, options.jobs)
    faulty = [outcome for outcome in outcomes if outcome.is_faulty]
    print(table(outcomes), *faulty, sep="\n")
    return int(bool(faulty))


if __name__ == "__main__":
    sys.exit(main())
