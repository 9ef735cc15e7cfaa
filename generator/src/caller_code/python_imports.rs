//! The modules that Python code imports, by which a runtime with libraries is chosen.

use std::collections::BTreeSet;

use ruff_python_ast::Stmt;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_body, walk_stmt};
use source_text::python;

/// Returns the top-level modules that Python source imports anywhere; none if it is nested too deeply to be parsed.
pub(crate) fn imported_modules(source: &str) -> BTreeSet<String> {
    let collect = |body: &[Stmt]| {
        let mut finder = ImportFinder::default();
        walk_body(&mut finder, body);
        finder.modules
    };
    python::with_module(source, |parsed| collect(&parsed.syntax().body)).unwrap_or_default()
}

#[derive(Default)]
struct ImportFinder {
    modules: BTreeSet<String>,
}

impl ImportFinder {
    fn add(&mut self, path: &str) {
        self.modules.insert(path.split('.').next().unwrap_or_default().to_owned());
    }
}

impl<'a> StatementVisitor<'a> for ImportFinder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Some(import) = statement.as_import_stmt() {
            import.names.iter().for_each(|alias| self.add(&alias.name));
        } else if let Some(import) = statement.as_import_from_stmt()
            && import.level == 0
        {
            import.module.iter().for_each(|module| self.add(module));
        }
        walk_stmt(self, statement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_wherever_they_are() {
        for (source, expected) in [
            ("import numpy as np\n", "numpy"),
            ("from matplotlib import pyplot as plt\nimport os.path, pandas\n", "matplotlib os pandas"),
            ("def f():\n    try:\n        import pandas.io.sql\n    except ImportError:\n        pass\n", "pandas"),
            ("class A:\n    if True:\n        from requests.adapters import HTTPAdapter\n", "requests"),
            ("from . import numpy\nfrom .pandas import a\n", ""),
            ("text = '''\nimport numpy\n'''\n# import pandas\n", ""),
            // A typo elsewhere does not hide them.
            ("import numpy\nprint(numpy.ones(3)\n", "numpy"),
            ("", ""),
        ] {
            let found: Vec<String> = imported_modules(source).into_iter().collect();
            assert_eq!(found.join(" "), expected, "{source}");
        }
    }
}
