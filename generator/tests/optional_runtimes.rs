//! Languages whose runtimes an operator adds, and runtimes that are chosen by what a program imports.

use std::fmt::Write as _;
use std::sync::LazyLock;

use generator::{
    GenerateError, GenerateRequest, Generation, GenerationMode, Generator, GeneratorConfig, OfferedRuntime, SourceFile,
};
use proptest::prelude::*;

const ADDABLE: [&str; 8] = ["typescript", "ruby", "php", "perl", "c", "cpp", "go", "java"];

/// A name, a file, a first line and code that show the language alone.
const PROGRAMS: [(&str, &[&str], &str, &str, &str); 8] = [
    ("typescript", &["TypeScript", "ts"], "sum.ts", "", "interface P { name: string }\nconst p: P = { name: 'x' };\n"),
    ("ruby", &["Ruby 3.1", "rb"], "lib/sum.rb", "#!/usr/bin/env ruby", "[1, 2].each do |n|\n  puts n\nend\n"),
    ("php", &["php", "PHP 8"], "index.php", "#!/usr/bin/php", "<?php\necho 1;\n"),
    ("perl", &["perl5", "Perl"], "sum.pl", "#!/usr/bin/perl -w", "use strict;\nmy @a = (1, 2);\nprint scalar(@a);\n"),
    ("c", &["c", "C11"], "sum.c", "", "#include <stdio.h>\nint main(void) { puts(\"hi\"); }\n"),
    ("cpp", &["c++", "C++17"], "sum.cc", "", "#include <iostream>\nint main() { std::cout << 1; }\n"),
    (
        "go",
        &["golang", "go1.22"],
        "main.go",
        "",
        "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(1)\n}\n",
    ),
    ("java", &["Java 17"], "Main.java", "", "public class Main {\n  public static void main(String[] args) {}\n}\n"),
];

fn runtime(name: &str) -> OfferedRuntime {
    OfferedRuntime { name: name.to_owned(), has_tests: name.starts_with("python"), ..OfferedRuntime::default() }
}

fn generator(runtimes: Vec<OfferedRuntime>) -> Generator {
    let is_offered = |name: &str| runtimes.iter().any(|runtime| runtime.name == name);
    let addable = ADDABLE.into_iter().filter(|name| !is_offered(name)).map(str::to_owned).collect();
    Generator::open(GeneratorConfig { runtimes, addable, ..GeneratorConfig::default() })
        .expect("the catalogue is valid")
}

/// Returns one request for each way in which a program shows its language.
fn requests() -> impl Iterator<Item = (&'static str, GenerateRequest)> {
    PROGRAMS.iter().flat_map(|(name, languages, file, first_line, code)| {
        let given = |language: &str, file: &str, code: String| GenerateRequest {
            goal: "Run this".to_owned(),
            mode: GenerationMode::Run,
            code: Some(code),
            language: Some(language.to_owned()),
            current_file: Some(file.to_owned()),
            round: 1,
            ..GenerateRequest::default()
        };
        // Text that could be any language.
        let mut requests: Vec<_> = languages.iter().map(|language| given(language, "", "x\n".to_owned())).collect();
        requests.push(given("", file, "x\n".to_owned()));
        requests.push(given("", "", (*code).to_owned()));
        if !first_line.is_empty() {
            requests.push(given("", "", format!("{first_line}\nx = 1\n")));
        }
        requests.into_iter().map(|request| (*name, request))
    })
}

#[tokio::test]
async fn a_program_is_run_by_the_runtime_of_its_language() {
    let all = generator(["python", "node"].iter().chain(&ADDABLE).map(|name| runtime(name)).collect());
    for (name, request) in requests() {
        let generation = all.generate(&request).await.unwrap_or_else(|error| panic!("{request:?}: {error}"));
        assert_eq!(generation.runtime, name, "{request:?}");
    }
}

#[tokio::test]
async fn a_file_of_typescript_gets_an_ending_that_node_accepts() {
    let all = generator(["python", "typescript"].map(runtime).to_vec());
    for (file, expected) in [("App.tsx", "App.ts"), ("a.TS", "a.ts"), ("a.cts", "a.cts"), ("b.jsx", "main.ts")] {
        let request = GenerateRequest {
            language: Some("typescript".to_owned()),
            current_file: Some(file.to_owned()),
            ..request("const a: number = 1;\n")
        };
        let generation = all.generate(&request).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(generation.files[0].path, expected);
    }
}

#[tokio::test]
async fn a_refusal_says_how_an_operator_adds_the_runtime() {
    let few = generator(vec![runtime("python"), runtime("node")]);
    for (name, request) in requests() {
        let Err(GenerateError::NoGenerator { hint }) = few.generate(&request).await else { panic!("{request:?}") };
        let command = format!("sandbox/build-root.sh DATA/sandbox {name},");
        assert!(hint.contains("the runtimes are: python, node. ") && hint.contains(&command), "{request:?}: {hint}");
    }
    let klingon = GenerateRequest { language: Some("haskell".to_owned()), ..requests().next().expect("one").1 };
    let Err(GenerateError::NoGenerator { hint }) = few.generate(&klingon).await else { panic!("served") };
    assert!(!hint.contains("build-root.sh"), "{hint}");
}

