"""Records counted once, whatever is written of them, in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from stash_portability.reconcile.tally import Tally

UIDS = st.one_of(
    st.integers(0, 3000).map(str),
    st.integers(0, 40).map("new:tag:{}".format),
    st.sampled_from(["interface", "4000000000", "", "new:tag:x", "\u0664"]),
)
NOTES = st.lists(st.tuples(st.sampled_from(["tag", "scene"]), UIDS, st.sampled_from(["create", "update", "delete"])))


@given(NOTES)
def test_it_counts_as_sets_do(notes):
    tally, records, firsts = Tally(), {}, 0
    for kind, uid, op in notes:
        firsts += tally.note(kind, uid, op)
        records.setdefault((kind, uid), set()).add(op)
    assert firsts == len(records)
    expected = {}
    for (kind, _), ops in records.items():
        for op in ops & {"create", "delete"} or ops:
            expected[f"{kind} {op}"] = expected.get(f"{kind} {op}", 0) + 1
    assert tally.counts() == expected


def test_a_million_of_them_are_some_bits():
    tally = Tally()
    for number in range(0, 1_000_000, 7):
        tally.note("scene", str(number), "update")
    assert tally.counts() == {"scene update": 142_858}
    assert sum(len(row) for row in tally._numbers.values()) < 400_000
