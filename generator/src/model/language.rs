//! The languages that the model may write, and their instructions for the sandbox.

/// A language that the model may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelLanguage {
    Python,
    JavaScript,
    Bash,
}

impl ModelLanguage {
    /// Returns the language of a runtime; `None` if the model must not write it.
    pub(crate) fn of(runtime: &str) -> Option<Self> {
        [Self::Python, Self::JavaScript, Self::Bash].into_iter().find(|language| language.runtime() == runtime)
    }

    pub(crate) const fn runtime(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "node",
            Self::Bash => "bash",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::Bash => "Bash",
        }
    }

    /// Returns whether the model may write tests, which needs the detection of tests that assert nothing.
    pub(crate) const fn supports_tests(self) -> bool {
        match self {
            Self::Python | Self::JavaScript => true,
            Self::Bash => false,
        }
    }

    pub(super) const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Python => &[".py"],
            Self::JavaScript => &[".js", ".mjs", ".cjs"],
            Self::Bash => &[".sh"],
        }
    }

    /// Returns the info strings of a fence for the language, in lower case.
    pub(super) const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["python", "python3", "py"],
            Self::JavaScript => &["javascript", "js", "node", "mjs", "cjs"],
            Self::Bash => &["bash", "sh", "shell"],
        }
    }

    /// Returns the name for an unnamed file.
    pub(super) const fn default_path(self) -> &'static str {
        match self {
            Self::Python => "main.py",
            Self::JavaScript => "main.js",
            Self::Bash => "main.sh",
        }
    }

    pub(super) const fn instructions(self) -> &'static str {
        match self {
            Self::Python => {
                "You write Python 3.11 for a sandbox that has the standard library and pytest, no network and no other \
                 packages. Tests go into files named test_*.py and import the code by its file name."
            }
            Self::JavaScript => {
                "You write JavaScript for Node.js 24 with CommonJS modules, for a sandbox that has Node's own \
                 modules, no network and no packages. Tests go into files named *.test.js, use node:test and \
                 node:assert/strict, and require the code by its file name."
            }
            Self::Bash => {
                "You write Bash 5 scripts for a sandbox that has the usual Unix tools and no network. Send the script \
                 only."
            }
        }
    }
}
