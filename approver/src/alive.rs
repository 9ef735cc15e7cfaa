//! Transitions that this process has handled and that ended nothing.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// So many are remembered at least, and twice as many at most.
const REMEMBERED: usize = 20_000;

/// Places in the log of which it is known that no end stands there.
#[derive(Debug, Default)]
pub(crate) struct Alive(Mutex<[HashSet<u64>; 2]>);

impl Alive {
    /// Notes that what stands at `sequence` is no end.
    pub(crate) fn note(&self, sequence: u64) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations[0].len() >= REMEMBERED {
            generations.swap(0, 1);
            generations[0].clear();
        }
        generations[0].insert(sequence);
    }

    /// Whether it is known that what stands at `sequence` is no end.
    pub(crate) fn has(&self, sequence: u64) -> bool {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.iter().any(|generation| generation.contains(&sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_memory_is_bounded() {
        let alive = Alive::default();
        for sequence in 0..100_000 {
            alive.note(sequence);
        }
        assert!(!alive.has(0) && !alive.has(100_000));
        assert!((80_000..100_000).all(|sequence| alive.has(sequence)));
        assert!(alive.0.lock().unwrap().iter().map(HashSet::len).sum::<usize>() <= 2 * REMEMBERED);
    }
}
