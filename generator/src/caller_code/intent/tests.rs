use super::*;
use crate::recipes::catalogue;

const CODE: &str = "import threading\n\n\ndef add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n";

fn of(goal: &str) -> Intent {
    of_goal(goal, &CodeContext::of(CODE, Some("src/primes.py"), vec!["python".to_owned(), "py".to_owned()]))
}

#[track_caller]
fn check(expected: Intent, goals: &[&str]) {
    let wrong: Vec<_> = goals.iter().map(|goal| (of(goal), goal)).filter(|(found, _)| *found != expected).collect();
    assert!(wrong.is_empty(), "not {expected:?}: {wrong:#?}");
}

/// Checks requests that only a model can serve and a run does not.
#[track_caller]
fn check_no_run(goals: &[&str]) {
    let is_run = |goal: &&&str| matches!(of(goal), Intent::Run | Intent::RunOrTest | Intent::Test);
    let wrong: Vec<_> = goals.iter().filter(is_run).collect();
    assert!(wrong.is_empty(), "taken for a run: {wrong:#?}");
}

#[test]
fn a_run_is_asked_for_by_a_command() {
    check(
        Intent::Run,
        &[
            "Run this script and show its output",
            "Run it right now",
            "Run this and tell me the output",
            "Please run the attached file",
            "Could you please run this?",
            "I want you to run this",
            "I need to run this",
            "You should run this script",
            "Execute the attached code, please",
            "Try this",
            "Evaluate this expression",
            "Analyse this for security issues",
            "Check this for security problems",
            "Run this script and fix nothing",
            "Run it, but do not fix anything",
            "Run this without fixing it",
            "Don't fix this, just run it",
            "Do not change it, only run it",
            "Run the bug fix script",
            "Run this script, it uses unittest, and show its output",
            "Run this, but do not run the tests",
            "Run this without pytest",
            "Run the latest code",
            "What does this script print?",
            "What is the output of this program?",
            "Does it run?",
            "Run this and make sure it works",
            "See if it works",
            "Tell me what this prints",
            "Time this function",
            "Would you be so kind as to run the attached script?",
            "Let me see what this prints",
            "I don't need an explanation, only the output",
            "Could you run this for me and send me what comes out?",
            "Führ das mal aus und zeig mir die Ausgabe",
            "Einfach nur ausführen, nichts ändern",
            "运行这个文件，不要修改任何内容",
            "Führe diesen Code aus",
            "Ejecuta este código",
            "运行这段代码",
        ],
    );
}

#[test]
fn a_goal_that_asks_for_nothing_leaves_it_at_a_run() {
    check(Intent::Run, &["", "...", "My python script", "Here is the code", "Job 17", "hello world program"]);
    check(Intent::RunOrTest, &["Test sandbox security", "Test this code"]);
    assert_eq!(of("primes"), Intent::Run);
    assert_eq!(of("Concurrent task 3"), Intent::Run);
}

#[test]
fn tests_are_run_where_the_goal_names_them() {
    check(
        Intent::Test,
        &[
            "Run the tests",
            "Run these unit tests, please",
            "Run the test cases and show the results",
            "Run these test cases",
            "Check that the tests pass",
            "Verify that all tests pass",
            "Make sure the tests pass",
            "Run this with python -m pytest",
            "Run this with python -m unittest",
            "Does the code pass its tests?",
            "Do the tests pass?",
            "Run the specs",
            "Run my test suite",
            "Execute this with pytest",
            "Run pytest on this file",
            "Pytest this file",
            "Check all tests",
            "Run the doctests in this file",
            "Run my tests with pytest -v",
            "Test it with pytest",
            "Run pytest and tell me how many pass",
            "Which tests fail?",
            "How many tests pass and how many fail?",
            "Confirm the unit tests succeed",
            "Führe die Tests aus",
            "运行测试",
        ],
    );
    check(
        Intent::RunOrTest,
        &[
            "Run the test",
            "Run this test file",
            "Please run this test module",
            "Execute the test script",
            "Test the add function",
            "Please test the attached file",
            "Print the test results",
        ],
    );
}

#[test]
fn changing_is_a_command_and_wins_over_a_run() {
    check(
        Intent::Change,
        &[
            "Fix this code",
            "fix the bug in the parser",
            "Please fix it",
            "Run this and fix any errors",
            "Run the tests and fix what fails",
            "Find the bug and repair it",
            "Debug this function",
            "Run it and correct any errors",
            "Please patch the parser",
            "I want you to fix this",
            "Make it work",
            "Make the tests pass",
            "Fix this and write tests for it",
            "This crashes on startup. Fix it!",
            "Optimize this function",
            "Add type hints",
            "Translate this to Go",
            "Run this and then translate it to Go",
            "Make this async",
            "Make this run faster",
            "Rename variable r to result",
            "Add logging",
            "Simplify",
            "Clean up",
            "Improve the error handling",
            "Format with black",
            "Run black on this",
            "Rewrite as a list comprehension",
            "Extract the loop",
            "Port to JavaScript",
            "Add a command line interface",
            "Use numpy instead",
            "Speed this up",
            "Turn this into a class",
            "Add docstrings",
            "Make it work with negative numbers too",
            "Ensure this handles negative numbers",
            "Write a wrapper around this",
        ],
    );
}

