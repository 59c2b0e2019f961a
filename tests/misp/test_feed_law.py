"""Whatever is shared, changed, narrowed and taken back in whatever order: the folder holds what may be there now."""

from __future__ import annotations

import hashlib
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from misp_kit import bundle, incident, label, observable, offer

from conftest import network_of_one
from port2port.core.handling import PersonalData, Tlp
from port2port.sharing.book import Book
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.misp.choice import Choice
from port2port.sharing.misp.export import export
from port2port.sharing.misp.ids import event_uuid

names = st.sampled_from(["one", "two", "three"])
people = st.sampled_from([PersonalData.NONE, PersonalData.STAFF])
colours = st.sampled_from([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER])


class Sharing(RuleBasedStateMachine):
    """A port that shares and takes back, and exports now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.here = network_of_one()
        self.folder = Path(tempfile.mkdtemp())
        self.shared: dict[str, tuple[Tlp, PersonalData, str, datetime]] = {}
        self.versions: dict[str, int] = {}
        self.stamps: dict[str, int] = {}
        self.exported = False

    @rule(
        name=names,
        tlp=colours,
        personal=st.sampled_from([PersonalData.NONE, PersonalData.STAFF]),
        word=st.integers(0, 9),
    )
    def share(self, name: str, tlp: Tlp, personal: PersonalData, word: int) -> None:
        self.versions[name] = self.versions.get(name, 0) + 1
        secret = f"secret-{name}-{word}"
        body = bundle(
            incident(1, tlp, name=secret), observable("url", tlp, value=f"https://{secret}.example/"), tlp=tlp
        )
        offer(self.here, name, body, self.versions[name], tlp=tlp, personal_data=personal)
        self.shared[name] = (tlp, personal, secret, label(self.here).retain_until)
        self.exported = False

    @rule(name=names)
    def take_back(self, name: str) -> None:
        with self.here.store.transaction() as tx:
            order = RecallOrdered(
                at=self.here.clock(), op="withdraw", object_ids=(name,), reason="mistake", account="an-operator"
            )
            tx.append(order)
        self.shared.pop(name, None)
        self.exported = False

    @rule(days=st.integers(0, 12))
    def time_passes(self, days: int) -> None:
        self.here.clock.step(timedelta(days=days))  # type: ignore[attr-defined]
        self.exported = False

    @rule()
    def run(self) -> None:
        export(self.here, Book(), self.folder, Choice())
        self.exported = True

    def live(self) -> dict[str, str]:
        """Event uuid -> the word in it, for all that may stand there now."""
        return {
            event_uuid(self.here.party.node_id, name): secret
            for name, (tlp, personal, secret, until) in self.shared.items()
            if tlp is not Tlp.AMBER and personal is PersonalData.NONE and self.here.clock() < until
        }

    @invariant()
    def the_folder_holds_what_may_be_there(self) -> None:
        if not self.exported:
            return
        files = {each.stem: json.loads(each.read_bytes())["Event"] for each in self.folder.glob("*-*.json")}
        manifest = json.loads((self.folder / "manifest.json").read_bytes())
        assert set(manifest) == set(files)
        live = {event: found for event, found in files.items() if found["info"] != "Withdrawn by its origin"}
        allowed = self.live()
        assert {event: found["info"] for event, found in live.items()} == allowed
        self._nothing_else(files, set(allowed.values()))
        self._stamps_only_grow(manifest)

    def _nothing_else(self, files: dict[str, Any], words: set[str]) -> None:
        """No word of what may not be there is anywhere, and no digest."""
        text = json.dumps(files) + (self.folder / "manifest.json").read_text()
        digests = (self.folder / "hashes.csv").read_text()
        for name in ("one", "two", "three"):
            for number in range(10):
                secret = f"secret-{name}-{number}"
                assert secret in words or secret not in text
                assert secret in words or hashlib.md5(f"https://{secret}.example/".encode()).hexdigest() not in digests

    def _stamps_only_grow(self, manifest: dict[str, Any]) -> None:
        for event, found in manifest.items():
            stamp = int(found["timestamp"])
            assert stamp >= self.stamps.get(event, 0)
            self.stamps[event] = stamp

    def teardown(self) -> None:
        export(self.here, Book(), self.folder, Choice())
        before = {each.name: each.stat().st_ino for each in self.folder.iterdir()}
        export(self.here, Book(), self.folder, Choice())
        assert {each.name: each.stat().st_ino for each in self.folder.iterdir()} == before
        self.here.store.close()


TestFeedLaw = Sharing.TestCase
TestFeedLaw.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
