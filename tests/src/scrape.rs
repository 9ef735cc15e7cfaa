//! Scrapes of Prometheus metrics.

use std::collections::{BTreeMap, BTreeSet};

use crate::Stack;

/// The series of one scrape.
#[derive(Debug, Clone, Default)]
pub struct Scrape {
    /// The text as the process sent it.
    pub text: String,
    series: Vec<Series>,
}

#[derive(Debug, Clone)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    /// Scrapes the process whose address is in the stack's manifest.
    ///
    /// # Panics
    ///
    /// If the process does not answer.
    pub async fn of(stack: &Stack, pointer: &str) -> Self {
        let url = format!("{}/metrics", stack.text(pointer));
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(Series::read).collect();
        Self { text, series }
    }

    /// Returns the sum of the series of `name` that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &&Series| {
            series.name == name
                && labels.iter().all(|(label, value)| series.labels.get(*label).map(String::as_str) == Some(value))
        };
        self.series.iter().filter(has).map(|series| series.value).sum()
    }

    /// Returns every family with its labels, `le` aside, from its `# TYPE` line and its series.
    pub fn families(&self) -> BTreeMap<String, BTreeSet<String>> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let mut families = BTreeMap::new();
        for (name, kind) in types.filter_map(|line| line.split_once(' ')) {
            let one = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
            let of_family = self.series.iter().filter(|series| series.name == one);
            let labels = of_family.flat_map(|series| series.labels.keys().cloned()).collect();
            families.insert(name.to_owned(), labels);
        }
        families
    }

    /// Returns the values of a label in the series of a name.
    pub fn values(&self, name: &str, label: &str) -> BTreeSet<String> {
        let of_name = self.series.iter().filter(|series| series.name == name);
        of_name.filter_map(|series| series.labels.get(label).cloned()).collect()
    }
}

impl Series {
    fn read(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once("=\""));
        let labels = pairs.map(|(label, value)| (label.to_owned(), value.trim_end_matches('"').to_owned())).collect();
        Some(Self { name: name.to_owned(), labels, value: value.parse().ok()? })
    }
}
