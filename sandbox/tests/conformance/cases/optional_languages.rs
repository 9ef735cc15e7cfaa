//! Each runtime that is not built by default, as far as `OPTIONAL_RUNTIMES` names it.

use sandbox::{Command, IsolationLevel, Job, JobInput, JobResult, Limits, Outcome, Sandbox};

use crate::support::{job, run, text};

const LEVELS: [IsolationLevel; 3] = [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive];

/// Prints the arguments, a variable and stdin, writes and reads a file, prints to stderr, and exits with 3.
const PROGRAMS: [(&str, &str, &str); 7] = [
    (
        "typescript",
        "main.ts",
        "import fs from 'node:fs';\ntype Words = string[];\nconst words: Words = process.argv.slice(2);\nfs.writeFileSync('out.txt', 'ä');\nconsole.error('warned');\nprocess.stdout.write([...words, process.env.COLOR, fs.readFileSync(0, 'utf8'), fs.readFileSync('out.txt', 'utf8')].join('|'));\nprocess.exitCode = 3;\n",
    ),
    (
        "ruby",
        "main.rb",
        "File.write('out.txt', 'ä')\nwarn 'warned'\nprint [*ARGV, ENV['COLOR'], $stdin.read, File.read('out.txt')].join('|')\nexit 3\n",
    ),
    (
        "php",
        "main.php",
        "<?php\nfile_put_contents('out.txt', 'ä');\nfwrite(STDERR, \"warned\\n\");\necho implode('|', [...array_slice($argv, 1), getenv('COLOR'), stream_get_contents(STDIN), file_get_contents('out.txt')]);\nexit(3);\n",
    ),
    (
        "perl",
        "main.pl",
        "use strict;\nuse warnings;\nopen(my $out, '>', 'out.txt') or die; print $out 'ä'; close $out;\nopen(my $in, '<', 'out.txt') or die; my $text = <$in>;\nwarn \"warned\\n\";\nprint join('|', @ARGV, $ENV{COLOR}, join('', <STDIN>), $text);\nexit 3;\n",
    ),
    ("c", "main.c", C),
    (
        "cpp",
        "main.cpp",
        "#include <cstdlib>\n#include <fstream>\n#include <iostream>\n#include <iterator>\n#include <string>\nint main(int count, char **words) {\n  std::ofstream(\"out.txt\") << \"ä\";\n  std::string text;\n  std::ifstream(\"out.txt\") >> text;\n  std::cerr << \"warned\\n\";\n  for (int i = 1; i < count; i++) std::cout << words[i] << '|';\n  std::string in{std::istreambuf_iterator<char>(std::cin), {}};\n  std::cout << std::getenv(\"COLOR\") << '|' << in << '|' << text;\n  return 3;\n}\n",
    ),
    (
        "java",
        "Main.java",
        "import java.nio.file.*;\npublic class Main {\n  public static void main(String[] words) throws Exception {\n    Files.writeString(Path.of(\"out.txt\"), \"ä\");\n    System.err.println(\"warned\");\n    String in = new String(System.in.readAllBytes(), \"UTF-8\");\n    System.out.print(String.join(\"|\", words) + \"|\" + System.getenv(\"COLOR\") + \"|\" + in + \"|\" + Files.readString(Path.of(\"out.txt\")));\n    System.exit(3);\n  }\n}\n",
    ),
];

const C: &str = r#"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {
    FILE *out = fopen("out.txt", "w");
    fputs("ä", out);
    fclose(out);
    fputs("warned\n", stderr);
    for (int i = 1; i < count; i++) printf("%s|", words[i]);
    printf("%s|", getenv("COLOR"));
    for (int c; (c = getchar()) != EOF;) putchar(c);
    char text[8];
    printf("|%s", fgets(text, sizeof text, fopen("out.txt", "r")));
    return 3;
}
"#;

fn offers(sandbox: &dyn Sandbox, runtime: &str) -> bool {
    sandbox.runtimes().iter().any(|offered| offered == runtime)
}

fn script_of(runtime: &str, level: IsolationLevel, files: &[(&str, &str)]) -> Job {
    let command = Command::Script { path: files[0].0.into() };
    Job { runtime: runtime.into(), ..job(level, command, files) }
}

async fn output_of(sandbox: &dyn Sandbox, runtime: &str, files: &[(&str, &str)]) -> JobResult {
    run(sandbox, script_of(runtime, IsolationLevel::Standard, files)).await
}

