//! Caches the vectors of texts on disk by content, so that a starting process embeds only new texts.
//!
//! One file has a header, an entry per text and a checksum. A damaged file, or one of another model, counts as empty.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use embedding::{DIMENSIONS, Encoder, MODEL_NAME, Vector, cosine};
use sha2::{Digest, Sha256};

const HEADER: &[u8] = b"promptcraft vectors 1\n";
const FILE: &str = "recipe-vectors.bin";
const LOCK: &str = "recipe-vectors.lock";
/// The text whose vector identifies the model of a file.
const PROBE: &str = "The vector of this sentence identifies the model.";
/// Minimum cosine between two vectors of the probe that come from the same model.
const MIN_PROBE_COSINE: f32 = 0.999;
/// Texts per call of the encoder; more are not faster.
const BATCH: usize = 8;
const KEY_BYTES: usize = 32;
const ENTRY_BYTES: usize = KEY_BYTES + 4 * DIMENSIONS;

type Key = [u8; KEY_BYTES];
type Entries = HashMap<Key, Vector>;

fn key(text: &str) -> Key {
    Sha256::digest(format!("{MODEL_NAME}\n{text}")).into()
}

/// Returns the vector of each text, in order, from the folder's file or the model; adds new vectors to the file.
///
/// If the folder is not writable, the next start embeds the texts again. A lock makes processes that share a folder
/// wait, so that only the first one embeds them.
pub(super) fn vectors(encoder: &Encoder, texts: &[String], folder: Option<&Path>) -> Vec<Vector> {
    let Some(folder) = folder else { return embedded(encoder, texts) };
    let lock = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(LOCK)));
    let _held = lock.and_then(|file| file.lock().map(|()| file));
    let probe = embedded(encoder, &[PROBE.to_owned()]).remove(0);
    let is_of_this_model =
        |entries: &Entries| entries.get(&key(PROBE)).is_some_and(|found| cosine(found, &probe) > MIN_PROBE_COSINE);
    let mut known = read(&folder.join(FILE)).filter(is_of_this_model).unwrap_or_default();
    let missing: Vec<String> = texts.iter().filter(|text| !known.contains_key(&key(text))).cloned().collect();
    let added = embedded(encoder, &missing);
    known.extend(missing.iter().map(|text| key(text)).zip(added));
    let found: Vec<Vector> = texts.iter().filter_map(|text| known.get(&key(text)).cloned()).collect();
    if !missing.is_empty() {
        let all = texts.iter().map(|text| key(text)).zip(&found).chain([(key(PROBE), &probe)]);
        drop(write(folder, all));
    }
    found
}

fn embedded(encoder: &Encoder, texts: &[String]) -> Vec<Vector> {
    let batch = |texts: &[String]| encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    texts.chunks(BATCH).flat_map(batch).collect()
}

fn read(path: &Path) -> Option<Entries> {
    let bytes = fs::read(path).ok()?;
    let (rest, checksum) = bytes.split_last_chunk::<KEY_BYTES>()?;
    let entries = rest.strip_prefix(HEADER)?;
    if Sha256::digest(rest).as_slice() != checksum || entries.len() % ENTRY_BYTES != 0 {
        return None;
    }
    let entry = |bytes: &[u8]| {
        let (key, numbers) = bytes.split_first_chunk::<KEY_BYTES>()?;
        let (numbers, _) = numbers.as_chunks::<4>();
        Some((*key, numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()))
    };
    entries.chunks_exact(ENTRY_BYTES).map(entry).collect()
}

/// Replaces the file atomically.
fn write<'a>(folder: &Path, entries: impl Iterator<Item = (Key, &'a Vector)>) -> io::Result<()> {
    let mut bytes = HEADER.to_vec();
    for (key, vector) in entries {
        bytes.extend(key);
        bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
    }
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    let scratch: PathBuf = folder.join(format!("{FILE}.{}", std::process::id()));
    let mut file = File::create(&scratch)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&scratch, folder.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("vectors-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn a_file_is_read_back_and_any_damage_makes_it_empty() {
        let folder = folder("damage");
        let (one, two) = (vec![0.5; DIMENSIONS], vec![-1.25; DIMENSIONS]);
        write(&folder, [(key("one"), &one), (key("two"), &two)].into_iter()).expect("written");
        let path = folder.join(FILE);
        let entries = read(&path).expect("entries");
        assert_eq!((entries.len(), &entries[&key("one")], &entries[&key("two")]), (2, &one, &two));
        let bytes = fs::read(&path).expect("the file");
        for at in [0, HEADER.len() + 3, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).expect("written");
            assert!(read(&path).is_none(), "byte {at}");
        }
        fs::write(&path, &bytes[..bytes.len() - ENTRY_BYTES]).expect("written");
        assert!(read(&path).is_none());
        assert!(read(&folder.join("absent")).is_none());
        fs::remove_dir_all(folder).expect("removed");
    }
}
