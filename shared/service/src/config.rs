//! Settings: a TOML file, overridden by the environment; all errors are reported at once.
//!
//! A setting has a dotted name, e.g. `api.listen`. The file named by `PROMPTCRAFT_CONFIG` holds it as
//! `[api] listen = ".."`; the environment overrides it as `PROMPTCRAFT__API__LISTEN`. [`SETTINGS`] lists them all; a
//! name that is not in the list is an error, so that a typing mistake is never ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use domain::identity::Secret;
use domain::nearest::nearest_names;

mod budget;
mod reference;
mod table;
pub use budget::Budget;
pub use reference::reference;
pub use table::{REMOVED_SETTINGS, RENAMED_SETTINGS, SETTINGS, Setting, SettingDefault};

/// All mistakes in the settings, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings have {} mistake(s):\n  {}", .0.len(), .0.join("\n  "))]
pub struct ConfigErrors(pub Vec<String>);

/// The level of safety checks at startup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Users, keys and addresses of the demo stack are accepted.
    Demo,
    /// No demo credentials; safety checks are relaxed.
    Development,
    /// A demo user, a demo key, an unsynced broker or an unnamed sandbox prevents the start.
    Production,
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "demo" => Ok(Self::Demo),
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            _ => Err("a profile is demo, development or production".to_owned()),
        }
    }
}

/// A duration as text: a whole number with a unit of `ms`, `s`, `m`, `h` or `d`, e.g. `500ms` or `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let bad = || "a duration is a whole number with ms, s, m, h or d, e.g. 30s".to_owned();
        let count: u64 = digits.parse().map_err(|_| bad())?;
        let millis = match &text[digits.len()..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        count.checked_mul(millis).map(|millis| Self(Duration::from_millis(millis))).ok_or_else(bad)
    }
}

