//! The weather between components.

use crate::cluster::{Cluster, Weather};

/// Changes the weather for what goes from one to another of all pairs that are chosen.
pub(super) fn change(cluster: &Cluster, chosen: impl Fn(&str, &str) -> bool, weather: Weather) {
    for wire in &cluster.wires {
        if chosen(&wire.from, &wire.to) {
            wire.weather_from(&wire.from, weather);
        }
        if chosen(&wire.to, &wire.from) {
            wire.weather_from(&wire.to, weather);
        }
    }
}
