//! Locates the output of `build-root.sh`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;
use crate::runtime::{self, Library};

/// File name of the runner in every root.
pub(crate) const RUNNER_NAME: &str = "promptcraft-runner";

/// Returns the root folder of each runtime. Links are resolved once, so that a later build does not change a root in
/// use.
pub(crate) fn resolve(roots_dir: &Path, runtimes: &[String]) -> Result<BTreeMap<String, PathBuf>, SandboxError> {
    let find = |name: &String| {
        let link = roots_dir.join(name).join("rootfs");
        let root = link.canonicalize().map_err(|error| root_missing(&link, &error))?;
        Ok((name.clone(), root))
    };
    runtimes.iter().map(find).collect()
}

/// Returns the root folder of each of the worker's own tools that was built.
pub(crate) fn tools(roots_dir: &Path) -> BTreeMap<String, PathBuf> {
    let find = |name: &str| Some((name.to_owned(), roots_dir.join(name).join("rootfs").canonicalize().ok()?));
    runtime::tool_names().filter_map(find).collect()
}

/// Returns the image that `build-root.sh` recorded for a runtime.
pub(crate) fn recorded_image(roots_dir: &Path, runtime: &str) -> Option<String> {
    let text = std::fs::read_to_string(roots_dir.join(runtime).join("image")).ok()?;
    Some(text.trim().to_owned())
}

/// Returns the upstream version of each runtime's interpreter, read from the package list that `build-root.sh` writes
/// beside the root. Runtimes without a list are omitted.
pub(crate) fn versions(roots_dir: &Path, runtimes: &[String]) -> BTreeMap<String, String> {
    let version = |name: &String| {
        let list = std::fs::read_to_string(roots_dir.join(name).join("packages")).ok()?;
        let package = runtime::find(name)?.interpreter_package();
        let found = list.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix(' '))?;
        Some((name.clone(), upstream_version(found.split(' ').next()?).to_owned()))
    };
    runtimes.iter().filter_map(version).collect()
}

/// The part of an interpreter that its package divides off, which is not a library.
const MINIMAL_PACKAGE: &str = "minimal";

/// Returns the libraries of each runtime that its programs can import, with their upstream versions, from the same list.
pub(crate) fn libraries(roots_dir: &Path, runtimes: &[String]) -> BTreeMap<String, Vec<Library>> {
    let libraries = |name: &String| {
        let list = std::fs::read_to_string(roots_dir.join(name).join("packages")).ok()?;
        let prefix = runtime::find(name)?.library_prefix.as_deref()?;
        let library = |line: &str| {
            let (package, version) = line.split_once(' ')?;
            let (name, version) = (package.strip_prefix(prefix)?, version.split(' ').next()?);
            (name != MINIMAL_PACKAGE).then_some(())?;
            Some(Library { name: name.to_owned(), version: upstream_version(version).to_owned() })
        };
        Some((name.clone(), list.lines().filter_map(library).collect()))
    };
    runtimes.iter().filter_map(libraries).collect()
}

/// Strips epoch, revision and repackaging suffixes of a version: Debian's `1:18.20.4+dfsg-1` becomes `18.20.4`.
fn upstream_version(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let end = version.find(['-', '+', '~']).unwrap_or(version.len());
    &version[..end]
}

/// Returns whether every folder above the root is open to all users.
pub(crate) fn is_world_reachable(root: &Path) -> bool {
    const OTHERS_MAY_ENTER: u32 = 0o001;
    let open =
        |folder: &Path| folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_MAY_ENTER != 0);
    root.ancestors().all(open)
}

pub(crate) fn unknown_runtime() -> SandboxError {
    SandboxError::fail(
        "unknown_runtime",
        "this sandbox does not offer the runtime of the job; see its list of runtimes",
    )
}

fn root_missing(link: &Path, error: &std::io::Error) -> SandboxError {
    let own = link.parent().unwrap_or(link);
    let (folder, runtime) = (own.parent().unwrap_or(own).display(), own.file_name().unwrap_or_default().display());
    let link = link.display();
    SandboxError::fail(
        "root_missing",
        format!("sandbox root {link} is missing ({error}); run as root: sandbox/build-root.sh {folder} {runtime}"),
    )
}

#[cfg(test)]
mod tests {
    use super::upstream_version;

    #[test]
    fn a_version_is_that_of_its_author() {
        for (debian, expected) in [
            ("3.11.2-1+b1", "3.11.2"),
            ("1:18.20.4+dfsg-1~deb12u1", "18.20.4"),
            ("5.4.4-3+deb12u1", "5.4.4"),
            ("24.19.0-py2.py3-none-manylinux_2_28_x86_64", "24.19.0"),
            ("7", "7"),
        ] {
            assert_eq!(upstream_version(debian), expected, "{debian}");
        }
    }
}
