//! Generators with Python and Node.js for the suites: by keywords only, and with embeddings.

use std::path::{Path, PathBuf};

use generator::{Generator, GeneratorConfig, OfferedRuntime};

/// Returns the data directory that scripts/setup.sh fills: `DATA` at build time, else `data` of the checkout.
fn data_dir() -> PathBuf {
    option_env!("DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from)
}

fn open(data_dir: Option<PathBuf>) -> Generator {
    let runtime = |name: &str, ending: &str| OfferedRuntime {
        name: name.to_owned(),
        endings: vec![ending.to_owned()],
        has_tests: true,
        ..OfferedRuntime::default()
    };
    let runtimes = vec![runtime("python", ".py"), runtime("node", ".js")];
    let config = GeneratorConfig { data_dir, runtimes, ..GeneratorConfig::default() };
    Generator::open(config).expect("the catalogue is valid")
}

pub(crate) fn by_words() -> Generator {
    open(None)
}

/// Returns a generator with loaded embeddings; prints `SKIPPED` and returns `None` if the model is not on this machine.
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
