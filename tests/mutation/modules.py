"""Which modules are tried, and the fast tests that hold each."""

from __future__ import annotations

_ACCESS = "tests/receiver/access"

#: Module -> tests, the nearest first.
HELD_BY: dict[str, tuple[str, ...]] = {
    "shared/jpeg.py": ("tests/shared/test_jpeg.py", "tests/receiver/test_formats.py"),
    "receiver/formats.py": ("tests/receiver/test_formats.py",),
    "shared/redact.py": ("tests/shared/test_redact.py",),
    "sender/books.py": ("tests/sender/test_books.py",),
    "receiver/books.py": ("tests/receiver/test_books.py",),
    "receiver/order.py": ("tests/receiver/test_order.py", "tests/receiver/test_hub.py"),
    "receiver/pending.py": ("tests/receiver/test_pending.py", "tests/receiver/test_hub.py"),
    "receiver/camera.py": ("tests/receiver/test_camera.py", "tests/receiver/test_hub.py"),
    "shared/retry_after.py": ("tests/shared/test_retry_after.py",),
    "sender/turn.py": ("tests/sender/test_turn.py",),
    "sender/spool/cursor.py": ("tests/sender/spool/test_cursor.py",),
    "sender/spool/delivery.py": ("tests/sender/spool/test_delivery.py",),
    "sender/spool/pen.py": ("tests/sender/spool/test_pen.py",),
    "sender/spool/poster.py": ("tests/sender/spool/test_poster.py",),
    "sender/spool/queue.py": ("tests/sender/spool/test_queue.py",),
    "sender/spool/record.py": ("tests/sender/spool/test_record.py",),
    "sender/spool/recovery.py": ("tests/sender/spool/test_recovery.py",),
    "sender/spool/segment.py": tuple(
        f"tests/sender/spool/test_segment.py::test_{name}"
        for name in (
            "records_come_back_in_order",
            "only_the_records_that_are_asked_for_come",
            "damage_costs_only_the_records_that_it_hits",
            "of_a_torn_file_the_whole_records_are_left",
            "a_record_is_found_wherever_the_looks_for_it_meet",
            "what_looks_like_a_beginning_hides_no_record",
            "a_read_that_comes_in_parts_is_put_together",
            "what_was_sound_is_known_up_to_the_last_record_of_which_nothing_else_was_seen",
            "a_write_that_fails_half_way_leaves_nothing",
            "what_the_disk_refuses_is_what_is_said_whatever_else_it_refuses",
            "only_the_owner_may_read_it",
            "a_new_file_takes_the_place_of_an_old_one_and_follows_no_link",
            "other_programs_inherit_no_file",
            "the_disk_is_asked_to_keep_what_it_was_not_asked_for_before",
            "the_disk_is_asked_to_keep_the_names_of_a_folder",
            "a_file_that_is_removed_is_empty_for_who_reads_it",
            "other_files_are_no_segments",
        )
    ),
    "sender/spool/spool.py": ("tests/sender/spool/test_spool.py",),
    "sender/spool/stored.py": ("tests/sender/spool/test_stored.py",),
    "sender/spool/spooler.py": ("tests/sender/spool/test_spooler.py",),
    "shared/access/authorization.py": ("tests/shared/access/test_bearers.py",),
    "shared/access/bearers.py": ("tests/shared/access/test_bearers.py",),
    "receiver/access/dismissal.py": (f"{_ACCESS}/test_gate.py",),
    "receiver/access/gate.py": (f"{_ACCESS}/test_gate.py",),
    "shared/access/grant.py": ("tests/shared/access/test_tokens.py", f"{_ACCESS}/test_gate.py"),
    "shared/access/guesses.py": ("tests/shared/access/test_guesses.py",),
    "shared/access/hosts.py": (
        f"{_ACCESS}/test_hosts.py::test_names_of_its_own_are_answered",
        f"{_ACCESS}/test_hosts.py::test_names_that_anybody_may_have_are_not",
        f"{_ACCESS}/test_hosts.py::test_who_names_this_receiver_is_let_in_every_time",
        f"{_ACCESS}/test_hosts.py::test_who_does_not_is_told_and_goes_no_further",
        f"{_ACCESS}/test_hosts.py::test_with_a_token_any_name_will_do",
        f"{_ACCESS}/test_hosts.py::test_what_it_remembers_is_bounded",
    ),
    "receiver/access/limits.py": (f"{_ACCESS}/test_limits.py",),
    "receiver/access/needs.py": (
        f"{_ACCESS}/test_gate.py",
        # The others ask every route for every kind of stranger.
        f"{_ACCESS}/test_routes.py::test_a_token_opens_what_its_role_is_for",
        f"{_ACCESS}/test_routes.py::test_whose_frames_come_is_read_as_the_application_reads_it",
        f"{_ACCESS}/test_routes.py::test_pictures_at_the_page_s_address_are_for_view",
        f"{_ACCESS}/test_routes.py::test_other_methods_need_what_the_route_needs",
        f"{_ACCESS}/test_routes.py::test_of_the_paths_that_strangers_make_up_few_are_remembered"
        "_and_no_long_ones",
        f"{_ACCESS}/test_routes.py::test_a_camera_is_read_from_a_path_or_a_query_as_it_is_spelt",
        f"{_ACCESS}/test_routes.py::test_a_route_that_nobody_thought_of_is_for_admin",
    ),
    "shared/access/network.py": ("tests/shared/access/test_bearers.py",),
    "receiver/access/proxies.py": (f"{_ACCESS}/test_proxies.py",),
    "receiver/access/rate.py": (
        f"{_ACCESS}/test_rate.py",
        f"{_ACCESS}/test_limits.py::test_who_is_refused_is_told_when_to_come_again",
    ),
    "shared/access/refusal.py": (
        f"{_ACCESS}/test_gate.py",
        f"{_ACCESS}/test_hosts.py::test_who_does_not_is_told_and_goes_no_further",
    ),
    "shared/access/refusals.py": ("tests/shared/access/test_refusals.py",),
    "receiver/access/revocable.py": (f"{_ACCESS}/test_gate.py",),
    "receiver/access/token_file.py": (f"{_ACCESS}/test_token_file.py",),
    "shared/access/tokens.py": ("tests/shared/access/test_tokens.py",),
}
