//! Goals and what serves them. Most rows are near misses: a wrong recipe is worse than none.

use generator::{GenerateError, Generator, GeneratorConfig, Origin, Request, Run};

fn generator() -> Generator {
    Generator::open(GeneratorConfig::default()).expect("the catalogue is valid")
}

async fn recipe_for(generator: &Generator, goal: &str) -> Option<String> {
    match generator.generate(&Request { goal: goal.to_owned(), round: 1, ..Request::default() }).await {
        Ok(generation) => match generation.origin {
            Origin::Recipe { name, .. } => Some(name),
            other @ (Origin::Caller | Origin::Model { .. } | Origin::Documenter) => panic!("{goal}: {other:?}"),
        },
        Err(GenerateError::NoGenerator { hint }) => {
            assert!(hint.contains("supply code") && hint.contains("recipe"), "{goal}: {hint}");
            None
        }
        Err(other) => panic!("{goal}: {other}"),
    }
}

const SERVED: &[(&str, &str)] = &[
    ("Create a JWT authentication function with tests", "jwt-auth"),
    ("Write a secure JWT auth function in Python", "jwt-auth"),
    ("implement JSON web token authentication", "jwt-auth"),
    ("Please build me a JWT-based authentication module, with unit tests!", "jwt-auth"),
    ("I need a function that creates and verifies JWTs (HS256), no external libraries", "jwt-auth"),
    ("CREATE A JWT AUTHENTICATION FUNCTION WITH TESTS", "jwt-auth"),
    ("Stress test workflow 17: create a JWT authentication function with tests", "jwt-auth"),
    ("JWT token generation and validation without PyJWT", "jwt-auth"),
    ("Implement password hashing with salt", "password-hashing"),
    ("store user passwords securely with scrypt", "password-hashing"),
    ("Create a rate limiter class with tests", "rate-limiter"),
    ("thread-safe token-bucket rate limiting in Python", "rate-limiter"),
    ("Implement an LRU cache with O(1) get and put", "lru-cache"),
    ("build an LRU cache without redis", "lru-cache"),
    ("Write a least-recently-used cache with expiry and tests", "lru-cache"),
    ("Write a retry decorator with exponential backoff and jitter", "retry-backoff"),
    ("Calculate statistics for each column of a CSV file", "csv-statistics"),
    ("Write a JSON schema validator", "schema-validator"),
    ("Create an email validation function with edge case tests", "email-validator"),
    ("Create a function to calculate fibonacci numbers", "fibonacci"),
    ("write an efficient function to compute the nth Fibonacci number", "fibonacci"),
    ("Write a function to check if a number is prime", "prime-numbers"),
    ("generate primes with the Sieve of Eratosthenes", "prime-numbers"),
    ("Implement binary search in a sorted array", "binary-search"),
    ("Implement quicksort and mergesort with tests", "sorting"),
    ("Write a function to sort a list of integers", "sorting"),
    ("Create a priority queue with a binary heap", "priority-queue"),
    ("SQLite CRUD repository for users with parameterized queries", "sqlite-repository"),
    ("Create an in-memory URL shortener", "url-shortener"),
    ("write a slugify function", "slugify"),
    ("Create a palindrome checker", "string-tools"),
    ("write a function that reverses a string", "string-tools"),
    ("Implement Dijkstra's shortest path algorithm", "shortest-path"),
    ("matrix multiplication in pure python", "matrix"),
    ("Create a bank account class with deposit, withdraw and balance", "bank-ledger"),
    ("Implement an event emitter with on, off, once and emit", "event-emitter"),
    ("convert an integer to a Roman numeral", "roman-numerals"),
    ("Build a simple calculator with addition and subtraction", "calculator"),
    ("evaluate arithmetic expressions without using eval", "calculator"),
    ("Implement a ring buffer of fixed capacity", "circular-buffer"),
    ("Write a hello world function in Python", "hello-world"),
];

