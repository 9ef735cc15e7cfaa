//! The reference of settings for operators, `docs/reference/settings.md`.

use super::table::{SETTINGS, Setting, SettingDefault};

const HEAD: &str = "# Settings

A TOML file named by `PROMPTCRAFT_CONFIG` holds the setting `api.listen` as `[api] listen = \"127.0.0.1:8000\"`; the environment
overrides it as `PROMPTCRAFT__API__LISTEN`. An unknown name, an old name and an unreadable value stop the start; all mistakes are
reported at once. A duration is a whole number with `ms`, `s`, `m`, `h` or `d`; a rate is `burst/refill per minute`; a list is divided by commas.

An empty default means that the setting is optional. \"required\" means the setting or its `_file`: `webhook.signing_key` for the approver only,
`redis.url` for all services. A risk is `low`, `medium`, `high` or `critical`.

This page is made from `shared/service/src/config/table.rs`.
";

/// Returns the page in Markdown, a table for each group of settings.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let mut group = "";
    for setting in SETTINGS {
        let this = setting.name.split_once('.').map_or("process", |(group, _)| group);
        if this != group {
            group = this;
            page.push_str(&format!("\n## {group}\n\n| setting | type | default | meaning |\n|---|---|---|---|\n"));
        }
        page.push_str(&row(setting));
    }
    page
}

fn row(setting: &Setting) -> String {
    let default = match setting.default {
        SettingDefault::Value("") => "empty".to_owned(),
        SettingDefault::Value(text) => format!("`{text}`"),
        SettingDefault::Computed(text) => text.to_owned(),
        SettingDefault::Unset => String::new(),
        SettingDefault::Required => "required".to_owned(),
    };
    format!("| `{}` | {} | {default} | {} |\n", setting.name, setting.kind, setting.meaning.replace('|', "\\|"))
}
