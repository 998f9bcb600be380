"""The catalogue of bad input: each case has a test that is there, by its name, or a reason why it has none yet.

Cases A are about archives, C about the records in them, H about disks, processes and time. A test that is renamed or
goes away makes this one fail, so that no case is lost by the way.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

ARCHIVE, SEVENZIP, READER = "libraries/test_archive.py", "storage/test_sevenzip.py", "storage/test_reader.py"
CONTAINER, TABLES, RECORDS = "storage/test_container.py", "libraries/test_tables.py", "test_catalogue_c.py"
DISKS, RUNS, BACKUP = "test_catalogue_h.py", "test_runs.py", "test_backup.py"
DATABASE, REFUSALS = "libraries/test_database.py", "libraries/test_database_refusals.py"

NAMES = {
    ARCHIVE: ["test_names_that_lead_elsewhere_refuse_the_whole_archive"],
    SEVENZIP: ["test_a01_to_a12_names_that_are_refused"],
}
LATER = "retention, which deletes old archives, comes later: no archive is ever deleted yet"

CASES = {
    "A01 a member that climbs out": NAMES,
    "A02 an absolute name": NAMES,
    "A03 a name of Windows": NAMES,
    "A04 a name that climbs out in the middle": NAMES,
    "A05 mixed separators": NAMES,
    "A06 control characters in a name": {**NAMES, ARCHIVE: [*NAMES[ARCHIVE], "test_a06_a_name_that_is_empty"]},
    "A07 a link": {
        ARCHIVE: ["test_a07_a08_links_and_devices_in_a_zip", "test_a07_a_link_in_a_folder"],
        SEVENZIP: ["test_a07_a08_links_and_devices", "test_a07_a_link_of_windows"],
    },
    "A08 a pipe or device": {
        ARCHIVE: ["test_a07_a08_links_and_devices_in_a_zip"],
        SEVENZIP: ["test_a07_a08_links_and_devices"],
    },
    "A09 a link at the destination": {
        "test_catalogue.py": ["test_a09_a_link_at_the_destination_is_refused"],
        CONTAINER: ["test_places_that_cannot_be_used"],
    },
    "A10 twins": {
        ARCHIVE: ["test_a10_two_members_of_one_name", "test_a10_names_that_differ_in_their_unicode_form"],
        SEVENZIP: ["test_a10_twins"],
    },
    "A11 reserved names": NAMES,
    "A12 very long names, deep folders": NAMES,
    "A13 a million members": {
        ARCHIVE: ["test_a13_a_million_members"],
        SEVENZIP: ["test_a13_a_million_empty_members"],
    },
    "A14 two descriptions of a member": {ARCHIVE: ["test_a14_a_member_described_in_two_ways"]},
    "A15 members that overlap": {ARCHIVE: ["test_a15_members_that_share_their_bytes"]},
    "A16 far more than declared": {
        ARCHIVE: ["test_a16_a_zip_that_unpacks_to_far_more"],
        SEVENZIP: [
            "test_a16_a_block_that_unpacks_to_far_more",
            "test_a16_more_than_there_is_room_for_is_not_unpacked",
            "test_a16_what_comes_out_stops_at_what_was_declared",
        ],
    },
    "A17 a declared size that is too small": {
        ARCHIVE: ["test_a17_a_size_that_is_smaller_than_the_stream"],
        SEVENZIP: ["test_a17_a_size_that_is_smaller_than_the_stream"],
    },
    "A18 an archive within an archive": {ARCHIVE: ["test_a18_an_archive_within_an_archive_is_never_opened"]},
    "A19 cut off": {ARCHIVE: ["test_a19_a_zip_that_is_cut"], SEVENZIP: ["test_a19_an_archive_that_is_cut"]},
    "A20 something before or after": {
        ARCHIVE: ["test_a20_something_before_or_after_a_zip"],
        SEVENZIP: ["test_a20_something_before_or_after"],
    },
    "A21 manifest and members differ": {
        ARCHIVE: ["test_a21_a_member_that_nobody_listed", "test_a21_a_member_that_is_missing"],
        SEVENZIP: ["test_a21_a_member_that_nobody_listed"],
    },
    "A22 digest, size or count differ": {
        ARCHIVE: ["test_a22_other_bytes_or_another_size", "test_a22_another_count", "test_a22_a_damaged_image"],
        SEVENZIP: ["test_a22_other_bytes"],
    },
    "A23 an unknown method": {
        ARCHIVE: ["test_a23_an_unknown_method"],
        SEVENZIP: ["test_a23_an_unknown_method", "test_a23_methods_that_are_not_read_are_named"],
    },
    "A24 huge counts in a header": {
        SEVENZIP: [
            "test_a24_counts_that_no_file_could_hold",
            "test_a24_a_small_file_with_a_huge_header_is_stopped_by_memory",
            "test_a24_a_header_that_takes_too_long_is_stopped_by_time",
        ]
    },
    "A25 nothing, or a folder": {
        ARCHIVE: ["test_a25_a26_what_is_no_zip", "test_a25_a_folder_that_is_no_archive"],
        SEVENZIP: ["test_a25_a26_what_is_no_7z"],
    },
    "A26 something else by that name": {
        ARCHIVE: ["test_a25_a26_what_is_no_zip"],
        SEVENZIP: ["test_a25_a26_what_is_no_7z"],
    },
    "C01 a key twice": {
        RECORDS: ["test_c01_a_key_that_comes_twice", "test_c01_a_key_that_comes_twice_in_the_manifest"]
    },
    "C02 nested deeply": {RECORDS: ["test_c02_nested_deeply"]},
    "C03 a line without end": {
        RECORDS: ["test_c03_a_line_without_end"],
        TABLES: ["test_bad_input_is_named_with_its_line"],
    },
    "C04 numbers": {
        RECORDS: [
            "test_c04_numbers_that_are_none",
            "test_c04_whole_numbers_are_exact_or_refused",
            "test_c04_the_largest_number_of_stash_is_kept",
            "test_c04_a_number_stash_cannot_hold_is_left_out",
        ]
    },
    "C05 encodings": {
        RECORDS: [
            "test_c05_a_byte_order_mark_is_passed_over",
            "test_c05_other_encodings_are_refused_with_their_place",
        ]
    },
    "C06 odd characters": {
        RECORDS: ["test_c06_odd_characters_are_kept_as_they_are", "test_c06_a_nul_is_left_out_and_told"],
        "test_listing.py": ["test_a_name_cannot_break_the_list"],
    },
    "C07 what nobody knows": {
        RECORDS: [
            "test_c07_what_nobody_knows_is_refused_and_never_dropped",
            "test_c07_a_newer_format_is_another_version",
        ]
    },
    "C08 wrong types": {RECORDS: ["test_c08_wrong_types_are_refused_and_named"]},
    "C09 dates": {RECORDS: ["test_c09_dates_as_exact_as_they_are_known", "test_c09_dates_that_are_none_are_left_out"]},
    "C10 out of range": {
        RECORDS: ["test_c10_numbers_out_of_their_range_are_left_out", "test_c10_the_ends_of_a_range_are_good"]
    },
    "C11 references": {
        RECORDS: [
            "test_c11_references_that_lead_nowhere_are_listed",
            "test_c11_a_circle_of_parents_is_refused",
            "test_c11_a_deep_and_a_wide_hierarchy_are_no_circle",
        ]
    },
    "C12 no name": {RECORDS: ["test_c12_names_of_nothing_are_told", "test_c12_scenes_need_no_title"]},
    "C13 names that differ in case, aliases that are names": {
        "reconcile/test_match.py": [
            "test_tags_that_differ_only_in_case_stay_apart",
            "test_a_name_that_is_an_alias_on_the_other_side",
            "test_performers_of_one_name_are_never_guessed",
        ],
        "reconcile/test_plan.py": ["test_an_alias_that_another_record_keeps_is_left_out_and_told"],
    },
    "C14 images": {
        RECORDS: [
            "test_c14_images_that_are_none_are_left_out",
            "test_c14_images_that_browsers_show_are_kept",
            "test_c14_an_image_is_at_most_32_mib",
        ]
    },
    "C15 many records": {RECORDS: ["test_c15_many_records_in_constant_memory"]},
    "C16 half a last line": {
        RECORDS: ["test_c16_a_half_last_line_is_refused_in_an_archive"],
        "reconcile/test_apply.py": ["test_a_journal_that_is_cut_off_is_read_and_a_damaged_one_is_refused"],
        "test_hook.py": ["test_lines_that_are_cut_damaged_or_newer_are_passed_over"],
    },
    "H01 no room": {
        DISKS: ["test_h01_no_room_at_any_byte_leaves_what_was_there", "test_h01_a_disk_that_is_full"],
        CONTAINER: ["test_a_disk_that_fails_while_writing", "test_a_disk_that_is_really_full"],
        RUNS: ["test_a_run_that_cannot_begin_is_told", "test_a_report_that_cannot_be_written_leaves_the_one_before"],
        BACKUP: ["test_no_room_is_told_before_anything_is_written"],
        SEVENZIP: ["test_a_disk_that_fails_while_it_packs"],
        "test_landing.py": ["test_a_note_that_cannot_be_written_is_told_before_the_rename"],
    },
    "H02 not to be written to": {
        DISKS: ["test_h02_a_disk_that_is_read_only_is_told_first", "test_h02_a_file_in_the_place_of_the_folder"],
        CONTAINER: ["test_a_folder_without_permission", "test_places_that_cannot_be_used"],
    },
    "H03 no fsync": {
        DISKS: ["test_h03_a_disk_that_cannot_sync_is_told", "test_h03_a_disk_that_syncs_is_not_mentioned"],
        CONTAINER: ["test_a_disk_without_sync_is_fine", "test_a_failing_sync_fails_the_output"],
    },
    "H04 kill -9": {
        "test_landing.py": [
            "test_a_run_killed_after_the_rename_has_finished",
            "test_a_run_killed_before_the_rename_was_stopped",
        ],
        CONTAINER: [
            "test_sigkill_leaves_only_a_partial_and_the_next_run_removes_it",
            "test_a_run_that_died_between_two_renames_gives_the_old_output_back",
        ],
        BACKUP: ["test_a_run_that_is_killed_while_it_reads_back_leaves_nothing_that_the_next_does_not_sweep"],
        "reconcile/test_laws.py": [
            "test_a_crash_at_any_write_and_a_second_run_end_alike",
            "test_undo_of_a_run_that_broke_off",
        ],
        "live/test_operations.py": [
            "test_runs_that_are_cancelled_at_any_moment_are_cancelled_or_whole",
            "test_a_run_that_is_killed_when_its_output_has_its_name_is_finished",
        ],
    },
    "H05 two at once": {
        DISKS: [
            "test_h05_a_dead_holder_never_blocks",
            "test_h05_a_lock_file_with_the_number_of_a_living_process_holds_nobody",
        ],
        RUNS: ["test_a_run_is_taken_by_one_only", "test_a_disk_without_locks_goes_on_without"],
        CONTAINER: ["test_the_partial_of_a_living_run_is_left_alone"],
        "test_restore.py": ["test_only_one_writes_at_a_time"],
        "test_jobs.py": ["test_a_process_that_stands_still_with_the_lock_is_cancelled_at_once"],
    },
    "H06 clocks": {
        DISKS: [
            "test_h06_a_clock_that_jumps_spoils_no_backup",
            "test_h06_runs_of_a_clock_that_goes_back_are_all_kept",
        ],
        "reconcile/test_merge.py": ["test_newer_asks_within_the_skew"],
    },
    "H07 within what is read": {
        DISKS: [
            "test_h07_an_output_within_what_is_read_is_refused",
            "test_h07_what_is_read_within_the_output_is_refused",
        ]
    },
    "H08 umask": {
        DISKS: ["test_h08_whatever_the_umask_all_is_its_owners_only"],
        CONTAINER: ["test_only_its_owner_may_read_an_output_whatever_the_umask"],
        RUNS: ["test_only_the_owner_can_read_a_run"],
        "test_hook.py": ["test_only_the_owner_can_read_the_log"],
    },
    "H09 secrets": {
        "test_canary.py": ["test_each_level_lets_out_just_its_classes"],
        "live/test_canary.py": ["test_full_lets_out_what_is_not_secret", "test_json_lines_and_errors_carry_no_key"],
        "libraries/test_connection.py": ["test_no_secret_is_in_a_message_or_log"],
        "test_plugin.py": ["test_a_cookie_shows_in_no_representation"],
        "test_restore.py": ["test_a_plan_holds_no_key_and_remembers_what_was_asked"],
        "test_restore_options.py": ["test_options_come_back_from_a_plan_without_the_key"],
    },
    "H10 locale and names": {
        DISKS: ["test_h10_odd_names_whatever_the_locale", "test_h10_a_name_no_disk_can_hold_is_told"],
        CONTAINER: ["test_odd_names", "test_names_no_disk_can_hold"],
        "live/test_operations.py": ["test_a_stash_in_a_folder_of_odd_letters"],
    },
    "H11 a database in use": {
        DATABASE: ["test_it_stays_at_one_point_in_time_while_stash_writes", "test_nothing_is_written_to_the_file"],
        REFUSALS: ["test_a_database_at_rest_is_watched", "test_a_torn_file_is_unreadable_and_nothing_else"],
        "libraries/test_connection.py": ["test_a_locked_database_is_waited_for"],
        "test_database_copy.py": ["test_it_is_asked_for_with_patience_and_fetched_from_the_address_we_know"],
    },
    "H12 only our own files are touched": {
        CONTAINER: ["test_a_folder_that_holds_anything_not_ours_is_never_replaced"],
        SEVENZIP: ["test_what_a_dead_run_left_is_removed_and_nothing_else"],
        "test_listing.py": ["test_a_folder_lists_its_archives_and_nothing_else"],
    },
}

NOT_YET = {
    "H06 retention never deletes what is dated in the future": LATER,
    "H07 an output within the media folders of a Stash": "a person may want it there; a task may only write to folders"
    " that somebody on the server has allowed",
    "H09 passphrases": "nothing is encrypted yet, so there is none",
    "H12 odd rules of retention": LATER,
}
"""What of a case has no test, and why."""

COUNTS = {"A": 26, "C": 16, "H": 12}


@cache
def found_in(name):
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / name).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_its_tests(case):
    missing = [f"{file}::{test}" for file, tests in CASES[case].items() for test in tests if test not in found_in(file)]
    assert CASES[case]
    assert missing == []


@pytest.mark.parametrize("case", [case for case, tests in CASES.items() if tests is NAMES])
def test_a_test_of_many_names_has_one_for_the_case(case):
    for file in NAMES:
        assert f'"{case[:3]}' in (TESTS / file).read_text("utf-8")


def test_no_case_is_left_out():
    wanted = {f"{letter}{number:02}" for letter, most in COUNTS.items() for number in range(1, most + 1)}
    assert {case[:3] for case in CASES} == wanted
    assert {case[:3] for case in NOT_YET} <= wanted
    assert all(NOT_YET.values())


def test_every_test_that_is_named_for_a_case_is_in_its_row():
    """So that the table tells the whole of what there is for records and disks."""
    listed = {test for tests in CASES.values() for names in tests.values() for test in names}
    named = {test for file in (RECORDS, DISKS) for test in found_in(file) if test[5:6] in "ch" and test[6:8].isdigit()}
    assert named - listed == set()


@pytest.mark.parametrize("shape", ["file", "folder", "zip"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a09_a_link_at_the_destination_is_refused(shape, overwrite, tmp_path):
    """Also one that leads to something of ours, and one in the place of a folder above a member."""
    from stash_portability.errors import OutputNotUsable
    from stash_portability.storage.container import open_output

    target = tmp_path / "target"
    with open_output(target, shape) as output:
        output.write("" if shape == "file" else "manifest.json", b'{"format":"stash-portability tables","members":[]}')
    before = target.read_bytes() if target.is_file() else (target / "manifest.json").read_bytes()
    for name, leads in (("link", target), ("dangling", tmp_path / "nowhere")):
        (tmp_path / name).symlink_to(leads)
        with pytest.raises(OutputNotUsable, match="symbolic link"):
            open_output(tmp_path / name, shape, overwrite)
    assert before == (target.read_bytes() if target.is_file() else (target / "manifest.json").read_bytes())
    assert not (tmp_path / "nowhere").exists()
