//! Collection of the files that a job left below [`OUTPUT_DIR`], after its last process has ended.
//!
//! Nothing changes them any more. Each file and folder is opened relative to its open folder, without following a link
//! and without leaving the job's file system, so that a mistake in the order of events could not be used either.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, openat, openat2, statat};
use rustix::io::Errno;

use crate::protocol::{FileFrame, LeftOut, OUTPUT_DIR, OutputFileLimits, path_problem};

/// Maximum files and folders to look at, so that the collection takes a bounded time.
const MAX_ENTRIES: usize = 5_000;
/// Maximum files named as left out, and characters of each name.
const MAX_LEFT_OUT: usize = 20;
const MAX_NAME_CHARS: usize = 200;

/// Passes each output file of the job in `job_dir` to `send`, sorted by path within each folder. Returns the first of
/// those that were not collected. Fails only if `send` fails.
pub(crate) fn collect<E>(
    job_dir: &Path,
    limits: OutputFileLimits,
    send: impl FnMut(FileFrame) -> Result<(), E>,
) -> Result<Vec<LeftOut>, E> {
    let mut collection = Collection { limits, files: 0, bytes: 0, entries: 0, left_out: Vec::new(), send };
    if limits.files == 0 {
        return Ok(collection.left_out);
    }
    match openat(CWD, job_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Ok(job) => match statat(&job, OUTPUT_DIR, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => collection.add(&job, OUTPUT_DIR, "")?,
            Err(_) => return Ok(collection.left_out),
        },
        Err(error) => collection.leave_out("", format!("cannot be read: {}", Error::from(error))),
    }
    Ok(collection.left_out)
}

struct Collection<S> {
    limits: OutputFileLimits,
    files: u32,
    bytes: u64,
    entries: usize,
    left_out: Vec<LeftOut>,
    send: S,
}

impl<E, S: FnMut(FileFrame) -> Result<(), E>> Collection<S> {
    /// Adds the file, or all files of the folder, `name` in `folder`, whose path below the folder of output files is
    /// `path`.
    fn add(&mut self, folder: &OwnedFd, name: &str, path: &str) -> Result<(), E> {
        match self.read(folder, name, path) {
            Ok(FolderEntry::File(content)) => {
                self.files += 1;
                self.bytes += content.len() as u64;
                (self.send)(FileFrame { path: path.to_owned(), content })
            }
            Ok(FolderEntry::Folder(opened, names)) => names.iter().try_for_each(|name| {
                let separator = if path.is_empty() { "" } else { "/" };
                let path = format!("{path}{separator}{}", String::from_utf8_lossy(name));
                match std::str::from_utf8(name).map_err(|_| "has a name that is not UTF-8") {
                    Ok(name) => self.add(&opened, name, &path),
                    Err(reason) => {
                        self.leave_out(&path, reason.to_owned());
                        Ok(())
                    }
                }
            }),
            Err(reason) => {
                self.leave_out(path, reason);
                Ok(())
            }
        }
    }

