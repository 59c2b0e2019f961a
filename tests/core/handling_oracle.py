"""Who may see what, said a second time: slowly, from the design alone, and importing nothing of port2port.

Every rule is a sentence with the word for its refusal. All of them are asked; the first that objects is
the answer. Labels and rosters are plain dictionaries, times are seconds (None: a time nobody can place).
"""

from __future__ import annotations

from typing import Any

Case = dict[str, Any]


def answer(case: Case) -> str:
    """`released: <why>` or `withheld: <reason>`."""
    label = case["handling"]
    if label is None:
        return "withheld: unmarked"
    is_own = label["origin"] == case["recipient"]
    rules = OF_THE_OBJECT if is_own else OF_THE_OBJECT + OF_THE_RECIPIENT
    objections = [word for word, objects in rules if objects(label, case)]
    if objections:
        return f"withheld: {objections[0]}"
    return "released: origin" if is_own else f"released: {label['scope']}"


def _party(case: Case, node: str) -> str:
    return case["roster"]["parties"].get(node, "nobody")


def _group(label: Case, case: Case) -> list[str] | None:
    return case["roster"]["groups"].get(label["group"])


def _agreement(label: Case, case: Case) -> Case:
    nothing = {"parties": [], "purposes": [], "basis": [], "data": [], "starts": None, "ends": None}
    return case["roster"]["agreements"].get(label["agreement"], nothing)


def _is_over(label: Case, case: Case) -> bool:
    return label["retain_until"] is None or label["retain_until"] <= case["at"]


def _is_of_an_unknown_exercise(label: Case, case: Case) -> bool:
    return label["context"] not in [*case["roster"]["exercises"], "live"]


def _origin_is_revoked(label: Case, case: Case) -> bool:
    return label["origin"] in case["roster"]["revoked"]


def _origin_is_a_stranger(label: Case, case: Case) -> bool:
    return _party(case, label["origin"]) == "nobody"


def _recipient_is_revoked(label: Case, case: Case) -> bool:
    return case["recipient"] in case["roster"]["revoked"]


def _recipient_is_a_stranger(label: Case, case: Case) -> bool:
    return _party(case, case["recipient"]) == "nobody"


def _crosses_the_line(label: Case, case: Case) -> bool:
    """A to A, A to B and B to B may; B to A only feedback, which says nothing of persons."""
    way = _party(case, label["origin"]) + _party(case, case["recipient"])
    is_police_work = "law-enforcement" in (label["purpose"], label["basis"])
    if way in ("AB", "BB"):
        return False
    if way == "AA":
        return label["compartment"] == "B"
    if way == "BA":
        return label["data"] != "none" or (label["compartment"] == "B" and is_police_work)
    return True


def _is_for_nobody(label: Case, case: Case) -> bool:
    meant = {"nodes": label["nodes"], "group": _group(label, case), "all-members": "everybody"}
    return meant[label["scope"]] in ([], ())


def _is_for_a_group_nobody_knows(label: Case, case: Case) -> bool:
    return label["scope"] == "group" and _group(label, case) is None


def _is_for_others(label: Case, case: Case) -> bool:
    if label["scope"] == "all-members":
        return label["tlp"] in ("TLP:AMBER+STRICT", "TLP:RED")
    named = label["nodes"] if label["scope"] == "nodes" else _group(label, case) or []
    return case["recipient"] not in named


def _names_no_reader_there(label: Case, case: Case) -> bool:
    ending = "@" + case["recipient"]
    named = [reader for reader in label["readers"] if reader.endswith(ending) and reader != ending]
    return label["tlp"] == "TLP:RED" and not named


def _cites_no_agreement(label: Case, case: Case) -> bool:
    return label["agreement"] not in case["roster"]["agreements"]


def _one_did_not_sign(label: Case, case: Case) -> bool:
    parties = _agreement(label, case)["parties"]
    return label["origin"] not in parties or case["recipient"] not in parties


def _agreement_sleeps(label: Case, case: Case) -> bool:
    starts, ends = _agreement(label, case)["starts"], _agreement(label, case)["ends"]
    return starts is None or ends is None or case["at"] < starts or case["at"] >= ends


def _agreement_is_about_something_else(label: Case, case: Case) -> bool:
    agreed = _agreement(label, case)
    covered = [
        label[word] in agreed[kind] for word, kind in (("purpose", "purposes"), ("basis", "basis"), ("data", "data"))
    ]
    return not all(covered)


OF_THE_OBJECT = [
    ("classified", lambda label, case: label["compartment"] == "C"),
    ("offence-data-in-a", lambda label, case: label["compartment"] == "A" and label["data"] == "offence-related"),
    ("retention-over", _is_over),
    ("unknown-exercise", _is_of_an_unknown_exercise),
    ("wrong-purpose", lambda label, case: label["purpose"] != case["purpose"]),
]
OF_THE_RECIPIENT = [
    ("revoked", _origin_is_revoked),
    ("not-a-member", _origin_is_a_stranger),
    ("revoked", _recipient_is_revoked),
    ("not-a-member", _recipient_is_a_stranger),
    ("wrong-compartment", _crosses_the_line),
    ("unknown-group", _is_for_a_group_nobody_knows),
    ("empty-audience", _is_for_nobody),
    ("not-in-audience", _is_for_others),
    ("no-readers", _names_no_reader_there),
    ("no-agreement", _cites_no_agreement),
    ("not-party-to-agreement", _one_did_not_sign),
    ("agreement-not-valid", _agreement_sleeps),
    ("outside-agreement", _agreement_is_about_something_else),
]