pub(crate) async fn each_runs_programs_with_their_input(sandbox: &dyn Sandbox) {
    for (runtime, path, source) in PROGRAMS.into_iter().filter(|(runtime, ..)| offers(sandbox, runtime)) {
        for level in LEVELS {
            let input = JobInput {
                args: ["-x", "a b", "é"].map(str::to_owned).into(),
                env: [("COLOR".to_owned(), "red".to_owned())].into(),
                stdin: b"one\ntwo".to_vec(),
            };
            let result = run(sandbox, Job { input, ..script_of(runtime, level, &[(path, source)]) }).await;
            let said = (text(&result.stdout), text(&result.stderr), result.exit_code);
            assert_eq!(said, ("-x|a b|é|red|one\ntwo|ä", "warned\n", Some(3)), "{runtime} {level:?}");
        }
        assert!(sandbox.version(runtime).is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit())));
    }
}

pub(crate) async fn output_before_a_kill_is_kept(sandbox: &dyn Sandbox) {
    for (runtime, path, source) in [
        ("typescript", "main.ts", "process.stdout.write('before');\nwhile (true);\n"),
        ("ruby", "main.rb", "print 'before'\nloop {}\n"),
        ("php", "main.php", "<?php\necho 'before';\nwhile (true);\n"),
        ("perl", "main.pl", "print 'before';\nwhile (1) {}\n"),
        (
            "java",
            "Main.java",
            "class Main { public static void main(String[] a) { System.out.print(\"before\"); while (true); } }\n",
        ),
    ] {
        if !offers(sandbox, runtime) {
            continue;
        }
        let mut job = script_of(runtime, IsolationLevel::Standard, &[(path, source)]);
        job.limits = Limits::for_level(IsolationLevel::Standard, std::time::Duration::from_secs(2));
        let result = run(sandbox, job).await;
        assert_eq!(text(&result.stdout), "before", "{runtime}");
        assert!(matches!(result.outcome, Outcome::TimedOut | Outcome::OutOfCpu), "{runtime} {result:?}");
    }
}

pub(crate) async fn errors_are_those_of_the_language(sandbox: &dyn Sandbox) {
    for (runtime, path, source, error) in [
        ("typescript", "main.ts", "enum A { B }\nconsole.log(A.B);\n", "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"),
        ("typescript", "main.ts", "const a: number = ;\n", "SyntaxError"),
        ("ruby", "main.rb", "raise 'no'\n", "main.rb:1:in `<main>': no (RuntimeError)"),
        ("php", "main.php", "<?php\nnope();\n", "Call to undefined function nope()"),
        ("php", "main.php", "<?php\nthrow new Exception('no');\n", "Uncaught Exception: no"),
        ("php", "main.php", "echo strlen('abc');\n", "no opening tag"),
        ("perl", "main.pl", "use strict;\n$x = 1;\n", "Global symbol \"$x\" requires explicit package name"),
        ("perl", "main.pl", "die 'no';\n", "no at ./main.pl line 1."),
        ("c", "main.c", "int main(void) { return x; }\n", "main.c:1:25: error:"),
        ("cpp", "main.cpp", "int main() { return x; }\n", "main.cpp:1:21: error:"),
        ("java", "Main.java", "class Main { void f() { x(); } }\n", "Main.java:1: error: cannot find symbol"),
    ] {
        if !offers(sandbox, runtime) {
            continue;
        }
        let result = output_of(sandbox, runtime, &[(path, source)]).await;
        let stderr = text(&result.stderr);
        assert_eq!(stderr.matches(error).count().min(2), 1, "once: {runtime}: {stderr}");
        assert!(stderr.contains(error) && result.exit_code.is_some_and(|code| code != 0), "{runtime}: {stderr}");
        assert_eq!(text(&result.stdout), "", "{runtime}");
        assert_eq!(
            stderr.ends_with("compile error: the program was not run\n"),
            path.starts_with("main.c"),
            "{stderr}"
        );
    }
}

