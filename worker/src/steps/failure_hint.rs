//! Hints for programs that fail by what their sandbox does not have or do: a module, a shell, the folder of output files,
//! the execution of written files, or another language than plain JavaScript.

use std::borrow::Cow;

use generator::Dialect;
use sandbox::{JobResult, WORK_DIR};

const NO_MODULE: &str = "ModuleNotFoundError: No module named '";
/// Errors of Node.js about packages, of CommonJS and of ES modules.
const NO_PACKAGE: [&str; 2] = ["Cannot find module '", "Cannot find package '"];
const SYNTAX_ERROR: &str = "SyntaxError: ";
const NO_SHELL: [&str; 2] = ["No such file or directory: '/bin/sh'", "spawn /bin/sh ENOENT"];
const NO_OUTPUTS_FOLDER: [&str; 4] = [
    "No such file or directory: 'outputs/",
    "No such file or directory: './outputs/",
    "no such file or directory, open 'outputs/",
    "no such file or directory, open './outputs/",
];

/// Facts on which a hint depends, beside the text of an error.
pub(super) struct HintContext<'s, F> {
    pub(super) runtime: &'s str,
    /// Returns whether the installation has a runtime.
    pub(super) is_offered: F,
    /// The dialect in a file of JavaScript, if there is one.
    pub(super) dialect: Option<Dialect>,
}

/// Returns the path that Node.js reports beside the syntax error of a program or test; `None` without such an error.
pub(super) fn path_with_syntax_error(result: &JobResult, runtime: &str) -> Option<String> {
    if !matches!(sandbox::language_of(runtime), "node" | "typescript") || result.exit_code == Some(0) {
        return None;
    }
    let messages = result.tests.iter().flatten().filter_map(|test| test.message.as_deref().map(Cow::Borrowed));
    let mut texts = messages.chain([String::from_utf8_lossy(&result.stderr)]);
    texts.find_map(|text| reported_path(&text).map(str::to_owned))
}

