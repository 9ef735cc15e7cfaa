//! The role of an exported span, for builds with and without the export.

/// The role of a span in its trace.
#[derive(Debug, Clone, Copy)]
pub enum SpanKind {
    /// Answers a request whose sender waits.
    Server,
    /// Handles a message of a queue.
    Consumer,
    /// Appends a message to the log.
    Producer,
}
