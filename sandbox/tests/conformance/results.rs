//! What a job produced comes back as it was.

use sandbox::{Outcome, Sandbox};

use crate::support::{script, text};

pub(crate) async fn output_and_exit_code_come_back_exactly(sandbox: &dyn Sandbox) {
    let source = "import sys\nprint('hello')\nsys.stdout.flush()\nsys.stderr.write('trouble')\nsys.exit(7)\n";
    let result = script(sandbox, source).await;
    assert_eq!(text(&result.stdout), "hello\n");
    assert_eq!(text(&result.stderr), "trouble");
    assert_eq!((result.outcome, result.exit_code, result.signal), (Outcome::Exited, Some(7), None));
    assert!(!result.truncated && result.tests.is_none());
}
