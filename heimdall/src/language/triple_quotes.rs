//! Tracks triple-quoted strings.

/// State of triple-quoted strings. Their content is no evidence of a language.
#[derive(Default)]
pub(super) struct TripleQuotes {
    open: Option<&'static str>,
}

impl TripleQuotes {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn read(&mut self, line: &str) {
        let mut rest = line;
        loop {
            let found = match self.open {
                Some(mark) => rest.find(mark).map(|at| (at, mark)),
                None => ["\"\"\"", "'''"].into_iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min(),
            };
            let Some((at, mark)) = found else { return };
            self.open = if self.is_open() { None } else { Some(mark) };
            rest = &rest[at + mark.len()..];
        }
    }
}
