//! Stack growth for recursive functions.

/// Remaining stack below which recursion continues on a new segment, in bytes.
const RED_ZONE: usize = 192 * 1024;
/// Size of a new segment, in bytes.
const SEGMENT: usize = 4 * 1024 * 1024;
/// Minimum stack of an analysis, in bytes.
const MIN_STACK: usize = 1024 * 1024;

/// Runs one level of a recursion, on a new stack segment if the current one is nearly used up.
pub(crate) fn grow<R>(level: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, SEGMENT, level)
}

/// Runs an analysis with at least `MIN_STACK` bytes of stack.
pub(crate) fn reserve<R>(analysis: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(MIN_STACK, SEGMENT, analysis)
}
