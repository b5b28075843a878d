"""A picture has a column for each model and a row for each seed, and stands by itself."""

from xml.etree import ElementTree as ET

from tests.training.conftest import ten_tunes
from training.evaluation.tune_picture import picture

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_shows_every_tune_beside_the_other_models_of_its_seed() -> None:
    one, other, third = (tune.replace(" Major", "") for tune in ten_tunes()[:3])
    root = ET.fromstring(picture({"irish/5": [one, other], "a & b": [other, third]}))  # noqa: S314
    assert [text.text for text in root.findall(f"{SVG}text")] == ["irish/5", "a & b"]
    places = [group.get("transform", "") for group in root.findall(f"{SVG}g")]
    lefts, tops = zip(*(place[len("translate(") : -1].split() for place in places), strict=True)
    assert lefts == ("0", "664", "0", "664")
    assert tops[0] == tops[1] != tops[2] == tops[3]
    assert all(group.find(f"{SVG}svg") is not None for group in root.findall(f"{SVG}g"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
