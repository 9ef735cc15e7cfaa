//! Conformance suite: the behaviour of every backend, with its real engine, kernel and interpreter.

mod cases;
mod closed_folder;
mod engine;
mod landlock;
mod root_builds;
mod support;
mod without_root;
mod worker;

/// Defines one test per case and backend.
macro_rules! on_every_backend {
    ($($module:ident :: $case:ident,)*) => {
        mod docker {
            $(#[test] fn $case() { crate::on(sandbox::Backend::Docker, crate::cases::$module::$case) })*
        }
        mod bubblewrap {
            $(#[test] fn $case() { crate::on(sandbox::Backend::Bubblewrap, crate::cases::$module::$case) })*

            // Containers of an engine have no such moment.
            #[test]
            fn cancelled_starts_leave_no_process() {
                crate::on(sandbox::Backend::Bubblewrap, crate::cases::cancelled_starts::leave_no_process)
            }
        }
    };
}

/// Defines tests of runtimes that `OPTIONAL_RUNTIMES` names.
macro_rules! on_every_backend_with_optional_runtimes {
    ($($module:ident :: $case:ident,)*) => {
        mod optional_runtimes {
            mod docker {
                $(
                    #[test]
                    #[ignore = "needs roots that are not built by default: make languages"]
                    fn $case() { crate::on(sandbox::Backend::Docker, crate::cases::$module::$case) }
                )*
            }
            mod bubblewrap {
                $(
                    #[test]
                    #[ignore = "needs roots that are not built by default: make languages"]
                    fn $case() { crate::on(sandbox::Backend::Bubblewrap, crate::cases::$module::$case) }
                )*
            }
        }
    };
}

fn on(backend: sandbox::Backend, case: impl AsyncFnOnce(&dyn sandbox::Sandbox)) {
    if let Some(sandbox) = support::shared(backend) {
        support::RUNTIME.block_on(case(&*sandbox));
    }
}

on_every_backend! {
    results::output_and_exit_code_come_back_exactly,
    results::output_is_bytes_and_not_text,
    results::files_of_a_job_import_each_other,
    results::each_test_is_reported,
    results::broken_test_files_are_errors_and_quote_nothing,
    results::a_test_run_that_is_cut_short_is_no_success,
    results::usual_python_works,
    results::a_server_and_its_client_meet_inside,
    results::many_jobs_run_at_once_and_do_not_mix,
    results::health_names_the_walls,
    input::arguments_variables_and_stdin_reach_the_program,
    input::a_large_stdin_is_read_in_full_or_left_unread,
    input::tests_get_variables_and_no_arguments,
    input::input_that_would_be_read_otherwise_is_refused,
    output_files::files_in_the_folder_come_back_exactly,
    output_files::a_test_run_and_a_failed_program_have_files_too,
    output_files::files_beyond_the_limits_are_named,
    output_files::output_arrives_while_the_job_runs,
    output_files::endless_output_that_is_watched_is_bounded,
    python_tests::a_failed_test_says_where_and_shows_what_it_said,
    python_tests::every_subtest_runs_and_is_named,
    python_tests::subtests_that_check_nothing_are_no_success,
    python_tests::marks_apply_to_subtests,
    python_tests::every_failure_has_a_message,
    python_tests::a_file_that_skips_itself_is_skipped_with_its_reason,
    python_tests::a_class_with_a_constructor_is_no_silent_success,
    python_tests::a_test_that_closes_descriptors_keeps_the_results,
    usual_machine::processes_share_memory,
    usual_machine::time_zones_and_the_locale_exist,
    usual_machine::localhost_and_the_own_name_resolve,
    usual_machine::bash_has_the_usual_tools,
    usual_machine::node_knows_its_processors_and_its_user,
    languages::node_runs_scripts,
    languages::node_reports_each_test,
    languages::bash_runs_scripts,
    languages::bash_reports_each_test,
    languages::sql_runs_scripts,
    languages::lua_runs_scripts,
    languages::source_text_runs_as_its_author_meant_it,
    limits::time_runs_out,
    limits::cpu_time_is_counted_over_all_processes,
    limits::output_before_the_kill_is_kept,
    limits::lines_of_threads_stay_whole,
    limits::endless_output_is_cut,
    limits::memory_runs_out,
    limits::a_fork_bomb_is_bounded,
    limits::the_disk_fills,
    limits::too_many_files_fill_it_as_well,
    limits::a_cancel_kills_at_once,
    limits::a_cancel_before_the_start_runs_nothing,
    limits::a_dropped_run_frees_its_place,
    limits::a_shutdown_ends_what_runs,
    limits::background_processes_end_with_the_job,
    walls::there_is_no_network,
    walls::the_host_is_not_readable,
    walls::nothing_but_the_work_directory_is_writable,
    walls::no_other_program_runs,
    walls::dangerous_calls_are_refused,
    walls::the_other_call_table_is_closed,
    walls::a_forged_frame_is_only_output,
    walls::the_runner_cannot_be_reached,
    walls::strict_starts_no_process,
    walls::jobs_do_not_see_each_other,
    walls::a_bad_job_is_refused_with_a_reason,
}

on_every_backend_with_optional_runtimes! {
    optional_languages::each_runs_programs_with_their_input,
    optional_languages::output_before_a_kill_is_kept,
    optional_languages::errors_are_those_of_the_language,
    optional_languages::compiled_programs_are_the_process_of_the_run,
    optional_languages::written_programs_are_executed_in_their_folder_only,
    optional_languages::python_has_libraries_for_data,
}