    fn read(&mut self, folder: &OwnedFd, name: &str, path: &str) -> Result<FolderEntry, String> {
        if let Some(problem) = path_problem(path).filter(|_| !path.is_empty()) {
            return Err(format!("has a path that {problem}"));
        }
        let cannot_read = |error: Errno| format!("cannot be read: {}", Error::from(error));
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(cannot_read)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let opened = open(folder, name, OFlags::DIRECTORY).map_err(cannot_read)?;
                let names = self.list(&opened, path).map_err(cannot_read)?;
                Ok(FolderEntry::Folder(opened, names))
            }
            FileType::RegularFile if path.is_empty() => Err("is not a folder".to_owned()),
            FileType::RegularFile => self.read_file(folder, name, &stat).map(FolderEntry::File),
            FileType::Symlink => Err("is a link".to_owned()),
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Err("is not a regular file".to_owned()),
        }
    }

    /// Lists a folder, sorted, up to the maximum of all entries together.
    fn list(&mut self, folder: &OwnedFd, path: &str) -> Result<Vec<Vec<u8>>, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if self.entries == MAX_ENTRIES {
                self.leave_out(path, format!("there are more than {MAX_ENTRIES} files and folders"));
                break;
            }
            self.entries += 1;
            names.push(name.to_vec());
        }
        names.sort();
        Ok(names)
    }

    fn read_file(&self, folder: &OwnedFd, name: &str, stat: &Stat) -> Result<Vec<u8>, String> {
        let OutputFileLimits { files, file_bytes, total_bytes } = self.limits;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if self.files >= files {
            return Err(format!("there are more than {files} files"));
        }
        if size > file_bytes {
            return Err(format!("is larger than {file_bytes} bytes"));
        }
        if size > total_bytes - self.bytes {
            return Err(format!("the files are larger than {total_bytes} bytes together"));
        }
        let read = || {
            // Does not wait for a writer, if this were a pipe.
            let file = File::from(open(folder, name, OFlags::NONBLOCK)?);
            let mut content = Vec::new();
            file.take(size + 1).read_to_end(&mut content)?;
            if content.len() as u64 == size { Ok(content) } else { Err(Error::from(ErrorKind::UnexpectedEof)) }
        };
        read().map_err(|error| format!("cannot be read: {error}"))
    }

    fn leave_out(&mut self, path: &str, reason: String) {
        if self.left_out.len() < MAX_LEFT_OUT {
            let name = path.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(MAX_NAME_CHARS).collect();
            self.left_out.push(LeftOut { name, reason });
        }
    }
}

enum FolderEntry {
    File(Vec<u8>),
    Folder(OwnedFd, Vec<Vec<u8>>),
}

