//! Removes containers that a killed worker was creating.
//!
//! A started container ends by itself when its worker's connection closes. A created but not started one would remain
//! until the next worker starts, because nothing runs in it. Therefore the worker reports each name to this process
//! before it calls the engine, and this process removes the names that remain when the worker ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::sys;

/// Removal attempts: the engine completes a creation that was in progress when the worker ended.
const REMOVAL_ROUNDS: u32 = 12;
const ROUND_INTERVAL: Duration = Duration::from_millis(250);

/// Runs `watchdog SOCKET`: reads `+name` and `-name` lines until stdin closes, then removes the remaining containers.
pub fn watch(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let socket = arguments.next().ok_or("usage: promptcraft-runner watchdog SOCKET")?;
    sys::close_from(3).map_err(|error| format!("cannot close inherited descriptors: {error}"))?;
    let names = read_names(std::io::stdin().lock());
    for round in 0..REMOVAL_ROUNDS {
        if names.is_empty() {
            break;
        }
        if round > 0 {
            std::thread::sleep(ROUND_INTERVAL);
        }
        for name in &names {
            remove(Path::new(&socket), name).map_err(|error| format!("cannot remove {name}: {error}"))?;
        }
    }
    Ok(())
}

fn read_names(lines: impl BufRead) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // An unreadable line ends the input like a close.
    for line in lines.lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", name)) if is_container_name(name) => drop(names.insert(name.to_owned())),
            Some(("-", name)) => drop(names.remove(name)),
            Some(_) | None => {}
        }
    }
    names
}

/// Returns whether a name has only the characters of container names; it is written to a request line.
fn is_container_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Sends a minimal HTTP request to the engine; any response counts, "no such container" is the usual one.
fn remove(socket: &Path, name: &str) -> std::io::Result<()> {
    const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
    let mut engine = UnixStream::connect(socket)?;
    engine.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
    // In one write: an engine may answer and close before a second one.
    let request =
        format!("DELETE /containers/{name}?force=1&v=1 HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n");
    engine.write_all(request.as_bytes())?;
    let mut status = String::new();
    BufReader::new(engine.take(200)).read_line(&mut status).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_and_not_ended_is_left() {
        let names = read_names("+a\n+b\n-a\n\nnoise\n+c d\n+x/../y\n+\n-never\n".as_bytes());
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn the_engine_is_asked_to_remove_by_force() {
        let path = std::env::temp_dir().join(format!("promptcraft-guard-{}.sock", std::process::id()));
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("listens");
        let asked = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("is called");
            let mut request = [0; 200];
            let count = client.read(&mut request).expect("reads the request");
            client.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n").expect("answers");
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        remove(&path, "some-name").expect("is answered");
        std::fs::remove_file(&path).expect("cleans up");
        let asked = asked.join().expect("the engine's side ends");
        assert!(asked.starts_with("DELETE /containers/some-name?force=1&v=1 HTTP/1.1\r\n"), "{asked}");
    }
}
