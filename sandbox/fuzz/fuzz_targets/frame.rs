//! Fuzzes frames and job file paths: bytes are an error or decode to a value that encodes to an equal one.
#![no_main]

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use runner::protocol::{FileFrame, RunnerFrame, encode, path_problem, read_frame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(frame)) = read_frame::<RunnerFrame>(&mut &bytes[..]) {
        let again = encode(&frame).expect("a decoded frame encodes");
        let back = read_frame::<RunnerFrame>(&mut again.as_slice()).expect("decodes").expect("is a frame");
        assert_eq!(back, frame);
    }
    if let Ok(Some(file)) = read_frame::<FileFrame>(&mut &bytes[..]) {
        stays_inside(&file.path);
    }
    if let Ok(path) = std::str::from_utf8(bytes) {
        stays_inside(path);
    }
});

/// Asserts that an accepted path has plain parts only, so that it cannot leave its folder.
fn stays_inside(path: &str) {
    if path_problem(path).is_none() {
        assert!(!path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_))));
    }
}
