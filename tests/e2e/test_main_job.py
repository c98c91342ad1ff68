"""The main job, by clicking: from two people's sign-up to the last cent."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bench.stack import Stack
from tests.e2e.conftest import Api, Browsers, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

TITLE = "Which bird is on the pond?"
REASON = "The picture shows a swan, as the instructions say."
AGAIN = "Please look between the reeds as well."


def test_requester_and_worker_do_the_whole_job(
    stack: Stack, browsers: Browsers, api: Callable[[str], Api], tmp_path: Path
) -> None:
    requester = browsers.open()
    sign_up(requester, stack.url, "Rita", "have tasks done")
    deposit(requester, "20.00")
    project = write_project(requester)
    import_tasks(requester, tmp_path)
    set_price_and_publish(requester)

    worker = browsers.open()
    sign_up(worker, stack.url, "Will", "do tasks and be paid")
    start_from_the_feed(worker)
    answer_four_skip_one_return_one(worker)
    look_at_own_work(worker)
    second = api(stack.seed("Sam")[0]["token"])
    answer_all(second, project)

    watch_progress(requester)
    review(requester)
    resubmit(worker)
    accept_the_new_answer(requester)
    expect_earned(worker, "$0.45")
    take_results(requester, tmp_path)
    close_and_count(requester)
    audit = stack.manage("audit_ledger")
    assert "checks passed" in audit


def deposit(page: Page, amount: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Purse").click()
    expect_fact(page, "to spend or pay out", "$0.00")
    page.get_by_role("button", name="Deposit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("play money")).to_be_visible()
    dialog.get_by_label("Amount, USD").fill(amount)
    dialog.get_by_role("button", name="Deposit").click()
    expect(dialog.get_by_text("The money is in the purse.")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect_fact(page, "to spend or pay out", "$20.00")


def write_project(page: Page) -> str:
    """Describe it, and build its interface from elements. Returns its id."""
    page.get_by_role("link", name="Projects", exact=False).first.click()
    page.get_by_role("link", name="Write your first project").click()
    page.get_by_role("button", name="Make the draft").click()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Start empty").check()
    page.get_by_role("button", name="Make the draft").click()

    page.get_by_label("Summary").fill("Say which bird swims on the pond.")
    page.get_by_role("textbox", name="Instructions").fill("Look **between the reeds**. A swan is white.")
    page.get_by_label("Keywords").fill("birds, pond")
    expect(page.get_by_role("complementary").locator("strong")).to_have_text("between the reeds")
    page.get_by_role("button", name="Interface →").click()

    build = page.get_by_role("region", name="Build")
    build.get_by_role("button", name="+ Picture").click()
    build.get_by_role("textbox", name="Column").fill("picture")
    build.get_by_label("What the picture is").fill("A pond with reeds")
    build.get_by_role("button", name="+ One choice").click()
    build.get_by_label("Question").fill("Which bird is it?")
    build.get_by_label("Name in the results").fill("bird")
    build.get_by_label("Option 1, as the worker reads it").fill("A duck")
    build.get_by_label("Option 1, value in the results").fill("duck")
    build.get_by_label("Option 2, as the worker reads it").fill("A swan")
    build.get_by_label("Option 2, value in the results").fill("swan")
    build.get_by_label("must be answered").check()
    build.get_by_role("group", name="Ask the worker for").get_by_role("button", name="+ Text").click()
    build.get_by_label("Question").fill("Anything to add?")
    build.get_by_label("Name in the results").fill("note")
    build.get_by_label("must be answered").uncheck()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("radio", name="A duck")).to_be_visible()
    expect(preview.get_by_role("textbox", name="Anything to add?")).to_be_visible()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.get_by_role("button", name="Tasks →").click()
    return page.url.split("/projects/")[1].split("/")[0]


def import_tasks(page: Page, folder: Path) -> None:
    """A file with one bad line is refused with the line and its reason; then the good lines are kept."""
    rows = [f"p{number},/demo/pond-0{number}.svg" for number in range(1, 7)]
    file = folder / "ponds.csv"
    file.write_text("key,picture\n" + "\n".join([*rows[:3], "p9,", *rows[3:]]) + "\n")
    page.get_by_label("Choose a file").set_input_files(file)
    page.get_by_role("button", name="Import the file").click()
    wrong = page.get_by_role("region", name="Wrong lines")
    expect(page.get_by_text("Nothing was imported.")).to_be_visible()
    expect(wrong.get_by_role("row").last).to_contain_text(re.compile(r"^\s*5\s*picture"))
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("keep the good lines").check()
    expect(page.get_by_label("Key column")).to_have_value("key")
    page.get_by_role("button", name="Import the file").click()
    expect(page.get_by_text("6 tasks added.")).to_be_visible()
    expect(page.get_by_text("1 line was left out.")).to_be_visible()
    page.get_by_role("button", name="Price and time →").click()


def set_price_and_publish(page: Page) -> None:
    page.get_by_label("Reward for one answer").fill("0.15")
    page.get_by_label("Minutes one answer takes").fill("0.5")
    page.get_by_label("Answers for each task").fill("2")
    expect(page.get_by_role("row", name="Whole price")).to_contain_text("$1.80")
    expect_fact(page, "an hour, at 0.5 minutes an answer", "$18.00")
    page.get_by_role("button", name="Review and publish →").click()
    page.get_by_role("button", name="Publish and put $1.80 into escrow").click()
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_contain_text("open")
    expect_fact(page, "in escrow", "$1.80")


def start_from_the_feed(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Find work").click()
    page.get_by_role("searchbox", name="Search").fill("bird")
    card = page.get_by_role("article").filter(has_text=TITLE)
    expect(card).to_contain_text("$0.15")
    expect(card).to_contain_text("$18.00")
    card.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name="Instructions")).to_be_visible()
    picture = page.get_by_role("img", name="A pond with reeds")
    expect(picture).to_be_visible()
    page.get_by_role("radio", name="A swan").check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    expect(page.get_by_role("timer")).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def answer_four_skip_one_return_one(page: Page) -> None:
    """By the keyboard: 1 or 2 chooses, Enter hands in and brings the next."""
    for note in ("first", "second", "third"):
        at = page.url
        expect(page.get_by_role("radio", name="A duck")).not_to_be_checked()
        page.keyboard.press("1")
        expect(page.get_by_role("radio", name="A duck")).to_be_checked()
        page.get_by_label("Anything to add?").fill(note)
        page.get_by_role("radio", name="A duck").focus()
        page.keyboard.press("Enter")
        expect(page).not_to_have_url(at)
    expect(page.get_by_text("3 done just now")).to_be_visible()
    at = page.url
    page.keyboard.press("s")
    expect(page).not_to_have_url(at)
    at = page.url
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(at)
    page.get_by_role("button", name="Return").click()
    expect(page.get_by_text("Returned. This does not count against you.")).to_be_visible()
    expect(page.get_by_role("heading", name="Find work")).to_be_visible()


def look_at_own_work(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="My work").click()
    tabs = page.get_by_role("navigation", name="By state")
    tabs.get_by_role("button", name="Waiting").click()
    expect(page.get_by_role("listitem").filter(has_text=TITLE)).to_have_count(4)
    tabs.get_by_role("button", name="Returned").click()
    expect(page.get_by_role("listitem").filter(has_text=TITLE)).to_have_count(2)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Earnings").click()
    expect(page.get_by_role("main")).to_contain_text("$0.60")


def answer_all(worker: Api, project: str) -> None:
    for _ in range(6):
        task = worker("POST", f"/projects/{project}/claim")
        number = int(task["input"]["picture"][-5])
        bird = "swan" if number % 3 == 0 else "duck"
        worker("POST", f"/assignments/{task['id']}/submit", {"answer": {"bird": bird, "note": "by script"}})


def watch_progress(page: Page) -> None:
    page.reload()
    expect_fact(page, "answers in, of all places", "10 / 12")
    expect_fact(page, "waiting for review", "10")
    expect(page.get_by_role("figure")).to_have_count(3)
    page.get_by_role("link", name="Review 10 answers").click()


def review(page: Page) -> None:
    """By keyboard: accept one, send one back, reject one; then all the rest at once."""
    table = page.get_by_role("table").first
    expect(table.get_by_role("row")).to_have_count(11)

    table.get_by_role("row", name="first").click()
    expect(page.get_by_role("complementary", name="The open answer")).to_contain_text("first")
    page.keyboard.press("a")
    expect(page.get_by_text("Accepted and paid.")).to_be_visible()

    table.get_by_role("row", name="second").click()
    expect(page.get_by_role("complementary", name="The open answer")).to_contain_text("second")
    page.keyboard.press("b")
    words = page.get_by_label("What should be done again")
    expect(words).to_be_focused()
    page.keyboard.type(AGAIN)
    page.keyboard.press("Control+Enter")
    expect(table.get_by_role("row", name="second")).to_contain_text("sent back")

    table.get_by_role("row", name="third").click()
    expect(page.get_by_role("complementary", name="The open answer")).to_contain_text("third")
    page.keyboard.press("r")
    page.get_by_label("What is the matter").select_option("wrong")
    page.get_by_label("Reason, for the worker").fill("Too short.")
    page.get_by_role("button", name="Reject it").click()
    expect(page.get_by_label("Reason, for the worker")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Reason, for the worker").fill(REASON)
    page.get_by_role("button", name="Reject it").click()
    expect(table.get_by_role("row", name="third")).to_contain_text("rejected")

    page.get_by_role("button", name="Accept all 7").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("7 submitted answers")
    dialog.get_by_role("button", name="Accept and pay").click()
    expect(page.get_by_text("7 answers accepted and paid.")).to_be_visible()


def resubmit(page: Page) -> None:
    page.get_by_role("link", name="Guildhall").click()
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text(AGAIN)).to_be_visible()
    expect(page.get_by_label("Anything to add?")).to_have_value("second")
    page.get_by_label("Anything to add?").fill("looked again")
    page.get_by_role("button", name="Submit again").click()
    expect(page.get_by_text("Handed in again.")).to_be_visible()
    page.get_by_role("navigation", name="By state").get_by_role("button", name="Rejected").click()
    expect(page.get_by_role("listitem").filter(has_text=TITLE)).to_contain_text(REASON)


def accept_the_new_answer(page: Page) -> None:
    # Nothing was left in the table, so it has come there by itself, and is open.
    expect(page.get_by_role("table").first.get_by_role("row", name="looked again")).to_be_visible()
    expect(page.get_by_role("complementary", name="The open answer")).to_contain_text("looked again")
    page.get_by_role("button", name="Accept", exact=False).filter(has_text="$0.15").click()
    # Its own row, not the words of a message: those of an earlier one may still be there.
    expect(page.get_by_role("table").first.get_by_role("row", name="looked again")).to_contain_text("accepted")


def expect_earned(page: Page, amount: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Earnings").click()
    expect_fact(page, "in all", amount)


def take_results(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="Results").click()
    expect_fact(page, "tasks with answers", "6")
    expect_fact(page, "answers", "9")
    page.get_by_label("How", exact=True).select_option("dawid_skene")
    expect(page.get_by_text("log-likelihood")).to_be_visible()
    expect(page.get_by_role("region", name="Workers, table").get_by_role("row")).to_have_count(3)

    answers = download(page, "none")
    assert len(answers) == 9
    assert {row["answer.note"] for row in answers} >= {"first", "looked again", "by script"}
    for method in ("majority", "dawid_skene"):
        labels = {row["key"]: row["label"] for row in download(page, method)}
        assert len(labels) == 6
        assert labels["p4"] == "duck"


def download(page: Page, aggregate: str) -> list[dict[str, str]]:
    page.get_by_label("What", exact=True).select_option(aggregate)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download", exact=True).click()
    return list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))


def close_and_count(page: Page) -> None:
    """Nine of twelve were paid; one is rejected and its money waits; two were never done and come back."""
    page.get_by_role("link", name=TITLE).click()
    expect_fact(page, "spent", "$1.35")
    expect_fact(page, "in escrow", "$0.45")
    page.get_by_role("button", name="Close").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 open places go")
    dialog.get_by_role("button", name="Close it").click()
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_contain_text("closed")
    expect_fact(page, "in escrow", "$0.15")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Purse").click()
    expect_fact(page, "to spend or pay out", "$18.50")
    expect_fact(page, "set aside for 1 project", "$0.15")
    statement = page.get_by_role("region", name="Statement, table")
    for kind, amount in (("Deposit", "+$20.00"), ("Into escrow", "-$1.80"), ("Back from escrow", "+$0.30")):
        expect(statement.get_by_role("row", name=kind)).to_contain_text(amount)


def expect_fact(page: Page, label: str, value: str) -> None:
    fact = page.locator("gh-fact").filter(has=page.get_by_text(label, exact=True))
    expect(fact.first).to_contain_text(value)
