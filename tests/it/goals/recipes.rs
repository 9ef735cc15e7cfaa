//! The catalogue for users and operators: `promptcraft recipes` and the API's calls.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Options, Stack, Terminal, eventually};

async fn stack() -> Stack {
    Stack::start_with(Options::default().with("limits.profile", "load")).await
}

fn goal(text: &str, recipe: &str) -> Value {
    json!({"goal": text, "context": {"execution_preferences": {"require_approval": false, "recipe": recipe}}})
}

/// Waits until the workers have reported a recipe of this name.
async fn listed(client: &Client, name: &str) -> Value {
    eventually("the recipe is listed", Duration::from_secs(30), || async {
        let answer = client.get("/api/v3/recipes").await;
        let recipes = answer.json()["data"]["recipes"].as_array().cloned().unwrap_or_default();
        recipes.into_iter().find(|recipe| recipe["name"] == name)
    })
    .await
}

/// Writes a valid recipe.
fn write_recipe(folder: &Path, name: &str, code: &str) {
    let description = format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\ntitle = \"Frobnicator\"\nsummary = \"Frobnicates.\"\nruntime = \"python\"\n\
         code = [\"frob.py\"]\ntests = [\"test_frob.py\"]\n[goals]\nrequire = [[\"frobnicate\"]]\nexamples = [\"frobnicate\"]\n"
    );
    fs::create_dir_all(folder).expect("a folder");
    for (file, text) in [
        ("recipe.toml", description.as_str()),
        ("frob.py", code),
        ("test_frob.py", "from frob import frob\n\n\ndef test_frob():\n    assert frob(2) == 3\n"),
        ("documentation.md", "# Frobnicator\n"),
    ] {
        fs::write(folder.join(file), text).expect("a file");
    }
}

const FROB: &str = "def frob(number: int) -> int:\n    return number + 1\n";

#[tokio::test]
async fn a_recipe_is_chosen_at_submission() {
    let stack = stack().await;
    let client = stack.developer().await;
    let listed = listed(&client, "lru-cache").await;
    let shown = client.get("/api/v3/recipes/lru-cache").await.expect(200);
    assert_eq!(shown["data"]["version"], listed["version"]);

    let id = client.execute(&goal("Teach my cat to pilot a submarine", "lru-cache")).await;
    let done = client.until(&id, "completed").await;
    assert!(done["artifacts"]["generated_code"].as_str().is_some_and(|code| code.contains("class LRUCache")), "{done}");
    let refused = client.post("/api/v3/execute", &goal("Write an LRU cache", "xyzzy")).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "context.execution_preferences.recipe");
    client.get("/api/v3/recipes/xyzzy").await.expect(404);

    let terminal = Terminal::new(&stack);
    let seen = terminal.run(&["run", "Keep what was used lately", "--recipe", "lru-cache", "--no-approval", "--watch"]);
    assert!(seen.well().contains("class LRUCache"), "{seen:?}");
}

#[tokio::test]
async fn the_catalogue_is_shown() {
    let stack = stack().await;
    listed(&stack.developer().await, "lru-cache").await;
    let terminal = Terminal::new(&stack);
    let piped = terminal.run(&["recipes", "list"]);
    assert!(piped.well().contains("lru-cache") && piped.out.starts_with("NAME "), "{piped:?}");
    let narrow = terminal.type_at(&["recipes", "list"], "");
    let widest = narrow.well().lines().map(|line| line.trim_end().chars().count()).max();
    // The escape codes of the heading take no columns.
    assert!(widest <= Some(80 + "\x1b[1m\x1b[0m".len()), "{narrow:?}");
    let json: Value = serde_json::from_str(terminal.run(&["recipes", "list", "--json"]).well()).expect("JSON");
    let all = json["recipes"].as_array().expect("a list");
    assert!(all.len() >= 40 && all.iter().all(|recipe| recipe["on_all_workers"] == true), "{json}");

    let page = terminal.run(&["recipes", "show", "lru-cache"]);
    assert!(page.well().contains("  language  python\n") && page.out.contains("\n# LRU cache"), "{page:?}");
    let code = terminal.run(&["recipes", "show", "lru-cache", "--code"]);
    assert!(code.well().contains("class LRUCache") && !code.out.contains("def test_"), "{code:?}");
    let whole: Value =
        serde_json::from_str(terminal.run(&["recipes", "show", "lru-cache", "--json"]).well()).expect("JSON");
    assert_eq!(whole["files"].as_array().map(Vec::len), Some(2));
    terminal.run(&["recipes", "show", "xyzzy"]).refused(1, "Recipe not found on any worker. (HTTP 404)");
}