/// Returns the path of a line such as `/folder/main.js:3` before a syntax error. One in data, as of `JSON.parse`, has none.
fn reported_path(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(SYNTAX_ERROR)?;
    before.lines().find_map(|line| {
        let line = line.trim();
        let (path, number) = line.strip_prefix("file://").unwrap_or(line).rsplit_once(':')?;
        (path.starts_with('/') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(path)
    })
}

/// Appends the hint to the tests that failed by it, and returns it if the program itself did.
pub(super) fn add_hint(result: &mut JobResult, setting: &HintContext<'_, impl Fn(&str) -> bool>) -> Option<String> {
    for test in result.tests.iter_mut().flatten() {
        let Some(message) = &mut test.message else { continue };
        if let Some(hint) = hint(message, setting) {
            message.push_str("; ");
            message.push_str(&hint);
        }
    }
    if result.exit_code == Some(0) {
        return None;
    }
    hint(&String::from_utf8_lossy(&result.stderr), setting)
}

fn hint(text: &str, setting: &HintContext<'_, impl Fn(&str) -> bool>) -> Option<String> {
    let HintContext { runtime, is_offered, dialect } = setting;
    let shows = |errors: &[&str]| errors.iter().any(|error| text.contains(error));
    let language = sandbox::language_of(runtime);
    if language == "python"
        && let Some(module) = missing_in(text)
    {
        Some(module_hint(module, runtime, is_offered))
    } else if let Some(package) = missing_package(text) {
        Some(format!(
            "the runtime {runtime} has only Node's own modules, and nothing is installed while code runs: supply \
             {package} as a file"
        ))
    } else if let Some(dialect) = dialect.filter(|_| text.contains(SYNTAX_ERROR)) {
        Some(dialect_hint(dialect, is_offered))
    } else if language == "bash" && executes_file(text) {
        Some(
            "files that were sent or written are not executed: run a script by its interpreter, as in bash FILE"
                .to_owned(),
        )
    } else if shows(&NO_SHELL) {
        Some(format!("the runtime {runtime} has no shell and no other programs"))
    } else if shows(&NO_OUTPUTS_FOLDER) {
        Some("the folder outputs is not there at the start: create it before a file in it".to_owned())
    } else {
        None
    }
}

/// Returns whether Bash names a file of the job that could not be executed. Every file system that a job in Bash can write
/// to is mounted `noexec`, at every level.
fn executes_file(text: &str) -> bool {
    let refused = |line: &str| {
        let (_, rest) = line.strip_suffix(": Permission denied")?.split_once(": line ")?;
        let (number, path) = rest.split_once(": ")?;
        // Other absolute paths are those of files that cannot be read or written, and so are those of builtins.
        let is_own = match path.strip_prefix(WORK_DIR) {
            Some(rest) => rest.starts_with('/'),
            None => path.contains('/') && !path.starts_with('/'),
        };
        let is_own = is_own && !path.contains(": ") && path.split('/').all(|part| part != "..");
        Some(is_own && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.lines().any(|line| refused(line).unwrap_or_default())
}

fn dialect_hint(dialect: Dialect, is_offered: impl Fn(&str) -> bool) -> String {
    match dialect {
        Dialect::Jsx => "the code looks like JSX, which no runtime executes: compile it to JavaScript first".to_owned(),
        Dialect::TypeScript if is_offered("typescript") => "the code looks like TypeScript: end the name of its file in \
            .ts, and name the runtime typescript as `language`"
            .to_owned(),
        Dialect::TypeScript => "the code looks like TypeScript, whose runtime is not offered here: compile it to \
            JavaScript first, or an operator adds the runtime: sandbox/build-root.sh DATA/sandbox typescript, then name \
            it in sandbox.runtimes"
            .to_owned(),
    }
}

/// Returns the package that the last such error of a text misses; `None` for a file, which the caller names by a path.
fn missing_package(text: &str) -> Option<&str> {
    let (_, rest) = NO_PACKAGE.iter().find_map(|error| text.rsplit_once(error))?;
    let name = rest.split_once('\'')?.0;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '/' | '-' | '_' | '.');
    (!name.is_empty() && !name.starts_with(['.', '/']) && name.chars().all(is_name)).then_some(name)
}

/// Returns the top-level module that the last error of a text misses; `None` for a part of a module that is there.
fn missing_in(text: &str) -> Option<&str> {
    let (_, rest) = text.rsplit_once(NO_MODULE)?;
    let name = rest.split_once('\'')?.0;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then_some(name)
}

fn module_hint(module: &str, runtime: &str, is_offered: impl Fn(&str) -> bool) -> String {
    let language = sandbox::language_of(runtime);
    let mut others = sandbox::languages().filter(|it| it.variant_of == Some(language) && it.name != runtime);
    let Some(other) = others.find(|it| it.modules.iter().any(|known| known == module)) else {
        // The packages of the distribution do not fit the libraries of a variant.
        let list = if runtime == language { "extra-packages" } else { "libraries.txt" };
        return format!(
            "the runtime {runtime} has no module {module}, and nothing is installed while code runs: supply it as a \
             file, or an operator adds its package to sandbox/runtimes/{runtime}/{list}"
        );
    };
    let name = other.name;
    if is_offered(name) {
        return format!("the runtime {name} has the module {module}: name it as `language`");
    }
    format!(
        "the runtime {name} has the module {module}; an operator can add it: sandbox/build-root.sh DATA/sandbox \
         {name}, then name it in sandbox.runtimes"
    )
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
        let hint = |module, runtime, offered: &[String]| {
            module_hint(module, runtime, |name| offered.iter().any(|it| it == name))
        };
        assert!(hint("pandas", "python", &both).contains("python-data has the module pandas: name it as `language`"));
        assert!(hint("pandas", "python", &both[..1]).contains("build-root.sh DATA/sandbox python-data"));
        for list in ["python/extra-packages", "python-data/libraries.txt"] {
            let text = hint("sklearn", list.split('/').next().unwrap_or_default(), &both);
            assert!(text.ends_with(&format!("sandbox/runtimes/{list}")), "{text}");
        }
    }

    #[test]
    fn the_hint_on_typescript_depends_on_its_runtime() {
        let hint = |offered| dialect_hint(Dialect::TypeScript, |name| offered && name == "typescript");
        assert!(hint(true).contains("name the runtime typescript as `language`"), "{}", hint(true));
        assert!(hint(false).contains("build-root.sh DATA/sandbox typescript"), "{}", hint(false));
    }

    #[test]
    fn the_file_of_a_syntax_error_is_the_one_that_node_reports() {
        for (text, expected) in [
            ("/job/a.js:3\nlet x: number = 1\n     ^\n\nSyntaxError: Unexpected\n", Some("/job/a.js")),
            ("file:///job/lib/a.mjs:1\n<p/>\n^\nSyntaxError: Unexpected token '<'\n", Some("/job/lib/a.mjs")),
            ("<anonymous_script>:1\n{\n\nSyntaxError: Expected property name\n    at /job/a.js:1\n", None),
            ("/job/a.js:3\nthrow x\n", None),
        ] {
            assert_eq!(reported_path(text), expected, "{text}");
        }
    }

    #[test]
    fn each_missing_part_of_a_sandbox_has_a_hint() {
        let written = format!("main.sh: line 3: {WORK_DIR}/bin/x: Permission denied\n");
        for (runtime, text, expected) in [
            ("python", "ModuleNotFoundError: No module named 'flask'\n", "has no module flask"),
            ("node", "Error: Cannot find module 'lodash'\nRequire stack:\n- /job/x.js", "supply lodash as a file"),
            ("node", "[ERR_MODULE_NOT_FOUND]: Cannot find package '@a/b' imported from /job/x.mjs", "supply @a/b as"),
            ("node", "Error: Cannot find module './lib'", ""),
            ("node", "Error: Cannot find module '/job/lib'", ""),
            ("node", "Error: spawn /bin/sh ENOENT", "the runtime node has no shell"),
            ("node", "Error: ENOENT: no such file or directory, open 'outputs/a.txt'", "the folder outputs"),
            ("python", "FileNotFoundError: [Errno 2] No such file or directory: '/bin/sh'", "python has no shell"),
            ("python", "FileNotFoundError: [Errno 2] No such file or directory: 'outputs/a.txt'", "the folder outputs"),
            ("python", "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'", ""),
            ("bash", "ModuleNotFoundError: No module named 'flask'\n", ""),
            ("node", "/job/main.js:1\nSyntaxError: Unexpected token '<'\n", "looks like JSX"),
            ("node", "TypeError: x is not a function", ""),
            ("bash", "main.sh: line 3: ./x.sh: Permission denied\n", "as in bash FILE"),
            ("bash", written.as_str(), "as in bash FILE"),
            ("bash", "main.sh: line 3: /etc/x: Permission denied\n", ""),
            ("bash", "cat: ./x.sh: Permission denied\n", ""),
            ("bash", "main.sh: line 3: cd: ./d: Permission denied\n", ""),
            ("bash", "main.sh: line 3: ../../x: Permission denied\n", ""),
        ] {
            let setting = HintContext { runtime, is_offered: |_: &str| false, dialect: Some(Dialect::Jsx) };
            let hint = hint(text, &setting).unwrap_or_default();
            assert!(hint.contains(expected) && hint.is_empty() == expected.is_empty(), "{text}: {hint}");
        }
    }
}
