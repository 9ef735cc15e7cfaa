//! Every metric family of the product, in one table: the registry, the zero series of a new process and
//! `docs/reference/metrics.md` are made from it.

use super::families_table::FAMILIES;

/// A kind of process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    Api,
    Approver,
    Worker,
}

impl Process {
    /// Returns the name of the program.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Approver => "approver",
            Self::Worker => "worker",
        }
    }
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Counts events.
    Counter,
    /// Sums amounts that are not whole numbers.
    AmountCounter,
    Gauge,
    /// With these upper bounds of its buckets.
    Histogram(&'static [f64]),
}

/// The series that exist before the first event, so that `rate()` includes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Every combination of these values, one list for each label.
    Product(&'static [&'static [&'static str]]),
    /// These combinations.
    Rows(&'static [&'static [&'static str]]),
    /// The process creates them when it knows its settings.
    ByProcess,
}

/// A metric family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub start: Start,
    /// The processes that export it.
    pub processes: &'static [Process],
    pub meaning: &'static str,
}

impl Family {
    /// Returns every family of the product.
    pub fn all() -> &'static [Self] {
        FAMILIES
    }

    /// Returns the type as Prometheus names it.
    pub const fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter | Kind::AmountCounter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }

    /// Returns the unit of the values, by the end of the name.
    pub fn unit(&self) -> &'static str {
        let name = self.name.trim_end_matches("_total");
        let ends = [("_seconds", "seconds"), ("_bytes", "bytes"), ("_ratio", "ratio"), ("_cost", "cost")];
        ends.into_iter().find(|(end, _)| name.ends_with(end)).map_or("count", |(_, unit)| unit)
    }

    /// Returns the label values of every series that exists from the start.
    pub fn first_series(&self) -> Vec<Vec<&'static str>> {
        match self.start {
            Start::ByProcess => Vec::new(),
            Start::Rows(rows) => rows.iter().map(|row| row.to_vec()).collect(),
            Start::Product(values) => values.iter().fold(vec![Vec::new()], |rows, values| {
                let extend = |row: &Vec<&'static str>| {
                    values.iter().map(|value| row.iter().chain([value]).copied().collect()).collect::<Vec<Vec<_>>>()
                };
                rows.iter().flat_map(extend).collect()
            }),
        }
    }
}

/// Returns `value` if it is among `known`, else `other`: text of a message must not create series without limit.
pub fn bounded(value: &str, known: &[&'static str]) -> &'static str {
    known.iter().find(|known| **known == value).copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_labels_follow_the_conventions() {
        let mut names = BTreeSet::new();
        for family in Family::all() {
            let name = family.name;
            assert!(names.insert(name), "{name} is in the table twice");
            assert!(name.starts_with("promptcraft_"), "{name}");
            assert!(family.meaning.ends_with('.') && !family.processes.is_empty(), "{name}");
            assert_eq!(family.type_name() == "counter", name.ends_with("_total"), "{name}");
            if let Kind::Histogram(buckets) = family.kind {
                assert!(name.ends_with("_seconds") && buckets.is_sorted(), "{name}");
            }
            for label in family.labels {
                assert!(!["le", "quantile", "job", "instance"].contains(label), "{name} has the label {label}");
            }
            for row in family.first_series() {
                assert_eq!(row.len(), family.labels.len(), "{name} starts with {row:?}");
            }
        }
    }

    #[test]
    fn text_of_messages_is_bounded() {
        assert_eq!(bounded("python", &["bash", "python"]), "python");
        assert_eq!(bounded("python; drop", &["bash", "python"]), "other");
    }
}
