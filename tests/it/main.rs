//! Every end-to-end test in one binary, by topic.
//!
//! A test starts its own stack (`tests::Stack`) and ends it, so tests may run in any order and at the same time.

mod approvals {
    mod bots;
    mod gates;
}

mod cli {
    mod operator_commands;
    mod user_commands;
}

mod durability {
    mod drain;
    mod durable_writes;
    mod kills;
    mod resume;
    mod stalled_connection;
    mod workflow_log;
}

mod goals {
    mod analysis;
    mod given_code;
    mod intents;
    mod language_model;
    mod languages;
    mod lifecycle;
    mod output_files;
    mod project;
    mod recipes;
    mod scenarios;
}

mod house {
    mod documentation;
    mod tidy;
}

mod limits {
    mod attempts;
    mod budgets;
    mod fair_share;
    mod job_limits;
    mod timeouts;
}

mod operations {
    mod archive;
    mod cluster;
    mod dead_letters;
    mod load;
    mod metrics;
    mod mixed_versions;
    mod observability;
    #[cfg(feature = "otlp")]
    mod otlp;
    mod probes;
    mod telemetry;
    mod upgrade;
    mod webhooks;
}

mod read_model {
    mod redis_faults;
}

mod security {
    mod broker_permissions;
    mod forgery;
    mod hostile_output;
    mod malformed_bodies;
    mod malformed_messages;
    mod revocations;
}