pub(crate) async fn compiled_programs_are_the_process_of_the_run(sandbox: &dyn Sandbox) {
    if !offers(sandbox, "c") {
        return;
    }
    let of = async |source: &str| output_of(sandbox, "c", &[("main.c", source)]).await;
    let aborted = of("#include <stdlib.h>\nint main(void) { abort(); }\n").await;
    assert_eq!((aborted.outcome, aborted.signal), (Outcome::KilledBySignal, Some(6)));
    let crashed = of("int main(void) { volatile int *p = 0; return *p; }\n").await;
    assert_eq!((crashed.outcome, crashed.signal), (Outcome::KilledBySignal, Some(11)));
    let warned = of("int main(void) { char *p = 5; return p != 0; }\n").await;
    assert!(text(&warned.stderr).contains("warning:") && warned.exit_code == Some(1), "{warned:?}");
    let large = of(
        "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) memset(malloc(1 << 24), 1, 1 << 24); }\n",
    )
    .await;
    assert_eq!(large.outcome, Outcome::OomKilled, "{large:?}");
    let project = [
        ("main.c", "#include \"part/add.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d\", add(1, 2)); }\n"),
        ("part/add.h", "int add(int a, int b);\n"),
        ("part/add.c", "int add(int a, int b) { return a + b; }\n"),
        // A program of its own, and a name that a list of words would divide.
        ("tests/test_add.c", "#include <stdio.h>\nint main(void) { puts(\"another\"); }\n"),
        ("part/in between.c", "int between(void) { return 0; }\n"),
    ];
    let linked = output_of(sandbox, "c", &project).await;
    assert_eq!((text(&linked.stdout), linked.exit_code), ("3", Some(0)), "{}", text(&linked.stderr));
}

/// The folder of programs belongs to one job, and only sandboxes of compiled languages have one.
pub(crate) async fn written_programs_are_executed_in_their_folder_only(sandbox: &dyn Sandbox) {
    if !offers(sandbox, "c") {
        return;
    }
    let leave = "#include <stdio.h>\n#include <unistd.h>\nint main(void) { puts(access(\"/programs/left\", F_OK) ? \"new\" : \"left\"); fclose(fopen(\"/programs/left\", \"w\")); }\n";
    for _ in 0..3 {
        assert_eq!(text(&output_of(sandbox, "c", &[("main.c", leave)]).await.stdout), "new\n");
    }
    let other = "import os, shutil\nprint(os.path.exists('/programs'))\nshutil.copy('/usr/bin/python3', 'copy')\nos.chmod('copy', 0o755)\ntry:\n    os.execv('./copy', ['copy'])\nexcept OSError as error:\n    print(error.errno)\n";
    assert_eq!(text(&output_of(sandbox, "python", &[("main.py", other)]).await.stdout), "False\n13\n");
}

pub(crate) async fn python_has_libraries_for_data(sandbox: &dyn Sandbox) {
    if !offers(sandbox, "python-data") {
        return;
    }
    let source = "import os, sys\nimport numpy as np, pandas as pd, requests\nfrom matplotlib import pyplot as plt\n\
        frame = pd.DataFrame({'a': [1, 2, 3]})\nprint(frame.a.mean(), np.linalg.inv(np.eye(2)).sum(), requests.codes.ok)\n\
        plt.plot([1, 2]); plt.figure(); plt.plot([2, 1]); plt.show()\nframe.plot(); os.chdir('/tmp'); plt.show()\n\
        print(sorted(os.listdir('/work/job/outputs')), plt.get_fignums())\n\
        with open('/work/job/outputs/figure-3.png', 'rb') as file: print(file.read(4)[1:], os.path.exists('/etc/passwd'))\n";
    for level in LEVELS {
        let result = run(sandbox, script_of("python-data", level, &[("main.py", source)])).await;
        let expected = "2.0 2.0 200\n['figure-1.png', 'figure-2.png', 'figure-3.png'] []\nb'PNG' False\n";
        assert_eq!((text(&result.stdout), text(&result.stderr)), (expected, ""), "{level:?}");
    }
    let listed: Vec<&str> = sandbox.libraries("python-data").iter().map(|library| library.name.as_str()).collect();
    assert!(["numpy", "pandas", "matplotlib", "requests"].iter().all(|name| listed.contains(name)), "{listed:?}");
    assert_eq!(sandbox.version("python-data"), sandbox.version("python"));
    let tests = "import numpy as np\ndef test_sum():\n    assert np.ones(3).sum() == 3\n";
    let result = run(
        sandbox,
        Job { runtime: "python-data".into(), ..job(IsolationLevel::Strict, Command::Tests, &[("test_a.py", tests)]) },
    )
    .await;
    assert_eq!((result.exit_code, result.tests.map(|tests| tests.len())), (Some(0), Some(1)));
    let programs = "import os\nprint(sum(os.access(f'/usr/bin/{name}', os.X_OK) for name in os.listdir('/usr/bin')) if os.access('/usr/bin', os.R_OK) else 'closed')\n";
    let of = async |runtime| text(&output_of(sandbox, runtime, &[("main.py", programs)]).await.stdout).to_owned();
    assert_eq!(of("python-data").await, of("python").await);
}
