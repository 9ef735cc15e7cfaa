//! Measures the time to match a goal among 1,000 recipes, beside the matrix products of one pass of the model.
//!
//! `make bench` prints milliseconds: median and 95th percentile of the rounds. No time is asserted.

use std::fs;
use std::path::{Path, PathBuf};

use generator::{GenerateRequest, Generator, GeneratorConfig};
use ndarray::Array2;
use tokio::time::Instant;

const RECIPES: usize = 1_000;
const ROUNDS: usize = 40;
/// Tokens of an ordinary goal, and the sizes of the model's matrices.
const TOKENS: usize = 17;
const WIDTH: usize = 384;
const LAYERS: usize = 6;

const SUBJECTS: &[&str] =
    &["invoice", "parcel", "ticket", "recipe", "playlist", "sensor", "garden", "library", "orchestra", "harbour"];
const ACTIONS: &[&str] = &[
    "sorting",
    "archiving",
    "scoring",
    "grouping",
    "checking",
    "planning",
    "merging",
    "labelling",
    "pricing",
    "counting",
];
const QUALITIES: &[&str] =
    &["daily", "regional", "seasonal", "shared", "historic", "urgent", "paper", "digital", "rented", "broken"];

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("thousand-recipes");
    write_recipes(&folder);
    let data_dir =
        option_env!("DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from);
    let config =
        GeneratorConfig { catalogue_dirs: vec![folder], data_dir: Some(data_dir), ..GeneratorConfig::default() };
    let generator = Generator::open(config).expect("a valid catalogue");
    let loading = Instant::now();
    generator.prepare_embeddings();
    println!(
        "{} recipes, {}, loaded in {:.1} s",
        generator.catalogue().len(),
        generator.matching().matching,
        loading.elapsed().as_secs_f64()
    );
    let floor = print("floor: matrix products of one pass", times(|_| async { products() }).await, None);
    let ask =
        async |goal: String| drop(generator.generate(&GenerateRequest { goal, ..GenerateRequest::default() }).await);
    print(
        "recipe chosen by words, served",
        times(|_| ask("Implement an LRU cache with tests".to_owned())).await,
        Some((floor, "1 ms")),
    );
    if generator.matching().matching == "embeddings" {
        let unseen = |round: usize| ask(format!("shortest route between {round} places in a weighted graph of roads"));
        print("recipe chosen by meaning, new goal", times(unseen).await, Some((floor, "40 ms")));
        let seen = |_| ask("shortest route between two places in a weighted graph".to_owned());
        print("recipe chosen by meaning, remembered", times(seen).await, Some((floor, "1 ms")));
    } else {
        println!("SKIPPED: rows by meaning: {}", generator.matching().detail);
    }
}

/// Writes one recipe for every combination of subject, action and quality.
fn write_recipes(folder: &Path) {
    for number in 0..RECIPES {
        let [subject, action, quality] =
            [SUBJECTS[number % 10], ACTIONS[number / 10 % 10], QUALITIES[number / 100 % 10]];
        let recipe = folder.join(format!("{quality}-{action}-{subject}"));
        let title = format!("{quality} {subject} {action}");
        let description = format!(
            "name = \"{quality}-{action}-{subject}\"\nversion = \"1.0.0\"\ntitle = \"{title}\"\nsummary = \"For {action} a {quality} {subject}.\"\n\
             runtime = \"python\"\ncode = [\"code.py\"]\ntests = [\"test_code.py\"]\n[goals]\nrequire = [[\"{quality} {subject}\"], [\"{action}\"]]\n\
             examples = [\"{title}\"]\nphrasings = [\"{action} of every {subject} that is {quality}\"]\n"
        );
        let files = [
            ("recipe.toml", description),
            ("code.py", "X = 1\n".to_owned()),
            ("test_code.py", "from code import X\n".to_owned()),
            ("documentation.md", format!("# {title}\n")),
        ];
        fs::create_dir_all(&recipe).expect("a folder");
        for (name, text) in files {
            fs::write(recipe.join(name), text).expect("a file");
        }
    }
}

fn products() {
    let ones = |rows: usize, columns: usize| Array2::<f32>::ones((rows, columns));
    let (input, inner) = (ones(TOKENS, WIDTH), ones(TOKENS, 4 * WIDTH));
    let (square, widening, narrowing) = (ones(WIDTH, WIDTH), ones(WIDTH, 4 * WIDTH), ones(4 * WIDTH, WIDTH));
    for _ in 0..LAYERS {
        for _ in 0..4 {
            std::hint::black_box(input.dot(&square));
        }
        std::hint::black_box(input.dot(&widening));
        std::hint::black_box(inner.dot(&narrowing));
    }
}

/// Returns the milliseconds of each round, sorted.
async fn times<F: Future<Output = ()>>(work: impl Fn(usize) -> F) -> Vec<f64> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let started = Instant::now();
        work(round).await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Prints a row and returns its median.
fn print(name: &str, times: Vec<f64>, beside: Option<(f64, &str)>) -> f64 {
    let (median, late) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    let ratio = beside
        .map_or(String::new(), |(floor, goal)| format!("  {:6.2} of the floor, goal under {goal}", median / floor));
    println!("{name:40} {median:8.2} {late:8.2}{ratio}");
    median
}