const REFUSED: &[&str] = &[
    "Build me a rocket guidance system",
    "create a kubernetes operator in Go",
    "Write a JWT authentication function in Rust",
    "JWT authentication middleware for Express in JavaScript",
    "Explain how JWT authentication works",
    "Crack the JWT secret of this token",
    "Fix our JWT authentication",
    "Write tests for our JWT authentication module",
    "Review the JWT authentication code for vulnerabilities",
    "Migrate JWT authentication to opaque session tokens",
    "Create a login system with sessions, not JWT",
    "Use PASETO instead of JWT for authentication",
    "Create JWT authentication with RS256 and JWKS rotation",
    "Build a React login page with JWT authentication",
    "Create a REST API with JWT authentication, user management and PostgreSQL",
    "Create a Flask app with JWT auth",
    "OAuth2 authorization server issuing JWT access tokens",
    "Write a password generator",
    "Write a password manager with encrypted storage",
    "Write a password strength meter",
    "Reset a user's password by email",
    "Implement a hash table",
    "Write a distributed rate limiter with Redis",
    "Sliding window rate limiter",
    "Implement an LFU cache",
    "Build a mortgage calculator",
    "tax calculator for freelancers",
    "Write a tip calculator",
    "Send an email to all customers",
    "Validate a phone number",
    "Extract email addresses from a web page",
    "Convert CSV to JSON",
    "Join two CSV files on a key column",
    "Plot a CSV file as a chart with statistics",
    "Implement a binary search tree",
    "Find the root of an equation by bisection",
    "Topological sort of a task graph",
    "Bubble sort visualizer",
    "Sort my emails by sender",
    "Implement a Fibonacci heap",
    "Fibonacci retracement trading strategy",
    "Generate RSA keys from two large primes",
    "Prime minister biography generator",
    "Kafka queue with priority consumers",
    "Create a PostgreSQL repository for orders",
    "Reverse a linked list",
    "Reverse engineer a binary protocol",
    "Count words in a PDF file",
    "Bellman-Ford shortest path with negative weights",
    "Find the way out of a maze",
    "Confusion matrix for a classifier",
    "The Matrix movie quiz",
    "Scrape my bank account statements",
    "River bank erosion simulation",
    "Event calendar with reminders",
    "Google Calendar event publisher",
    "History of the Roman empire timeline",
    "Audio ring buffer with DMA",
    "Hello Kitty world map",
    "Flask hello world server",
    "Retry failed payments in the billing system",
    "Slug habitat monitoring",
    "Train a neural network to recognise digits",
    "Parse Apache log files and report errors",
    "Implement a linked list with tests",
    "Merge two PDF documents",
    "Write a keylogger that stores password hashes",
    "Create a JWT authentication function with tests and refresh tokens",
    "Implement user authentication with JWT tokens and password hashing",
    "Write a Python function to add two numbers",
    "bank robbery game",
    "asdf qwer zxcv uiop",
    "do something useful please",
    "テストを書いてください、お願いします",
    "with tests and documentation, please",
];

#[tokio::test]
async fn goals_find_their_recipe_and_near_misses_find_none() {
    let generator = generator();
    let mut wrong = Vec::new();
    for (goal, expected) in SERVED {
        let found = recipe_for(&generator, goal).await;
        if found.as_deref() != Some(expected) {
            wrong.push(format!("{goal}: {found:?} instead of {expected}"));
        }
    }
    for goal in REFUSED {
        if let Some(found) = recipe_for(&generator, goal).await {
            wrong.push(format!("{goal}: {found} instead of none"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_example_of_a_recipe_finds_that_recipe() {
    let generator = generator();
    for recipe in generator.catalogue() {
        assert!(!recipe.examples.is_empty(), "{}", recipe.name);
        for example in &recipe.examples {
            assert_eq!(recipe_for(&generator, example).await.as_ref(), Some(&recipe.name), "{example}");
        }
    }
}

#[tokio::test]
async fn refusals_name_near_recipes_and_never_the_goal() {
    let goal = "Create JWT zanzibar authentication with xylophone rotation";
    let generator = generator();
    let request = Request { goal: goal.to_owned(), ..Request::default() };
    let Err(GenerateError::NoGenerator { hint }) = generator.generate(&request).await else { panic!("served") };
    assert!(hint.contains("jwt-auth") && hint.contains("language model"), "{hint}");
    assert!(!hint.contains("zanzibar") && !hint.contains("xylophone"), "{hint}");
    assert_eq!(generator.propose(goal).first().map(|proposal| proposal.name.as_str()), Some("jwt-auth"));
    assert!(generator.propose("zanzibar xylophone").is_empty());
}

#[tokio::test]
async fn a_recipe_comes_with_tests_and_the_same_every_time() {
    let generator = generator();
    let request = Request { goal: SERVED[0].0.to_owned(), round: 1, ..Request::default() };
    let first = generator.generate(&request).await.expect("served");
    assert_eq!(first, generator.generate(&Request { round: 2, ..request }).await.expect("served"));
    assert_eq!((&first.run, first.repairable, first.tokens, first.runtime.as_str()), (&Run::Tests, false, 0, "python"));
    assert!(first.files.len() >= 2 && first.files.iter().all(|file| !file.from_caller));
}

#[tokio::test]
async fn a_chosen_recipe_wins_over_the_goal() {
    let generator = generator();
    let choose =
        |name: &str| Request { goal: "a rocket".to_owned(), recipe: Some(name.to_owned()), ..Request::default() };
    let chosen = generator.generate(&choose("lru-cache")).await.expect("known");
    assert!(matches!(chosen.origin, Origin::Recipe { name, .. } if name == "lru-cache"));
    assert!(matches!(generator.generate(&choose("no-such")).await, Err(GenerateError::NoGenerator { .. })));
}
