//! What every backend must do, run on each of them with its real engine, kernel and interpreter.

mod results;
mod support;

/// One test for each case and backend.
macro_rules! on_every_backend {
    ($($module:ident :: $case:ident,)*) => {
        mod docker {
            $(#[test] fn $case() { crate::on(sandbox::Backend::Docker, crate::$module::$case) })*
        }
        mod bubblewrap {
            $(#[test] fn $case() { crate::on(sandbox::Backend::Bubblewrap, crate::$module::$case) })*
        }
    };
}

fn on(backend: sandbox::Backend, case: impl AsyncFnOnce(&dyn sandbox::Sandbox)) {
    if let Some(sandbox) = support::shared(backend) {
        support::RUNTIME.block_on(case(&*sandbox));
    }
}

on_every_backend! {
    results::output_and_exit_code_come_back_exactly,
}
