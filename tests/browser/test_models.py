"""The models on the page: who answers, one beside another, promoting and rolling back."""

import re

from playwright.sync_api import expect

from recommender.model.scorecards import write_scorecard
from recommender.settings import load_settings
from tests.browser.conftest import Visit

CARD = {
    "group": "default",
    "balanced_accuracy": 0.75,
    "balanced_accuracy_ci": [0.6, 0.9],
    "beats_chance": True,
    "n_tracks": 18,
    "n_artists": 6,
    "labels": ["electro", "hip hop"],
    "confusion": [[8, 1], [3, 6]],
    "baselines": {"random": 0.5, "mfcc_logistic": 0.7},
    "playlists": [],
}


def test_another_model_is_compared_promoted_and_rolled_back(visit: Visit) -> None:
    visit.site.ask("/tracks/4/feedback", method="PUT", body={"verdict": "liked"})
    visit.site.wait_for_jobs()
    visit.site.ask("/tracks/4/feedback", method="DELETE")
    visit.site.wait_for_jobs()
    page = visit.open("/app/models")
    serving = page.locator(".serving strong")
    first = serving.inner_text().split()[0]
    page.get_by_role("button", name="Compare").first.click()
    expect(page.locator("#comparison h2")).to_contain_text(f"{first} against ")
    page.get_by_role("button", name="Roll back to it").click()
    expect(page.locator("#said")).to_contain_text("answers now")
    expect(serving).not_to_contain_text(first)
    page.get_by_role("button", name=re.compile(f"(Roll back|Put back).*: {first}$")).click()
    expect(serving).to_contain_text(first)


def test_a_score_card_is_shown_in_short_and_whole(visit: Visit) -> None:
    model = next(m["id"] for m in visit.site.ask("/models")["models"] if m["serving"])
    settings = load_settings({"data": visit.site.data}, environ={})
    card = {"bundle": model, "groups": [CARD]}
    folder = write_scorecard(settings, model, card, "<!doctype html><title>Card</title><h1>Whole</h1>")
    page = visit.open("/app/models")
    figures = page.locator(".serving .figures")
    expect(figures).to_contain_text("75 % are placed right when their artists are hidden")
    figures.get_by_text("Beside simple ways").click()
    expect(figures.get_by_role("row", name="hip hop 3 6")).to_be_visible()
    figures.get_by_role("link", name="Score card").click()
    expect(page.get_by_role("heading", name="Whole")).to_be_visible()
    for path in folder.iterdir():
        path.unlink()