#[tokio::test]
async fn recipes_are_tested_in_the_sandbox() {
    let stack = stack().await;
    listed(&stack.developer().await, "lru-cache").await;
    let terminal = Terminal::new(&stack);
    let passed = terminal.run(&["recipes", "test", "lru-cache", "fizzbuzz"]);
    assert!(passed.well().contains("ok     lru-cache: 15 tests passed"), "{passed:?}");
    assert!(passed.out.contains("2 of 2 recipes passed"), "{passed:?}");
    terminal.run(&["recipes", "test", "xyzzy"]).refused(1, "recipe xyzzy not found");

    let folder = stack.directory().join("own");
    write_recipe(&folder.join("good"), "good", FROB);
    write_recipe(&folder.join("wrong"), "wrong", "def frob(number: int) -> int:\n    return number\n");
    let unsafe_code =
        format!("import pickle\n\n\n{FROB}\n\ndef load(text: bytes) -> object:\n    return pickle.loads(text)\n");
    write_recipe(&folder.join("unsafe"), "unsafe", &unsafe_code);
    let tested = terminal.run(&["recipes", "test", "--folder", "own"]);
    assert_eq!(tested.code, 1, "{tested:?}");
    assert!(tested.out.contains("ok     good: 1 tests passed"), "{tested:?}");
    assert!(tested.out.contains("FAILED wrong: 0 of 1 tests passed"), "{tested:?}");
    assert!(tested.out.contains("FAILED unsafe: ") && tested.out.contains(" finding at frob.py:9"), "{tested:?}");
    assert!(tested.out.contains("1 of 3 recipes passed"), "{tested:?}");
}

#[tokio::test]
async fn an_organization_adds_a_recipe() {
    let stack = stack().await;
    let (client, terminal) = (stack.developer().await, Terminal::new(&stack));
    let own = stack.directory().join("own");
    write_recipe(&own.join("frobnicate"), "frobnicate", FROB);
    write_recipe(&own.join("nameless"), "other", FROB);
    write_recipe(&own.join("lru-cache"), "lru-cache", FROB);
    terminal.run(&["recipes", "add", "own/nameless"]).refused(1, "name must be the name of its folder");
    terminal.run(&["recipes", "add", "own/lru-cache"]).refused(1, "another recipe has the same name");
    terminal.run(&["recipes", "add", "own"]).refused(1, "it has no recipe.toml");

    let added = terminal.run(&["recipes", "add", "own/frobnicate"]);
    assert!(
        added.well().starts_with("Added frobnicate to ") && added.out.contains("worker-1 is restarting"),
        "{added:?}"
    );
    listed(&client, "frobnicate").await;
    let id = client.execute(&goal("frobnicate", "frobnicate")).await;
    client.until(&id, "completed").await;
    terminal.run(&["recipes", "add", "own/frobnicate"]).refused(1, "recipe frobnicate already exists");
    let left = fs::read_dir(stack.directory()).expect("a folder").flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().contains("staging")));
}

#[tokio::test]
async fn every_suggested_goal_is_served() {
    let stack = stack().await;
    let terminal = Terminal::new(&stack);
    let help = terminal.run_elsewhere(&["run", "--help"]);
    let examples: Vec<&str> =
        help.well().lines().filter_map(|line| line.trim().strip_prefix("promptcraft run \"")).collect();
    assert!(examples.len() >= 5, "{help:?}");
    for example in examples {
        let (goal, options) = example.split_once('"').expect("a quoted goal");
        let words: Vec<&str> = ["run", goal].into_iter().chain(options.split_whitespace()).collect();
        let seen = terminal.run(&words);
        assert!(seen.well().contains("\ncompleted "), "{goal}: {seen:?}");
    }
}
