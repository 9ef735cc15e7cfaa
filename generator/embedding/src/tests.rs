//! Compares the encoder with vectors of a reference implementation (numpy, with the published tokenizer).

use super::*;

/// Texts, the number of their tokens, and the first components of their vectors.
const REFERENCE: &[(&str, usize, [f32; 8])] = &[
    (
        "Implement an LRU cache with O(1) get and put",
        15,
        [0.004_645, 0.010_825, -0.027_214, -0.003_616, -0.029_942, -0.075_879, 0.045_108, 0.000_391],
    ),
    (
        "shortest route between two places in a weighted graph",
        11,
        [0.033_309, 0.014_031, -0.036_541, 0.046_756, -0.020_262, -0.022_296, -0.019_407, 0.017_237],
    ),
    (
        "Écris-moi naïvely: debounce(fn, 300) — 缓存 ok?",
        23,
        [-0.096_688, 0.059_278, 0.003_326, -0.053_183, -0.035_743, -0.061_507, 0.136_514, 0.074_475],
    ),
];

/// Returns the model's folder: below `DATA` at build time, else below `data` of the checkout.
fn folder_of_tests() -> Option<PathBuf> {
    let data =
        option_env!("DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data"), PathBuf::from);
    let folder = data.join(FOLDER);
    let found = Encoder::is_in(&folder);
    if !found {
        println!("SKIPPED: {} has no embedding model; run scripts/setup.sh embeddings", folder.display());
    }
    found.then_some(folder)
}

#[test]
fn vectors_equal_those_of_the_reference() {
    let Some(folder) = folder_of_tests() else { return };
    let encoder = Encoder::load(&folder).expect("the model of the folder");
    let texts: Vec<&str> = REFERENCE.iter().map(|(text, ..)| *text).collect();
    let together = encoder.embed(&texts);
    for ((text, tokens, expected), vector) in REFERENCE.iter().zip(together) {
        assert_eq!(encoder.tokens.ids(text).len(), *tokens, "{text}");
        assert!(cosine(&vector, &encoder.embed(&[text])[0]) > 1.0 - 1e-5, "{text}: alone and in company");
        assert_eq!(vector.len(), DIMENSIONS);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
        for (found, expected) in vector.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{text}: {found} instead of {expected}");
        }
    }
}

#[test]
fn a_folder_without_the_files_is_not_a_model() {
    let empty = Path::new("/nonexistent");
    assert!(!Encoder::is_in(empty));
    assert!(matches!(Encoder::load(empty), Err(EncoderError::Unreadable { .. })));
}