#[test]
fn tests_are_written_where_a_verb_has_them_as_its_object() {
    check(
        Intent::WriteTests,
        &[
            "Write tests for this",
            "write unit tests for it",
            "Add some pytest tests",
            "generate comprehensive test cases for this module",
            "Run this and then add tests",
            "Create a test suite for the parser",
            "Cover this with tests",
            "Unit test this function",
            "Write tests and run them",
        ],
    );
}

#[test]
fn documentation_is_asked_for_by_verb_or_noun() {
    check(
        Intent::Document,
        &[
            "Document this code",
            "Create API documentation in Markdown for this",
            "Dokumentiere diesen Code",
            "Please document the module",
            "Document this function please",
            "Generate documentation for it",
            "write API docs for this",
            "Run and document it",
        ],
    );
}

#[test]
fn questions_are_asked_about_the_code() {
    check(
        Intent::Explain,
        &[
            "Explain this code",
            "What does this code do?",
            "Why does this crash?",
            "Why does this crash when I run it?",
            "How do I run this?",
            "Find the time complexity",
            "Check the time complexity",
            "Check the quality of these tests",
            "Summarize this",
            "Run this and explain the output",
            "Run it and tell me why it prints 5",
            "Tell me what this does",
            "Show me how this works",
            "Is this correct?",
            "Run it and tell me if the result is right",
            "Any bugs?",
            "Review this code for bugs",
        ],
    );
}

#[test]
fn new_code_is_asked_for_without_pointing_at_what_was_given() {
    check(
        Intent::Generate,
        &[
            "Create a JWT authentication function with tests",
            "Write an LRU cache",
            "Write a test data generator",
            "Implement a rate limiter",
            "Make a stack class",
            "Write a function that checks whether a string is a palindrome",
            "Please write a new program that prints the first 100 primes and run it",
            "I need a script that renames photos by date",
            "Implement a trie; include pytest tests and run them",
        ],
    );
}

/// Requests that begin like a run, mention its output, or are in other languages.
const OTHER_REQUESTS: &[&str] = &[
    "Try rewriting this in Go",
    "Try a different approach",
    "Return the results sorted",
    "Output the results as JSON",
    "Report errors properly with exit codes",
    "Show a progress bar while it runs",
    "Print the refactored code",
    "Print the code in Go",
    "Ensure it works with negative numbers",
    "Make sure it works with empty lists",
    "Check this code and tell me what to improve",
    "Check if this function is thread-safe",
    "Evaluate how good this code is",
    "Run a security audit",
    "Run a static analysis on this",
    "Time to refactor this",
    "Run this and have it translated to Go",
    "Run this and dockerize it",
    "Run this but faster",
    "Run this with the bug fixed",
    "Run this. It should be in Go",
    "Run this with arguments 3 and 5",
    "What should this function return?",
    "What does this return for an empty list?",
    "Does this code run in O(n)?",
    "Corregir el error",
    "Executive summary",
    "Execution time is too long",
    "Führe den Code aus und kommentiere ihn",
    "Führe Typannotationen ein",
    "Ejecuta este código y hazlo más rápido",
    "Lance une revue de code",
    "请提高这段代码的运行效率",
    "请为这个函数生成单元测试代码",
    "この関数の単体テストを作成してください",
    "Bash script for this",
    "In JavaScript please",
    "A class please",
    "In Go please",
    "Make the LRU cache thread-safe",
    "Give me unit tests for this",
    "Check which tests are missing",
    "Use pytest instead of unittest",
    "Get the failing tests to pass",
    "Run the tests with a fix for the bug",
    "Which tests fail and why?",
    "Erkläre diesen Code bitte",
    "Refaktoriere diesen Code",
    "Führe diesen Code aus und übersetze ihn nach Go",
    "Explica este código",
    "Traduis ce code en Go",
    "重构这段代码",
    "解释一下这段代码",
    "このコードを説明して",
    "Объясни этот код",
    "I need this to run faster",
    "This should run on Windows",
    "Convert this to run on Python 2",
    "Type hints please",
    "A Go version of this",
    "German comments",
    "Time complexity?",
    "Test plan for this",
    "Tests please",
    "Needs better names",
    "Sort a list of words by length",
    "Parse this document",
    "Email the output to bob",
    "Run this and email me the result",
    "Deploy this to production",
    "Can this run on Windows?",
    "How would you test this?",
    "Don't run this",
    "Tell me what this prints without running it",
    "Pourquoi le programme plante-t-il quand je le lance ?",
    "Get this to run on Python 3.12",
];

