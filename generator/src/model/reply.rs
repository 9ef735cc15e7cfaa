//! A model's reply, which is untrusted, and the rules for its files.

use crate::paths::is_plain_path;

const MAX_FILES: usize = 20;
const MAX_TOTAL_BYTES: usize = 1024 * 1024;
/// File names that Python or its test runner loads automatically.
const SELF_LOADING: &[&str] = &["conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.py", "unittest.py"];

/// One file of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReplyFile {
    pub(super) path: String,
    pub(super) content: String,
    /// True if the reply declares it a test; its name may do so as well.
    pub(super) is_test: bool,
}

/// The plan, files and notes of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) plan: Vec<String>,
    pub(super) files: Vec<ReplyFile>,
    pub(super) notes: String,
}

impl Reply {
    /// Returns the reply if every file conforms to the rules; a repeated file replaces the earlier one.
    ///
    /// # Errors
    /// The broken rule; never quotes the reply.
    pub(super) fn checked(mut self) -> Result<Self, &'static str> {
        let mut files: Vec<ReplyFile> = Vec::new();
        for file in self.files {
            if !is_plain_path(&file.path) {
                return Err("a file in it has an unsafe name");
            }
            if file.path.rsplit('/').next().is_some_and(|name| SELF_LOADING.contains(&name)) {
                return Err("a file in it would change how tests are found and run");
            }
            if file.content.trim().is_empty() {
                return Err("a file in it is empty");
            }
            match files.iter_mut().find(|known| known.path == file.path) {
                Some(known) => *known = file,
                None => files.push(file),
            }
        }
        if files.len() > MAX_FILES || files.iter().map(|file| file.content.len()).sum::<usize>() > MAX_TOTAL_BYTES {
            return Err("it has too many files, or too large ones");
        }
        self.files = files;
        Ok(self)
    }
}
