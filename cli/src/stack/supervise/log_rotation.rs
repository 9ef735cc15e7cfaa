//! Rotates the logs of the stack's processes by size.
//!
//! A process keeps its log open for appending, so the log is copied and then truncated. Lines written between the last
//! read and the truncation (microseconds) are lost. The process needs no restart.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Maximum bytes of a log before it is rotated; of a longer one only the end is kept.
const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;
/// Maximum number of rotated logs, `<log>.1` (newest) to `<log>.3`.
const MAX_ROTATED_LOGS: usize = 3;
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Rotates the log when it exceeds [`MAX_LOG_BYTES`]. Never returns; cancel safe.
pub(super) async fn rotate_forever(log: &Path) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        let log = log.to_owned();
        let rotated = tokio::task::spawn_blocking(move || rotate(&log, MAX_LOG_BYTES));
        // Errors and panics are retried at the next interval.
        drop(rotated.await);
    }
}

/// Rotates the log if it exceeds `max_bytes`. Truncates it even if copying fails: a full disk would stop the broker.
fn rotate(log: &Path, max_bytes: u64) -> io::Result<()> {
    let length = fs::metadata(log)?.len();
    if length <= max_bytes {
        return Ok(());
    }
    for number in (1..MAX_ROTATED_LOGS).rev() {
        // This number may not exist yet.
        fs::rename(rotated_log(log, number), rotated_log(log, number + 1)).ok();
    }
    let mut current = File::options().read(true).append(true).open(log)?;
    current.seek(SeekFrom::Start(length - max_bytes))?;
    let newest = rotated_log(log, 1);
    let copied = copy_to_end(&mut current, &newest, 2 * max_bytes);
    current.set_len(0)?;
    if let Err(error) = copied {
        fs::remove_file(&newest).ok();
        writeln!(current, "the log was truncated because its copy {} failed: {error}", newest.display())?;
    }
    Ok(())
}

/// Copies the rest of `log`, including concurrent appends, up to `max_bytes`.
fn copy_to_end(log: &mut File, copy: &Path, max_bytes: u64) -> io::Result<()> {
    io::copy(&mut log.take(max_bytes), &mut File::create(copy)?).map(drop)
}

fn rotated_log(log: &Path, number: usize) -> PathBuf {
    let mut name = OsString::from(log);
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const MAX: u64 = 16 * 1024;

    fn fresh(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("promptcraft-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Returns the numbers in the complete lines of a log; the first line may be cut.
    fn numbers(log: &Path) -> Vec<u64> {
        let text = String::from_utf8(fs::read(log).unwrap()).unwrap();
        let whole = text.split_inclusive('\n').skip(1).filter(|line| line.ends_with('\n'));
        whole.map(|line| line.trim_end().parse().expect("a number and nothing else")).collect()
    }

    #[test]
    fn the_logs_of_a_writing_process_are_bounded() {
        let folder = fresh("rotation");
        let log = folder.join("api.log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let script = "n=0; while :; do n=$((n+1)); echo $n; done";
        let mut writer =
            Command::new("sh").args(["-c", script]).stdout(file).stderr(Stdio::null()).spawn().expect("sh runs");
        for _ in 0..MAX_ROTATED_LOGS + 2 {
            while fs::metadata(&log).unwrap().len() <= MAX {
                std::thread::sleep(Duration::from_millis(1));
            }
            rotate(&log, MAX).unwrap();
        }
        while fs::metadata(&log).unwrap().len() < 100 {
            std::thread::sleep(Duration::from_millis(1));
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let parts: Vec<PathBuf> =
            (1..=MAX_ROTATED_LOGS).rev().map(|number| rotated_log(&log, number)).chain([log.clone()]).collect();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), parts.len(), "the oldest log is deleted");
        let mut last = 0;
        for path in &parts {
            let numbers = numbers(path);
            assert!(numbers.is_sorted() && numbers[0] > last, "{} begins with {}", path.display(), numbers[0]);
            assert!(fs::metadata(path).unwrap().len() <= 2 * MAX, "{}", path.display());
            last = numbers[numbers.len() - 1];
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn only_the_end_of_an_oversized_log_is_kept() {
        let folder = fresh("rotation-of-old");
        let log = folder.join("api.log");
        fs::write(&log, "1\n".repeat(100_000) + "2\n").unwrap();
        rotate(&log, MAX).unwrap();
        assert_eq!(fs::metadata(&log).unwrap().len(), 0);
        let kept = fs::read_to_string(rotated_log(&log, 1)).unwrap();
        assert!(kept.len() as u64 == MAX && kept.ends_with("2\n"));
        rotate(&log, MAX).unwrap();
        assert!(!rotated_log(&log, 2).exists(), "a short log stays");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_log_that_cannot_be_copied_is_truncated() {
        let folder = fresh("rotation-of-none");
        let log = folder.join("api.log");
        fs::write(&log, "1\n".repeat(100_000)).unwrap();
        for number in 1..=MAX_ROTATED_LOGS {
            fs::create_dir_all(rotated_log(&log, number).join("in the way")).unwrap();
        }
        rotate(&log, MAX).unwrap();
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("the log was truncated") && text.len() < 1_000, "{text}");
        fs::remove_dir_all(folder).unwrap();
    }
}
