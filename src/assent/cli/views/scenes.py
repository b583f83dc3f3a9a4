"""The acts of the demo on a terminal of 80 columns, with color or without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING

from assent.cli.screen import took
from assent.cli.views.answers import outcome, print_checks, print_list, rows_deleted, title
from assent.demo.story import Arrivals, Asked, Erased, Held, Learned, Others, Proved

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers.decisions import Decision

DIGEST_CHARS = 16
#: Items shown of a list that is the same for every visitor.
GENERAL_SHOWN = 3


@singledispatch
def show(act: object, screen: Screen, number: int) -> None:
    """Show one act under its number; each kind of act has its own look."""
    screen.heading(f"{number}  {act}")


@show.register(Arrivals)
def show_arrivals(act: Arrivals, screen: Screen, number: int) -> None:
    """Show what came in, what was stored, and what was refused and why."""
    shop = act.shop
    screen.heading(f"{number}  What came in, what was stored, what was refused")
    rows = [(row.who, row.people, row.events, row.stored, row.events - row.stored) for row in shop.rows]
    total = ("all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True)))
    screen.table(("Who", "People", "Events", "Stored", "Refused"), rows, total=total if len(rows) > 1 else ())
    reasons: Counter[str] = Counter()
    for row in shop.rows:
        reasons.update(row.refused)
    screen.say()
    screen.table(("Why refused", "Events"), [(outcome(reason), count) for reason, count in reasons.most_common()])
    screen.say()
    screen.say(f"  {shop.items:,} goods. Everything was taken in, sealed and durable in {took(shop.seconds)}.")
    screen.say("  A refused event is counted and forgotten: nothing of it is kept, not even its sender.")


@show.register(Learned)
def show_learned(act: Learned, screen: Screen, number: int) -> None:
    """Show what was learned and from how many."""
    report = act.report
    screen.heading(f"{number}  What the shop learned, from those who said yes to `learn`")
    screen.say(f"  {report.people:,} people added up over {report.items:,} goods in {took(report.seconds)}.")
    screen.say(f"  The sum is whole numbers; its digest is {short(report.digest)}")


@show.register(Held)
def show_held(act: Held, screen: Screen, number: int) -> None:
    """Show what is held on one person."""
    screen.heading(f"{number}  What is held on {act.person}, sealed with a key of their own")
    screen.pairs([("Agreed to", ", ".join(act.agreed_to)), ("Events", act.events)])
    screen.say("  The latest:")
    screen.pairs([(f"  {day}", f"{verb} {item}") for day, verb, item in act.latest])
    for what, kept in act.kept_unasked.items():
        screen.say(f"  Sent along by their browser and {'KEPT' if kept else 'not kept'}: {what}.")


@show.register(Asked)
def show_asked(act: Asked, screen: Screen, number: int) -> None:
    """Show one list, or what changed since the one before."""
    if act.changed_places is None:
        screen.heading(f"{number}  Ten things for {act.person}, and why")
        print_list(screen, act.decision)
        screen.say()
        screen.say(f"  Used: {'; '.join(act.decision.used)}.")
        return
    screen.heading(f"{number}  {act.person}, {act.moment} ({took(act.seconds)})")
    if act.decision.personal:
        screen.say("  Their own history still chooses their list; it no longer improves anybody else's.")
        screen.say(f"  {changes(act.changed_places, len(act.decision.items))}")
    else:
        print_general(screen, act.decision)
    if act.digest == act.digest_before:
        screen.say(f"  The sum is as it was, {short(act.digest)} with {act.people_learned_from:,} people.")
    else:
        screen.say(f"  The sum {short(act.digest_before)} became {short(act.digest)}")
        screen.say(f"  {act.people_learned_from:,} people are left in it, and nothing of {act.person}.")


@show.register(Erased)
def show_erased(act: Erased, screen: Screen, number: int) -> None:
    """Show the certificate, the sum before and after, and what is left."""
    gone_before = act.digest_before == act.digest_after
    how = "who had left the sum already" if gone_before else "who never withdrew anything"
    screen.heading(f"{number}  {act.person}, {how}, is erased ({took(act.seconds)})")
    facts = act.certificate.body["facts"]
    verdict = "every check holds" if act.checked.holds else "A CHECK FAILS"
    screen.pairs(
        [
            ("Rows deleted", rows_deleted(facts)),
            ("Their key", facts["key"]),
            ("Sum before", f"{short(act.digest_before)} with {act.people_before:,} people"),
            ("Sum after", f"{short(act.digest_after)} with {act.people_after:,} people"),
            ("Certificate", f"{act.certificate.body['erasure'][:DIGEST_CHARS]}... is signed and logged; {verdict}"),
        ]
    )
    screen.say("  What is left of them:")
    screen.pairs([(f"  {name}", found) for name, found in act.left.items()])


@show.register(Others)
def show_others(act: Others, screen: Screen, number: int) -> None:
    """Show whether one leaving moved the lists of those who stay."""
    screen.heading(f"{number}  What that did to {act.person}, who stays")
    screen.say(f"  {changes(act.changed_places, len(act.after.items))}")
    for place in act.changed_places:
        old = [title(each) for each in act.before.items if each.rank == place]
        new = [title(each) for each in act.after.items if each.rank == place]
        screen.say(f"  place {place}: {', '.join(old) or 'nothing'} gave way to {', '.join(new) or 'nothing'}")
    if act.compared:
        screen.say(f"  Of {act.compared} other people's lists, {act.with_changes} changed in at least one place.")


@show.register(Proved)
def show_proved(act: Proved, screen: Screen, number: int) -> None:
    """Show every check of the log and the sum."""
    screen.heading(f"{number}  Proof: everybody who is left, added up anew ({took(act.seconds)})")
    print_checks(screen, act.found)


def print_general(screen: Screen, decision: Decision) -> None:
    """Print the first items of a list that is the same for all visitors, and the reason why it is not personal."""
    first = decision.items[:GENERAL_SHOWN]
    screen.say(f"  {', '.join(f'{each.rank} {title(each)}' for each in first)}, and so on, as for anybody.")
    screen.say(f"  {first[0].text if first else 'Nothing is known to suggest.'}")
    reason = decision.not_used[0]
    screen.say(f"  Not used: {reason.what}. {reason.why}")


def changes(places: Sequence[int], length: int) -> str:
    """Say which places of a list changed."""
    if not places:
        return f"The list is the same in all {length} places."
    named = ", ".join(str(place) for place in places)
    return f"The list changed in place {named}." if len(places) == 1 else f"The list changed in places {named}."


def short(digest: str) -> str:
    """Show as much of a digest as a person compares."""
    return f"{digest[:DIGEST_CHARS]}..." if digest else "(none yet)"