#[test]
fn other_requests_are_not_runs() {
    check_no_run(OTHER_REQUESTS);
}

#[test]
fn a_recipe_does_not_serve_a_request_about_the_callers_code() {
    for goal in [
        "Make the linked list iterable",
        "Implement the binary search",
        "Create a class for the stack in the script",
        "Write a memoize decorator for the function",
        "Write fizzbuzz with my code",
        "Write a stack and document this code",
        "Document this in German",
        "Document this function with docstrings",
        "Explain and document this",
    ] {
        assert!(!matches!(of(goal), Intent::Generate | Intent::Document), "{goal}: {:?}", of(goal));
    }
}

#[test]
fn goals_that_presume_code() {
    for goal in [
        "Fix the failing parser",
        "Write tests for the login module",
        "Document the API client",
        "Please add unit tests to the parser",
    ] {
        assert!(requires_caller_code(goal), "{goal}");
    }
    for goal in [
        "Create a JWT function and write tests for it",
        "Write a linked list",
        "Create a fixed size buffer",
        "",
        "please",
    ] {
        assert!(!requires_caller_code(goal), "{goal}");
    }
}

#[test]
fn the_mode_wins_over_the_goal_and_a_supplied_answer_is_run() {
    let request = |mode, supplied| GenerateRequest {
        goal: "Translate this to Go".to_owned(),
        code: Some("print(1)".to_owned()),
        mode,
        supplied,
        ..GenerateRequest::default()
    };
    assert_eq!(intent(&request(GenerationMode::Auto, false)), Intent::Change);
    assert_eq!(intent(&request(GenerationMode::Run, false)), Intent::Run);
    assert_eq!(intent(&request(GenerationMode::Test, false)), Intent::Test);
    assert_eq!(intent(&request(GenerationMode::Auto, true)), Intent::RunOrTest);
    assert_eq!(intent(&request(GenerationMode::Change, true)), Intent::RunOrTest);
    assert_eq!(intent(&request(GenerationMode::Test, true)), Intent::Test);
}

#[test]
fn a_goal_without_code_may_be_about_code_that_exists() {
    let is_existing = |goal: &&&str| existing_code::work_on_existing_code(goal).is_some();
    let existing = [
        "Run this program",
        "Run this script",
        "Run my Python program",
        "Run the program with stdin",
        "Run the tests",
        "Run tests",
        "Run script",
        "Run pytest",
        "Please run it",
        "I want you to run this",
        "Can you run the attached file and show me the output?",
        "Execute my code",
        "Start my app",
        "Run the simulation",
        "What does this print?",
        "Does it run?",
        "Do the tests pass?",
        "Test this code",
        "Check my program for errors",
        "Fix my code",
        "Fix the bugs in this script",
        "Debug this",
        "Refactor my project",
        "Translate this program to Go",
        "Explain this code",
        "Explain what the program does",
        "Find the bugs in my code",
        "Is this code secure?",
        "Document my script",
        "Run this program and write the output to a file",
        "Führe das Programm aus",
        "Ejecuta este código",
        "运行这段代码",
    ];
    let missed: Vec<_> = existing.iter().filter(|goal| !is_existing(goal)).collect();
    assert!(missed.is_empty(), "not about existing code: {missed:#?}");
    let new = [
        "Write a program that runs this command every minute",
        "Write a program and run it",
        "Write the code for a stack and run it",
        "Create a test runner",
        "Test runner in Python",
        "Write a script that runs my backups",
        "I need a script that checks the file for duplicates",
        "Program that prints hello world",
        "Print hello world",
        "hello world program",
        "Fibonacci with memoization, then run the tests",
        "Implement the function fibonacci",
        "Given a number, check if it is prime",
        "Check whether the given string is a palindrome",
        "Is this a valid email address?",
        "Print a string and reverse it",
        "Rename the files in a folder by date",
        "Check the file for duplicates",
        "Use unittest for a palindrome checker",
        "List all primes below a thousand",
        "Simulate the game of life",
        "Generate unit tests for existing code",
        "",
    ];
    let wrong: Vec<_> = new.iter().filter(is_existing).collect();
    assert!(wrong.is_empty(), "taken for existing code: {wrong:#?}");
}

#[test]
fn no_recipe_serves_a_goal_about_code_that_exists() {
    let recipes = catalogue::load(&[]).expect("the catalogue is valid");
    for recipe in &recipes {
        let wrong: Vec<_> =
            recipe.goal_texts().filter(|goal| existing_code::work_on_existing_code(goal).is_some()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", recipe.name);
    }
}
