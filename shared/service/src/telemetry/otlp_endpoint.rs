//! The setting `telemetry.otlp_endpoint`.

use std::str::FromStr;

/// The base address of an OTLP/HTTP receiver, e.g. `http://127.0.0.1:4318`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// Returns the address that takes traces.
    pub fn traces_url(&self) -> String {
        format!("{}/v1/traces", self.0)
    }
}

impl FromStr for OtlpEndpoint {
    type Err = &'static str;

    /// Fails for an address without a host, and for any address in a build without the feature `otlp`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if cfg!(not(feature = "otlp")) {
            return Err("this program was built without export of traces; build it with `cargo build --features otlp`");
        }
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        // A password in an address would get into logs.
        let is_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains(['@', '?', '#']);
        match rest.filter(|rest| is_host(rest)) {
            Some(_) => Ok(Self(text.trim_end_matches('/').to_owned())),
            None => Err("must be an http or https address without credentials, e.g. http://127.0.0.1:4318"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_build_without_the_feature_says_how_to_build() {
        let mistake = "http://127.0.0.1:4318".parse::<OtlpEndpoint>().unwrap_err();
        assert!(mistake.contains("cargo build --features otlp"), "{mistake}");
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn an_endpoint_is_a_plain_address() {
        for good in ["http://127.0.0.1:4318", "https://collector.internal/otlp/"] {
            let url = good.parse::<OtlpEndpoint>().unwrap().traces_url();
            assert_eq!(url, format!("{}/v1/traces", good.trim_end_matches('/')));
        }
        for bad in
            ["", "127.0.0.1:4318", "grpc://host", "http://", "http:///x", "http://user:secret@host", "http://h?x"]
        {
            let mistake = bad.parse::<OtlpEndpoint>().unwrap_err();
            assert!(!mistake.contains("secret"), "{bad}");
        }
    }
}
