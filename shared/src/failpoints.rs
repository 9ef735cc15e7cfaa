//! Named places at which the fault harness (`tests/faults`) makes a process fail. Without the feature `failpoints`, which no
//! release build may have, nothing of it is compiled but [`Injected::Nothing`].
//!
//! The harness puts a file named like the place into the folder that `PROMPTCRAFT_FAILPOINTS` names; the process that reaches the
//! place takes the file away and obeys it: `abort`, `pause <milliseconds>`, `skip` or `repeat`. With `always ` before the order
//! the file stays. A file `clock` holds milliseconds by which the process's clock is ahead.

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("failpoints can switch the fence off: a release build must not have them");

/// What the place that was reached is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// Go on as always.
    Nothing,
    /// Leave out what the place is about to do.
    Skip,
    /// Do it twice.
    Repeat,
}

/// Obeys what the harness ordered for this place, if anything; may wait, and may not return at all.
#[cfg(feature = "failpoints")]
pub async fn reach(place: &str) -> Injected {
    let Some(order) = orders::take(place) else { return Injected::Nothing };
    tracing::warn!(place, order, "a failpoint");
    match order.split_once(' ').unwrap_or((&order, "")) {
        ("abort", _) => std::process::abort(),
        ("pause", millis) => {
            tokio::time::sleep(std::time::Duration::from_millis(millis.parse().unwrap_or(0))).await;
            Injected::Nothing
        }
        ("skip", _) => Injected::Skip,
        ("repeat", _) => Injected::Repeat,
        _ => Injected::Nothing,
    }
}

/// Goes on.
#[cfg(not(feature = "failpoints"))]
pub async fn reach(_place: &str) -> Injected {
    Injected::Nothing
}

/// Milliseconds by which this process's clock is ahead.
pub(crate) fn clock_ahead() -> i64 {
    #[cfg(feature = "failpoints")]
    return orders::clock_ahead();
    #[cfg(not(feature = "failpoints"))]
    0
}

#[cfg(feature = "failpoints")]
mod orders {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::LazyLock;

    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let mut variables = std::env::vars_os();
        variables.find(|(name, _)| name == "PROMPTCRAFT_FAILPOINTS").map(|(_, folder)| PathBuf::from(folder))
    });

    pub(super) fn take(place: &str) -> Option<String> {
        let file = FOLDER.as_ref()?.join(place);
        let order = fs::read_to_string(&file).ok()?;
        match order.trim().strip_prefix("always ") {
            Some(order) => Some(order.to_owned()),
            // Of several that read it only the one that takes it away obeys.
            None => fs::remove_file(&file).is_ok().then(|| order.trim().to_owned()),
        }
    }

    pub(super) fn clock_ahead() -> i64 {
        let text = FOLDER.as_ref().and_then(|folder| fs::read_to_string(folder.join("clock")).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}
