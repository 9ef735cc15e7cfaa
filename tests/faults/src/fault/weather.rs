//! The weather between components.

use std::io;

use crate::cluster::{Cluster, Weather, Wire};
use crate::packets::{self, Lost};

/// Changes the weather for what goes from one to another of all pairs that are chosen.
pub(super) fn change(cluster: &Cluster, chosen: impl Fn(&str, &str) -> bool, weather: Weather) -> io::Result<()> {
    let mut lost = Vec::new();
    for wire in &cluster.wires {
        if chosen(&wire.from, &wire.to) {
            wire.weather_from(&wire.from, weather);
            lost.push(Lost::To(wire.port));
        }
        if chosen(&wire.to, &wire.from) {
            wire.weather_from(&wire.to, weather);
            lost.push(Lost::From(wire.port));
        }
    }
    if weather == Weather::Held { packets::lose(&lost) } else { Ok(()) }
}

/// Fair everywhere.
pub(super) fn mend(cluster: &Cluster) {
    packets::lose_none();
    cluster.wires.iter().for_each(Wire::mend);
}