/// Opens an entry of an open folder for reading; a link is an error.
fn open(folder: impl AsFd, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    match openat2(&folder, name, flags, Mode::empty(), resolve) {
        // gVisor has no such call. The name is a single one, for which the flags say the same.
        Err(Errno::NOSYS) => openat(&folder, name, flags, Mode::empty()),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const LIMITS: OutputFileLimits = OutputFileLimits { files: 4, file_bytes: 100, total_bytes: 150 };

    type Sizes = Vec<(String, usize)>;
    type Reasons = Vec<(String, String)>;

    /// A folder of its own for a test, with a folder of output files.
    struct Place(std::path::PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let place = std::env::temp_dir().join(format!("promptcraft-output-{name}-{}", std::process::id()));
            fs::create_dir_all(place.join(OUTPUT_DIR)).expect("makes folders");
            Self(place)
        }

        fn write(&self, path: &str, content: &[u8]) {
            let path = self.0.join(OUTPUT_DIR).join(path);
            fs::create_dir_all(path.parent().expect("has a folder")).expect("makes folders");
            fs::write(path, content).expect("writes");
        }

        /// Returns the collected paths with sizes, and what was left out with the reasons.
        fn collect(&self, limits: OutputFileLimits) -> (Sizes, Reasons) {
            let mut files = Vec::new();
            let left_out = collect(&self.0, limits, |file| {
                files.push((file.path, file.content.len()));
                Ok::<_, Infallible>(())
            });
            let left_out = left_out.unwrap_or_else(|never| match never {});
            (files, left_out.into_iter().map(|it| (it.name, it.reason)).collect())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn named(list: &[(&str, usize)]) -> Sizes {
        list.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
    }

    #[test]
    fn files_are_collected_in_order_with_their_folders() {
        let place = Place::new("order");
        place.write("b.txt", b"bb");
        place.write("a/z.csv", b"z");
        place.write("a/empty", b"");
        assert_eq!(place.collect(LIMITS), (named(&[("a/empty", 0), ("a/z.csv", 1), ("b.txt", 2)]), Vec::new()));
        assert_eq!(place.collect(OutputFileLimits { files: 0, ..LIMITS }), (Vec::new(), Vec::new()));
        fs::remove_dir_all(place.0.join(OUTPUT_DIR)).expect("removes");
        assert_eq!(place.collect(LIMITS), (Vec::new(), Vec::new()), "a job need not have output files");
    }

    #[test]
    fn what_is_not_a_plain_file_is_left_out_with_the_reason() {
        let place = Place::new("kinds");
        let folder = place.0.join(OUTPUT_DIR);
        fs::write(place.0.join("secret"), b"secret").expect("writes");
        symlink("../secret", folder.join("link")).expect("links");
        symlink("..", folder.join("linked_folder")).expect("links");
        let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).expect("binds");
        fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff")), b"x").expect("writes");
        fs::write(folder.join("line\nbreak"), b"x").expect("writes");
        fs::write(folder.join("back\\slash"), b"x").expect("writes");
        place.write("plain", b"plain");
        let (files, left_out) = place.collect(LIMITS);
        assert_eq!(files, named(&[("plain", 5)]));
        let reasons: Vec<String> = left_out.into_iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
        assert_eq!(
            reasons,
            [
                "back\\slash: has a path that contains a backslash; separate folders with `/`",
                "line\u{fffd}break: has a path that contains a control character",
                "link: is a link",
                "linked_folder: is a link",
                "socket: is not a regular file",
                "\u{fffd}: has a name that is not UTF-8",
            ]
        );
    }

    #[test]
    fn the_folder_itself_may_be_neither_a_link_nor_a_file() {
        let place = Place::new("folder");
        let folder = place.0.join(OUTPUT_DIR);
        fs::write(place.0.join("secret"), b"secret").expect("writes");
        fs::remove_dir(&folder).expect("removes");
        symlink(".", &folder).expect("links");
        assert_eq!(place.collect(LIMITS), (Vec::new(), vec![(String::new(), "is a link".to_owned())]));
        fs::remove_file(&folder).expect("removes");
        fs::write(&folder, b"x").expect("writes");
        assert_eq!(place.collect(LIMITS), (Vec::new(), vec![(String::new(), "is not a folder".to_owned())]));
    }

    #[test]
    fn a_file_beyond_a_limit_is_left_out_and_smaller_ones_are_not() {
        let place = Place::new("limits");
        place.write("1", &[b'x'; 101]);
        place.write("2", &[b'x'; 100]);
        place.write("3", &[b'x'; 51]);
        place.write("4", &[b'x'; 50]);
        // A sparse file takes no space and is as large as it says.
        File::create(place.0.join(OUTPUT_DIR).join("5")).and_then(|file| file.set_len(1 << 40)).expect("creates");
        for name in ["6", "7", "8"] {
            place.write(name, b"");
        }
        let (files, left_out) = place.collect(LIMITS);
        assert_eq!(files, named(&[("2", 100), ("4", 50), ("6", 0), ("7", 0)]));
        let reasons: Vec<&str> = left_out.iter().map(|(_, reason)| reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "is larger than 100 bytes",
                "the files are larger than 150 bytes together",
                "is larger than 100 bytes",
                "there are more than 4 files",
            ]
        );
    }

    #[test]
    fn thousands_of_entries_take_a_bounded_time() {
        let place = Place::new("many");
        for number in 0..MAX_ENTRIES + 10 {
            fs::create_dir(place.0.join(OUTPUT_DIR).join(format!("{number:05}"))).expect("makes a folder");
        }
        let (files, left_out) = place.collect(LIMITS);
        assert!(files.is_empty());
        assert_eq!(left_out, [(String::new(), "there are more than 5000 files and folders".to_owned())]);
    }

    #[test]
    fn a_file_that_its_author_closed_is_left_out() {
        let place = Place::new("closed");
        place.write("closed", b"x");
        let path = place.0.join(OUTPUT_DIR).join("closed");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("closes it");
        // Root may read it.
        let expected = if File::open(&path).is_ok() { 0 } else { 1 };
        assert_eq!(place.collect(LIMITS).1.len(), expected);
    }
}
