//! Generators for the suites, offering Python and Node.js: by keywords alone, and by meaning.

use std::path::{Path, PathBuf};

use generator::{Generator, GeneratorConfig, Runtime};

/// The data directory as scripts/setup.sh fills it: `DATA` as it was when this was built, else `data` of the checkout.
fn data_dir() -> PathBuf {
    option_env!("DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from)
}

fn open(data_dir: Option<PathBuf>) -> Generator {
    let runtime = |name: &str, ending: &str| Runtime {
        name: name.to_owned(),
        aliases: Vec::new(),
        endings: vec![ending.to_owned()],
        has_tests: true,
    };
    let runtimes = vec![runtime("python", ".py"), runtime("node", ".js")];
    let config = GeneratorConfig { data_dir, runtimes, ..GeneratorConfig::default() };
    Generator::open(config).expect("the catalogue is valid")
}

pub(crate) fn by_words() -> Generator {
    open(None)
}

/// Returns a generator with its embeddings loaded; prints `SKIPPED` and returns none where the model is not on this machine.
pub(crate) fn with_embeddings() -> Option<Generator> {
    let generator = open(Some(data_dir()));
    generator.prepare_embeddings();
    let status = generator.matching();
    if status.matching != "embeddings" {
        println!("SKIPPED: {}", status.detail);
        return None;
    }
    Some(generator)
}