/// Reads settings one by one and collects every mistake until [`Settings::finish`].
#[derive(Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl Settings {
    /// Reads the file that `PROMPTCRAFT_CONFIG` names, if any, then the environment.
    pub fn from_environment() -> Self {
        let file = std::env::vars().find(|(name, _)| name == "PROMPTCRAFT_CONFIG").map(|(_, path)| PathBuf::from(path));
        let mut settings = Self::default();
        if let Some(path) = file {
            match std::fs::read_to_string(&path) {
                Ok(text) => settings.add_toml(&text),
                Err(error) => settings.mistakes.push(format!("PROMPTCRAFT_CONFIG={}: {error}", path.display())),
            }
        }
        settings.add_environment(std::env::vars());
        settings
    }

    /// Builds settings from explicit pairs, for tests and the embedded stack.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut settings = Self::default();
        for (name, value) in pairs {
            settings.put(name.to_owned(), value.to_owned());
        }
        settings
    }

    fn add_toml(&mut self, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.flatten("", &toml::Value::Table(table)),
            Err(error) => self.mistakes.push(format!("the settings file is not TOML: {}", error.message())),
        }
    }

    fn flatten(&mut self, name: &str, value: &toml::Value) {
        match value {
            toml::Value::Table(table) => {
                for (key, inner) in table {
                    let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    self.flatten(&full, inner);
                }
            }
            toml::Value::Array(items) => {
                let texts: Vec<String> = items.iter().map(plain).collect();
                self.put(name.to_owned(), texts.join(","));
            }
            toml::Value::String(_)
            | toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_) => self.put(name.to_owned(), plain(value)),
        }
    }

    fn add_environment(&mut self, variables: impl Iterator<Item = (String, String)>) {
        for (name, value) in variables {
            if let Some(rest) = name.strip_prefix("PROMPTCRAFT__") {
                self.put(rest.to_ascii_lowercase().replace("__", "."), value);
            }
        }
    }

    fn put(&mut self, name: String, value: String) {
        if table::find(&name).is_some() {
            self.values.insert(name, value);
        } else if let Some((_, new)) = RENAMED_SETTINGS.iter().find(|(old, _)| *old == name) {
            self.mistakes.push(format!("{name}: was renamed to {new}; set that name instead"));
        } else if REMOVED_SETTINGS.contains(&name.as_str()) {
            self.mistakes.push(format!("{name}: was removed; leave it out"));
        } else {
            let near = nearest(&name);
            self.mistakes.push(format!("{name}: unknown setting{near}"));
        }
    }

    /// Returns the setting's value, or its default from the table if it is not set or not readable; the latter is reported.
    ///
    /// # Panics
    /// If the table has no default for the setting or one of another type, in any use of it.
    pub fn read<T: FromStr>(&mut self, name: &'static str) -> T
    where
        T::Err: Display,
    {
        let default = default_of(name).parse().ok();
        let default = default.unwrap_or_else(|| panic!("the default of {name} in the table is of another type"));
        self.optional(name).unwrap_or(default)
    }

    /// Returns the setting's value, or `default` if it is not set or not readable; for defaults that are computed.
    pub fn read_or<T: FromStr>(&mut self, name: &'static str, default: T) -> T
    where
        T::Err: Display,
    {
        self.optional(name).unwrap_or(default)
    }

    /// Returns the setting's value, if it is set.
    pub fn optional<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: Display,
    {
        debug_assert!(table::find(name).is_some(), "{name} is not in the table");
        let text = self.values.get(name)?;
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistakes.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Returns the setting's value; an unset one is a mistake.
    pub fn required(&mut self, name: &'static str) -> String {
        let value = self.optional::<String>(name).unwrap_or_default();
        if value.is_empty() {
            self.miss(name);
        }
        value
    }

    fn miss(&mut self, name: &str) {
        let meaning = table::find(name).map_or("", |setting| setting.meaning);
        self.mistakes.push(format!("{name}: must be set ({meaning})"));
    }

    /// Returns a secret: the setting itself, or the content of the file that `<name>_file` names.
    pub fn secret(&mut self, name: &'static str, file_name: &'static str) -> Option<Secret> {
        if let Some(path) = self.optional::<String>(file_name) {
            return match std::fs::read_to_string(&path) {
                Ok(text) => Some(Secret::new(text.trim())),
                Err(error) => {
                    self.mistakes.push(format!("{file_name}: cannot read the file: {error}"));
                    None
                }
            };
        }
        self.optional::<String>(name).map(Secret::new)
    }

    /// Returns a secret that must be set; empty if it is missing, which is recorded as a mistake.
    pub fn required_secret(&mut self, name: &'static str, file_name: &'static str) -> Secret {
        let had = self.mistakes.len();
        let secret = self.secret(name, file_name);
        // An unreadable file is one mistake, not two.
        if secret.is_none() && self.mistakes.len() == had {
            self.miss(name);
        }
        secret.unwrap_or(Secret::new(""))
    }

    /// Returns a list of words divided by commas, or that of the table.
    pub fn list(&mut self, name: &'static str) -> Vec<String> {
        words(&self.optional::<String>(name).unwrap_or_else(|| default_of(name).to_owned()))
    }

    /// Returns a list of words divided by commas, or `default`.
    pub fn list_or(&mut self, name: &'static str, default: Vec<String>) -> Vec<String> {
        self.optional::<String>(name).map_or(default, |text| words(&text))
    }

    /// Returns a duration, or that of the table.
    pub fn span(&mut self, name: &'static str) -> Duration {
        self.read::<HumanDuration>(name).0
    }

    /// Records a mistake that only the caller can detect, e.g. two settings that contradict each other.
    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    /// Reports all mistakes at once.
    pub fn finish(self) -> Result<(), ConfigErrors> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let unique: BTreeSet<String> = self.mistakes.into_iter().collect();
        Err(ConfigErrors(unique.into_iter().collect()))
    }
}

fn default_of(name: &str) -> &'static str {
    match table::find(name).map(|setting| setting.default) {
        Some(SettingDefault::Value(text)) => text,
        other => panic!("{name} has no default in the table but {other:?}"),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn nearest(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_near =
        |known: &str| known.rsplit('.').next() == Some(last) || known.replace('_', "") == name.replace('_', "");
    let near = SETTINGS.iter().map(|setting| setting.name).find(|known| is_near(known));
    let near = near.or_else(|| nearest_names(name, SETTINGS.iter().map(|setting| setting.name)).first().copied());
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_covers_the_file() {
        let mut settings = Settings::default();
        settings.add_toml("[api]\nlisten = \"127.0.0.1:1\"\n[worker]\nphases = [\"plan\", \"generate\"]\n");
        settings.add_environment([("PROMPTCRAFT__API__LISTEN".to_owned(), "127.0.0.1:2".to_owned())].into_iter());
        assert_eq!(settings.required("api.listen"), "127.0.0.1:2");
        assert_eq!(settings.list("worker.phases"), ["plan", "generate"]);
        settings.finish().unwrap();
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let mut settings =
            Settings::from_pairs([("api.lisetn", "x"), ("api.workers", "many"), ("approval.expiry", "3 weeks")]);
        assert_eq!(settings.read_or("api.workers", 2_u32), 2);
        settings.span("approval.expiry");
        settings.required("nats.url");
        let ConfigErrors(mistakes) = settings.finish().unwrap_err();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes.iter().any(|m| m.starts_with("nats.url: must be set")));
    }

    #[test]
    fn a_renamed_setting_is_a_mistake_that_names_the_new_one() {
        for (old, new) in RENAMED_SETTINGS {
            let is_known = |name: &str| table::find(name).is_some();
            assert!(is_known(new) && !is_known(old), "{old} -> {new}");
            let ConfigErrors(mistakes) = Settings::from_pairs([(*old, "1s")]).finish().unwrap_err();
            assert_eq!(mistakes, [format!("{old}: was renamed to {new}; set that name instead")]);
        }
        let mut settings = Settings::default();
        settings.add_environment([("PROMPTCRAFT__AUTH__OUT_OF_TOUCH".to_owned(), "5s".to_owned())].into_iter());
        let error = settings.finish().unwrap_err().to_string();
        assert!(error.contains("auth.out_of_touch: was renamed to auth.max_revocation_staleness"), "{error}");
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!("24h".parse::<HumanDuration>(), Ok(HumanDuration(Duration::from_secs(86_400))));
        assert_eq!("250ms".parse::<HumanDuration>(), Ok(HumanDuration(Duration::from_millis(250))));
        for bad in ["", "5", "h", "-1s", "1w", "99999999999999999999s", "18446744073709551615d"] {
            assert!(bad.parse::<HumanDuration>().is_err(), "{bad}");
        }
    }
}
