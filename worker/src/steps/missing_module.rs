//! The hint for a Python program that imports a module which its runtime does not have.

use sandbox::JobResult;

const ERROR: &str = "ModuleNotFoundError: No module named '";

/// Appends the hint to the tests that failed by a missing module, and returns it if the program itself did.
///
/// `offered` are the runtimes of this installation.
pub(super) fn add_hint(result: &mut JobResult, runtime: &str, offered: &[String]) -> Option<String> {
    for test in result.tests.iter_mut().flatten() {
        let Some(message) = &mut test.message else { continue };
        if let Some(hint) = missing_in(message).and_then(|module| hint(module, runtime, offered)) {
            message.push_str("; ");
            message.push_str(&hint);
        }
    }
    if result.exit_code == Some(0) {
        return None;
    }
    let stderr = String::from_utf8_lossy(&result.stderr);
    missing_in(&stderr).and_then(|module| hint(module, runtime, offered))
}

/// Returns the top-level module that the last error of a text misses; `None` for a part of a module that is there.
fn missing_in(text: &str) -> Option<&str> {
    let (_, rest) = text.rsplit_once(ERROR)?;
    let name = rest.split_once('\'')?.0;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then_some(name)
}

fn hint(module: &str, runtime: &str, offered: &[String]) -> Option<String> {
    let language = sandbox::language_of(runtime);
    (language == "python").then_some(())?;
    let mut others = sandbox::languages().filter(|it| it.variant_of == Some(language) && it.name != runtime);
    let Some(other) = others.find(|it| it.modules.iter().any(|known| known == module)) else {
        // The packages of the distribution do not fit the libraries of a variant.
        let list = if runtime == language { "extra-packages" } else { "libraries.txt" };
        return Some(format!(
            "the runtime {runtime} has no module {module}, and nothing is installed while code runs: supply it as a \
             file, or an operator adds its package to sandbox/runtimes/{runtime}/{list}"
        ));
    };
    let name = other.name;
    if offered.iter().any(|it| it == name) {
        return Some(format!("the runtime {name} has the module {module}: name it as `language`"));
    }
    Some(format!(
        "the runtime {name} has the module {module}; an operator can add it: sandbox/build-root.sh DATA/sandbox \
         {name}, then name it in sandbox.runtimes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_missing_module_is_found() {
        for (text, expected) in [
            ("Traceback\nModuleNotFoundError: No module named 'pandas'\n", Some("pandas")),
            ("ModuleNotFoundError: No module named 'a'\n...\nModuleNotFoundError: No module named 'b.c'", None),
            ("ModuleNotFoundError: No module named 'a; rm'", None),
            ("ModuleNotFoundError: No module named 'a", None),
            ("NameError: name 'pandas' is not defined", None),
        ] {
            assert_eq!(missing_in(text), expected, "{text}");
        }
    }

    #[test]
    fn the_hint_names_the_runtime_that_has_the_module() {
        let both = ["python".to_owned(), "python-data".to_owned()];
        let hint = |module, runtime, offered: &[String]| hint(module, runtime, offered).unwrap_or_default();
        assert!(hint("pandas", "python", &both).contains("python-data has the module pandas: name it as `language`"));
        assert!(hint("pandas", "python", &both[..1]).contains("build-root.sh DATA/sandbox python-data"));
        for list in ["python/extra-packages", "python-data/libraries.txt"] {
            let text = hint("sklearn", list.split('/').next().unwrap_or_default(), &both);
            assert!(text.ends_with(&format!("sandbox/runtimes/{list}")), "{text}");
        }
        assert_eq!(hint("pandas", "node", &both), "");
    }
}
