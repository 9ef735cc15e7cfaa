//! Named places at which the fault harness (`tests/faults`) makes a process fail. Without the feature `failpoints`, which no
//! release build may have, nothing of it is compiled but [`Injected::Nothing`].
//!
//! The harness puts a file named like the place into the folder that `PROMPTCRAFT_FAILPOINTS` names; the process that reaches the
//! place takes the file away and obeys it: `abort`, `pause <milliseconds>`, `skip` or `repeat`. With `always ` before the order
//! the file stays. Each time an order is obeyed a byte goes to the file `<place>.hits` first, so that the harness can tell. A file `clock` holds milliseconds by which the process's clock is ahead.

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

/// How often what goes on asks whether it is to stop.
#[cfg(feature = "failpoints")]
const GLANCE: std::time::Duration = std::time::Duration::from_millis(20);

/// Reaches the place again and again while `work` goes on: the harness, which sees from outside how far it is, orders at the right moment.
#[cfg(feature = "failpoints")]
pub async fn reach_during<T>(place: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(GLANCE, &mut work).await {
            return done;
        }
        reach(place).await;
    }
}

/// Goes on.
#[cfg(not(feature = "failpoints"))]
pub async fn reach_during<T>(_place: &str, work: impl Future<Output = T>) -> T {
    work.await
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
            // Of several that read it only the one that takes it away obeys.
            None => fs::remove_file(&file).is_ok().then(|| order.trim().to_owned())?,
        };
        count(place);
        Some(order)
    }

    /// Before the order is obeyed: whoever aborts says nothing afterwards.
    fn count(place: &str) {
        let Some(folder) = FOLDER.as_ref() else { return };
        let hits = File::options().create(true).append(true).open(folder.join(format!("{place}.hits")));
        if let Err(error) = hits.and_then(|mut hits| hits.write_all(b".")) {
            tracing::warn!(place, %error, "a failpoint could not be counted");
        }
    }

    pub(super) fn clock_ahead() -> i64 {
        let text = FOLDER.as_ref().and_then(|folder| fs::read_to_string(folder.join("clock")).ok());
        let ahead = text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        // The clock is read all the time; that it jumped is news once.
        static LAST: AtomicI64 = AtomicI64::new(0);
        if LAST.swap(ahead, Ordering::Relaxed) != ahead && ahead != 0 {
            count("clock");
        }
        ahead
    }
}
