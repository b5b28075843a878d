"""What a person does on the page, for its tests and measurements."""

from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from tests.servers import ROOT

AXE = ROOT / "app" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCALE = "X:1\nT:Scale\nM:4/4\nL:1/8\nQ:1/4=90\nK:C\n|:C2D2E2F2|G2A2B2c2:|\nc2B2A2G2|F2E2D2C2|]\n"
PICKUPS = (
    "X:1\nT:Pick\nR:jig\nM:6/8\nL:1/8\nK:Ador\nE|:A2A ABc|d3 d2e|f3 g2f|e3 e2:|\n"
    "|:d|c2c cBA|B3 B2c|A3 E3|1 A3 A2:|2 A3 A3|]\n"
)
"""a pickup before each part, and two endings"""
COOLEYS = """X:1
T:Cooley's
R:reel
M:4/4
L:1/8
K:Edor
|:D2|EBBA B2 EB|B2 AB dBAG|FDAD BDAD|FDAD dAFD|EBBA B2 EB|B2 AB defg|afec dBAF|DEFD E2:|
|:gf|eB B2 efge|eB B2 gedB|A2 FA DAFA|A2 FA defg|eB B2 eBgB|eB B2 defg|afec dBAF|DEFD E2:|
"""
"""as players have it, which is not as the model's book has it"""


def visit(page: Page, path: str = "/") -> None:
    page.goto(path)
    expect(page.locator("#rhythm option").nth(1)).to_be_attached()


def unfold(page: Page, field: str) -> None:
    """Show a field of the form, most of which phones and tablets fold."""
    if not page.locator(f"#{field}").is_visible():
        page.locator("#unfold").click()


def make(page: Page, **choices: str) -> None:
    """Choose from menus, and make; `seed` and `start` are typed."""
    for name, value in choices.items():
        unfold(page, "more" if name in ("seed", "start") else name)
        if name in ("seed", "start"):
            page.locator("#more").evaluate("(more) => { more.open = true; }")
            page.locator(f"#{name}").fill(value)
        else:
            page.locator(f"#{name}").select_option(value)
    page.locator("#make-button").click()


def bring(page: Page, abc: str) -> None:
    """A tune of one's own onto the bench."""
    page.locator("#import-file").set_input_files(
        FilePayload(name="mine.abc", mimeType="text/plain", buffer=abc.encode())
    )
    page.locator("#shelf .name").first.click()
    expect(page.locator("#score svg")).to_be_visible()


def abc_of(page: Page) -> str:
    return page.locator("#abc").input_value()


def is_made(page: Page) -> None:
    """A tune of its user's is on the bench, and no longer the example."""
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator("#tune.growing")).to_have_count(0)
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator("#score svg .abcjs-note").first).to_be_visible()


def draw_over_two_bars(page: Page) -> None:
    """By the mouse, from the first note to the seventh."""
    first, last = (page.locator("#score .abcjs-note").nth(note).bounding_box() for note in (0, 6))
    assert first
    assert last
    page.mouse.move(first["x"] + 3, first["y"] + 10)
    page.mouse.down()
    page.mouse.move(last["x"] + 3, last["y"] + 10, steps=5)
    page.mouse.up()
    expect(page.locator("#score rect.chosen-bar")).to_have_count(2)


def select_bars(page: Page, first: int, last: int) -> None:
    page.locator("#score .abcjs-note").first.click(force=True)
    for name, value in (("#last-bar", last), ("#first-bar", first)):
        page.locator(name).fill(str(value))
        page.locator(name).press("Tab")


def steps(page: Page, abc: str, **how: object) -> list[dict[str, Any]]:
    """What sounds when, and at which place of the text, as the page's own module has it."""
    found: list[dict[str, Any]] = page.evaluate(
        """async ([abc, how]) => {
          const { read, inStep, writtenNotes } = await import("/js/timing.js");
          const answer = await fetch("/render", {
            method: "POST",
            body: JSON.stringify({ abc, ...how, format: "midi" }),
            headers: { "Content-Type": "application/json" },
          });
          const { notes } = read(await answer.arrayBuffer());
          const paper = document.createElement("div");
          document.body.append(paper);
          const [tune] = window.ABCJS.renderAbc(paper, abc);
          paper.remove();
          return inStep(notes, writtenNotes(tune));
        }""",
        [abc, how],
    )
    return found


def faults(page: Page) -> list[str]:
    """What axe-core has to say of the page."""
    page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']]}" for fault in found]