/// Returns a generator with runtimes of Python that have libraries.
fn with_libraries() -> Generator {
    let variant = |name: &str, modules: &[&str]| OfferedRuntime {
        variant_of: Some("python".to_owned()),
        modules: modules.iter().map(|module| (*module).to_owned()).collect(),
        ..runtime(name)
    };
    generator(vec![
        runtime("python"),
        variant("python-data", &["numpy", "pandas"]),
        variant("python-web", &["requests", "numpy", "flask"]),
    ])
}

fn request(code: &str) -> GenerateRequest {
    GenerateRequest {
        goal: "Run this".to_owned(),
        code: Some(code.to_owned()),
        mode: GenerationMode::Run,
        round: 1,
        ..GenerateRequest::default()
    }
}

async fn runtime_of(request: &GenerateRequest) -> Generation {
    // Opened once: it reads the whole catalogue.
    static GENERATOR: LazyLock<Generator> = LazyLock::new(with_libraries);
    GENERATOR.generate(request).await.unwrap_or_else(|error| panic!("{request:?}: {error}"))
}

#[tokio::test]
async fn imports_choose_the_runtime_with_most_of_the_modules() {
    for (code, expected) in [
        ("print(1)\n", "python"),
        ("import numpy\n", "python-data"),
        ("import numpy, flask\n", "python-web"),
        ("def f():\n    from pandas import DataFrame\n", "python-data"),
        ("import numpyro\n", "python"),
        ("text = 'import numpy'\n", "python"),
    ] {
        let generation = runtime_of(&request(code)).await;
        assert_eq!(generation.runtime, expected, "{code}");
        let remark = generation.remark.unwrap_or_default();
        assert_eq!(remark.contains("run by the runtime python-"), expected != "python", "{code}: {remark}");
    }
}

#[tokio::test]
async fn the_language_of_a_variant_is_python() {
    let generation =
        runtime_of(&GenerateRequest { language: Some("Python-Data".to_owned()), ..request("print(1)\n") }).await;
    assert_eq!((generation.runtime.as_str(), generation.files[0].path.as_str()), ("python-data", "main.py"));
    let tests =
        GenerateRequest { mode: GenerationMode::Test, ..request("import pandas\ndef test_a():\n    assert True\n") };
    let generation = runtime_of(&tests).await;
    assert_eq!((generation.runtime.as_str(), generation.files[0].path.as_str()), ("python-data", "test_main.py"));
}

#[tokio::test]
async fn a_file_of_the_caller_takes_precedence_over_a_library_of_the_same_name() {
    let file = |path: &str, content: &str| SourceFile {
        path: path.to_owned(),
        content: content.to_owned(),
        kind: generator::FilePurpose::Code,
        from_caller: true,
    };
    let of = async |files: Vec<SourceFile>| {
        let project = GenerateRequest { code: None, files, entry: Some("main.py".to_owned()), ..request("") };
        runtime_of(&project).await.runtime
    };
    let main = || file("main.py", "import pandas\n");
    assert_eq!(of(vec![main(), file("pandas.py", "x = 1\n")]).await, "python");
    assert_eq!(of(vec![main(), file("pandas/__init__.py", "x = 1\n")]).await, "python");
    assert_eq!(of(vec![main(), file("other.py", "x = 1\n")]).await, "python-data");
    let helper = file("helper.py", "import pandas\n");
    assert_eq!(of(vec![file("main.py", "import helper\n"), helper]).await, "python-data");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A program gets a variant if and only if it imports one of its modules, whatever surrounds the import.
    #[test]
    fn only_imports_choose_a_runtime(
        modules in proptest::collection::vec(prop_oneof!["numpy", "pandas", "flask", "os", "numpyx", "re"], 0..4),
        depth in 0_usize..4,
    ) {
        let indent = "    ".repeat(depth);
        let mut code = (0..depth).fold(String::new(), |mut code, level| {
            writeln!(code, "{}if True:", "    ".repeat(level)).expect("a string takes any text");
            code
        });
        for module in &modules {
            writeln!(code, "{indent}import {module}.part as part\n{indent}'{module} numpy'").expect("a string takes any text");
        }
        writeln!(code, "{indent}print('import numpy')").expect("a string takes any text");
        let executor = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        let chosen = executor.block_on(runtime_of(&request(&code))).runtime;
        let needs = modules.iter().any(|module| ["numpy", "pandas", "flask"].contains(&module.as_str()));
        prop_assert_eq!(chosen != "python", needs, "{}: {}", chosen, code);
    }
}
