"""A page that follows a run, in a real browser: it changes without being loaded again, and asks no one else."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from browser import chromium, visit
from playwright.sync_api import Browser, expect

from adiabat.report import PageServer
from adiabat.results import Figure, Line, Page, Table

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@dataclass
class Run:
    """What a server shows of."""

    labels: int = 3

    def page(self) -> Page:
        found = np.arange(1.0, self.labels + 1)
        line = Line(found, 1 / found, HOSTILE)
        return Page(
            f"Learning {HOSTILE}",
            (f"{self.labels} labels {HOSTILE}.",),
            (Table("t", "Generations", ("generation",), tuple((number,) for number in range(self.labels))),),
            (Figure("f", "Learning curve", "labels", HOSTILE, (line,)),) if self.labels else (),
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_a_page_follows_a_run_and_says_when_it_is_over(browser: Browser) -> None:
    run = Run()
    with ExitStack() as served:
        server = served.enter_context(PageServer(run.page, port=0))
        with visit(browser, server.url) as seen:
            assert "3 labels" in seen.page.locator(".summary").inner_text()
            seen.page.evaluate("window.loaded = 'once'")
            run.labels = 5
            seen.page.get_by_text("5 labels").wait_for()
            assert seen.page.locator("tbody tr").count() == 5
            expect(seen.page.locator(".plot .point")).to_have_count(5)
            assert seen.page.evaluate("window.loaded") == "once"
            assert seen.errors == []
            assert {url.removeprefix(server.url) for url in seen.requests} <= {"", "state.json", "data:,"}
            served.close()
            seen.page.get_by_text("No news").wait_for()
            assert "5 labels" in seen.page.locator(".summary").inner_text()


def test_a_run_without_plots_yet_gets_them(browser: Browser) -> None:
    run = Run(labels=0)
    with PageServer(run.page, port=0) as server, visit(browser, server.url) as seen:
        assert seen.page.locator(".plot").count() == 0
        run.labels = 4
        expect(seen.page.locator(".plot .point")).to_have_count(4)
        assert seen.errors == []


def test_no_text_of_the_data_acts_and_no_one_else_is_asked(browser: Browser) -> None:
    with PageServer(Run().page, port=0) as server, visit(browser, server.url) as seen:
        seen.page.wait_for_timeout(1500)
        assert seen.page.evaluate("window.hacked") is None
        assert seen.page.locator("img").count() == 0
        assert HOSTILE in (seen.page.locator("h1").text_content() or "")
        assert seen.errors == []
        asked = "() => fetch('https://example.org/').then(() => 'sent', () => 'refused')"
        assert seen.page.evaluate(asked) == "refused"
