//! Failpoints: named places at which the fault harness (`tests/faults`) makes a process fail. Only
//! [`FailpointAction::Nothing`] is compiled without the feature `failpoints`, which release builds must not enable.
//!
//! The harness writes a file named like the place into the folder `PROMPTCRAFT_FAILPOINTS`. The process that reaches
//! the place removes the file and obeys its order: `abort`, `pause <milliseconds>`, `skip` or `repeat`. After the
//! prefix `always ` the file stays. Each execution first appends a byte to the file `<place>.hits`, so that the harness
//! can count them. A file `clock` holds milliseconds by which the process's clock is ahead.

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("failpoints can disable the fence: build releases without the feature `failpoints`");

/// The action to take at a failpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailpointAction {
    /// Continue as usual.
    Nothing,
    /// Skip the guarded action.
    Skip,
    /// Run the guarded action twice.
    Repeat,
}

/// Obeys the harness's order for this place, if any; may wait, and may not return at all.
#[cfg(feature = "failpoints")]
pub async fn reach(place: &str) -> FailpointAction {
    let Some(order) = orders::take(place) else { return FailpointAction::Nothing };
    tracing::warn!(place, order, "Failpoint {place}: {order}");
    match order.split_once(' ').unwrap_or((&order, "")) {
        ("abort", _) => std::process::abort(),
        ("pause", millis) => {
            tokio::time::sleep(std::time::Duration::from_millis(millis.parse().unwrap_or(0))).await;
            FailpointAction::Nothing
        }
        ("skip", _) => FailpointAction::Skip,
        ("repeat", _) => FailpointAction::Repeat,
        _ => FailpointAction::Nothing,
    }
}

/// Does nothing.
#[cfg(not(feature = "failpoints"))]
pub async fn reach(_place: &str) -> FailpointAction {
    FailpointAction::Nothing
}

/// Interval at which running work checks for an order.
#[cfg(feature = "failpoints")]
const CHECK_INTERVAL: std::time::Duration = std::time::Duration::from_millis(20);

/// Checks the place repeatedly while `work` runs, so that the harness, which observes its progress, can order at the
/// right moment.
#[cfg(feature = "failpoints")]
pub async fn reach_during<T>(place: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(CHECK_INTERVAL, &mut work).await {
            return done;
        }
        reach(place).await;
    }
}

/// Only awaits `work`.
#[cfg(not(feature = "failpoints"))]
pub async fn reach_during<T>(_place: &str, work: impl Future<Output = T>) -> T {
    work.await
}

/// Returns the milliseconds by which this process's clock is ahead.
pub(crate) fn clock_ahead() -> i64 {
    #[cfg(feature = "failpoints")]
    return orders::clock_ahead();
    #[cfg(not(feature = "failpoints"))]
    0
}

#[cfg(feature = "failpoints")]
mod orders {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicI64, Ordering};

    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let mut variables = std::env::vars_os();
        variables.find(|(name, _)| name == "PROMPTCRAFT_FAILPOINTS").map(|(_, folder)| PathBuf::from(folder))
    });

    pub(super) fn take(place: &str) -> Option<String> {
        let file = FOLDER.as_ref()?.join(place);
        let order = fs::read_to_string(&file).ok()?;
        let order = match order.trim().strip_prefix("always ") {
            Some(order) => order.to_owned(),
            // Of several processes that read it, only the one that removes it obeys.
            None => fs::remove_file(&file).is_ok().then(|| order.trim().to_owned())?,
        };
        count(place);
        Some(order)
    }

    /// Counts a hit before the order is obeyed, because an aborted process cannot count afterwards.
    fn count(place: &str) {
        let Some(folder) = FOLDER.as_ref() else { return };
        let hits = File::options().create(true).append(true).open(folder.join(format!("{place}.hits")));
        if let Err(error) = hits.and_then(|mut hits| hits.write_all(b".")) {
            tracing::warn!(place, %error, "Failed to count a hit of failpoint {place}");
        }
    }

    pub(super) fn clock_ahead() -> i64 {
        let text = FOLDER.as_ref().and_then(|folder| fs::read_to_string(folder.join("clock")).ok());
        let ahead = text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        // The clock is read constantly; count each jump once.
        static LAST: AtomicI64 = AtomicI64::new(0);
        if LAST.swap(ahead, Ordering::Relaxed) != ahead && ahead != 0 {
            count("clock");
        }
        ahead
    }
}
