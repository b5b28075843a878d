"""Plans give back what they were made of, and a file that holds none is refused by name."""

from dataclasses import replace

import pytest

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.plans import KnownHeader, KnownPlan, Plans

PLANS = Plans(
    (
        KnownPlan("", "", 1, ((False, (1,)),)),
        KnownPlan("slip jig", "9/8", 3, ((True, (1, 7, 37)), (False, (1, 2)))),
        KnownPlan("slip jig", "9/8", 1, ((True, (1,)),)),
    )
)


def test_plans_are_read_as_they_were_written() -> None:
    assert Plans.parse(PLANS.to_bytes(), "here") == PLANS
    held = replace(PLANS, are_held=True)
    assert Plans.parse(held.to_bytes(), "here") == held
    headers = (KnownHeader(3, "", "slip jig", "9/8", "1/8", "Ador"), KnownHeader(1, "reel", "", "C|", "1/8", "D"))
    with_headers = replace(held, redraws=8, headers=headers)
    assert Plans.parse(with_headers.to_bytes(), "here") == with_headers


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": "1", "plans": {}}',
        b'{"format": 1}',
        b'{"format": 1, "plans": {"jig 6/8": [[1]]}}',
        b'{"format": 1, "plans": {"jig 6/8": [[1, [1]]]}}',
        b'{"format": 1, "plans": {"jig 6/8": [[1, [1, -1]]]}}',
        b'{"format": 1, "plans": {"jig 6/8": [[1, [1, "a"]]]}}',
        b'{"format": 1, "plans": []}',
        b'{"format": 1, "plans": {}, "headers": [[0, "", "jig", "6/8", "1/8", "D"]]}',
        b'{"format": 1, "plans": {}, "headers": [[1000000001, "", "jig", "6/8", "1/8", "D"]]}',
        b'{"format": 1, "plans": {"jig 6/8": [[0, [1, 7]]]}}',
        b'{"format": 1, "plans": {"jig 6/8": [[Infinity, [1, 7]]]}}',
        b'{"format": 1, "plans": {}, "headers": [[1, "", "jig", "6/8", "1/8"]]}',
        b'{"format": 1, "plans": {}, "headers": [[1, "", "jig", "6/8", "1/8", 3]]}',
        b'{"format": 1, "plans": {}, "headers": [[]]}',
    ],
)
def test_what_holds_no_plans_is_named(content: bytes) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"irish/5/plans\.json: not plans"):
        Plans.parse(content, "irish/5/plans.json")


def test_a_later_format_is_told_from_damage() -> None:
    with pytest.raises(NewerFormatError, match="newer than this Lilt"):
        Plans.parse(PLANS.to_bytes().replace(b'"format": 1', b'"format": 2'), "here")
