//! Common words of goals, from `words/vocabulary.txt`.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::tokenize::stem;

mod lists {
    include!(concat!(env!("OUT_DIR"), "/words/vocabulary.rs"));
}
pub(crate) use lists::ENDERS;

/// Words as they are written.
type Words = LazyLock<HashSet<&'static str>>;
/// Words in all their forms.
type Stems = LazyLock<HashSet<String>>;

fn stems_of(list: &[&str]) -> HashSet<String> {
    list.iter().map(|word| stem(word)).collect()
}

pub(crate) static STOP: Stems = LazyLock::new(|| stems_of(lists::STOP));
pub(crate) static FILLER: Stems = LazyLock::new(|| stems_of(lists::FILLER));
pub(crate) static BLOCKERS: Stems = LazyLock::new(|| stems_of(lists::BLOCKERS));
pub(crate) static AUDIENCES: Words = LazyLock::new(|| lists::AUDIENCES.iter().copied().collect());
pub(crate) static AUDIENCE_MODIFIERS: Words = LazyLock::new(|| lists::AUDIENCE_MODIFIERS.iter().copied().collect());
