"""One library in two tabs of a browser: each sees what the other did, and neither undoes it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.bench import COOLEYS, SCALE, abc_of, bring, visit


@pytest.fixture
def other(page: Page) -> Iterator[Page]:
    other = page.context.new_page()
    visit(other)
    yield other
    other.close()


def test_what_one_tab_keeps_and_removes_the_other_lists(page: Page, other: Page) -> None:
    bring(page, SCALE)
    bring(other, COOLEYS)
    for tab in (page, other):
        expect(tab.locator("#shelf .name")).to_have_text(["Cooley's", "Scale"])
    page.get_by_role("button", name="More of Cooley's").click()
    page.get_by_role("button", name="Remove Cooley's").click()
    expect(other.locator("#shelf .name")).to_have_text(["Scale"])
    assert abc_of(other) == COOLEYS  # it stays where it is open
    other.locator("#shelf .name").click()
    assert abc_of(other) == SCALE


def test_a_change_in_one_tab_is_not_lost_by_another_in_the_other(page: Page, other: Page) -> None:
    bring(page, SCALE)
    other.locator("#shelf .name").click()
    page.get_by_role("button", name="Star: Scale").click()
    expect(other.get_by_role("button", name="Star: Scale")).to_have_attribute("aria-pressed", "true")
    page.locator("#change").click()
    page.locator("#abc").fill(SCALE.replace("C2D2", "E2D2"))
    expect(other.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    assert "E2D2" in abc_of(other)
    # by key: a click is lost where the list is drawn anew between its press and its release
    other.get_by_role("button", name="More of Scale").press("Enter")
    other.get_by_label("Tags").fill("slow")
    other.get_by_label("Tags").press("Enter")
    expect(page.locator("#shelf")).to_contain_text("#slow")
    page.reload()
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    expect(page.locator("#shelf")).to_contain_text("#slow")
    expect(page.get_by_role("button", name="Star: Scale")).to_have_attribute("aria-pressed", "true")


def test_a_title_that_is_typed_in_one_tab_is_taken_though_the_other_stars_the_tune_meanwhile(
    page: Page, other: Page
) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Morning")
    other.get_by_role("button", name="Star: Scale").click()
    expect(page.get_by_role("button", name="Star: Scale")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Rename")).to_be_hidden()
    page.get_by_label("New name").press("Enter")
    expect(other.locator("#shelf .name")).to_have_text(["Morning"])
    expect(other.get_by_role("button", name="Star: Morning")).to_have_attribute("aria-pressed", "true")
