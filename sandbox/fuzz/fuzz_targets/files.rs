//! Fuzzes job files: an accepted file stays inside the job's folder and its path is unique, and normalizing its content
//! does not panic.
#![no_main]

use std::collections::BTreeSet;
use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use sandbox::{JobFile, fuzzing};

fuzz_target!(|bytes: &[u8]| {
    // Alternating paths and contents, separated by record separators.
    let parts: Vec<_> = bytes.split(|byte| *byte == b'\x1e').collect();
    let pairs = parts.chunks(2).filter_map(|pair| Some((std::str::from_utf8(pair[0]).ok()?, *pair.get(1)?)));
    let input: Vec<_> = pairs.collect();
    let file = |(path, content): &(&str, &[u8])| JobFile { path: (*path).into(), content: (*content).into() };
    if fuzzing::accepts(input.iter().map(file).collect()) {
        let paths: BTreeSet<_> = input.iter().map(|(path, _)| Path::new(path)).collect();
        assert_eq!(paths.len(), input.len(), "no file takes the place of another");
        for path in &paths {
            assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "it stays inside");
            assert!(path.ancestors().skip(1).all(|folder| !paths.contains(folder)), "no folder is a file");
        }
    }
    for (_, content) in input {
        for meant in fuzzing::source_texts(content) {
            assert!(meant.len() <= content.len().saturating_mul(2) + 16, "{} of {}", meant.len(), content.len());
        }
    }
});
