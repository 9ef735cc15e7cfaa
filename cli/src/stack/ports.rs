//! The ports of the stack: default ports if they are free.

use std::io;

use service::ports::{self, is_free};

#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error(
        "port {port} is in use. Stop the process that listens there, or choose another with --port (setting api.listen)"
    )]
    ApiPortInUse { port: u16 },
    #[error("cannot allocate a free port: {0}")]
    NoFreePort(io::Error),
}

/// The ports, on the loopback interface. They stay the same when a process restarts.
#[derive(Debug, Clone)]
pub struct Ports {
    pub api: u16,
    pub api_metrics: u16,
    pub broker: u16,
    pub broker_monitor: u16,
    pub redis: u16,
    pub approver_metrics: u16,
    pub worker_metrics: Vec<u16>,
}

impl Ports {
    /// Chooses the ports: `api` must be free; the others fall back to any free port. With `api` = 0 all are arbitrary,
    /// because concurrently starting stacks would race for the default ports.
    pub fn choose(api: u16, workers: usize) -> Result<Self, PortError> {
        if api != 0 && !is_free(api) {
            return Err(PortError::ApiPortInUse { port: api });
        }
        let mut chosen = Chosen(Vec::new());
        let usual = |port| if api == 0 { 0 } else { port };
        Ok(Self {
            api: chosen.take(api)?,
            broker: chosen.take(usual(4222))?,
            broker_monitor: chosen.take(usual(8222))?,
            redis: chosen.take(usual(6379))?,
            api_metrics: chosen.take(usual(9464))?,
            approver_metrics: chosen.take(usual(9465))?,
            worker_metrics: (9466..).take(workers).map(|port| chosen.take(usual(port))).collect::<Result<_, _>>()?,
        })
    }
}

/// Ports chosen so far. None of them is listened on yet, so a bind check does not detect them.
struct Chosen(Vec<u16>);

impl Chosen {
    fn take(&mut self, preferred: u16) -> Result<u16, PortError> {
        let mut port = preferred;
        while port == 0 || self.0.contains(&port) || !is_free(port) {
            port = ports::free(1).map_err(PortError::NoFreePort)?[0];
        }
        self.0.push(port);
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_taken_api_port_is_refused_and_other_taken_ports_are_avoided() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::choose(port, 1).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("api.listen"), "{error}");

        let ports = Ports::choose(0, 3).unwrap();
        let mut all = ports.worker_metrics.clone();
        all.extend([ports.api, ports.api_metrics, ports.broker, ports.broker_monitor, ports.redis]);
        all.push(ports.approver_metrics);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9, "{ports:?}");
        assert!(!all.contains(&0) && !all.contains(&port));
    }
}
