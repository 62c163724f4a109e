//! `[metrics]` in the configuration: an address at which a monitor asks without a token.
//!
//! ```toml
//! [metrics]
//! listen = "127.0.0.1:9464"   # /metrics there, for whoever reaches it
//! # open_to_network = true    # said once more where that is not this machine alone
//! ```
//!
//! On the service's own port `/metrics` takes an operator's token, with or without this.

use std::{net::SocketAddr, sync::Arc};

use gateway::watch::Watch;
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::error::{Error, Result, class_of_io};

/// The table, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsTable {
    listen: SocketAddr,
    /// Says once more that others than this machine may reach it.
    #[serde(default)]
    open_to_network: bool,
}

impl MetricsTable {
    /// The address that is meant; the error says what is in the way.
    pub fn meant(self) -> std::result::Result<SocketAddr, String> {
        if self.listen.ip().is_loopback() || self.open_to_network {
            return Ok(self.listen);
        }
        Err(format!(
            "[metrics] listen = \"{}\" would tell everybody who reaches that address how the fleet stands, without a token; \
             listen on 127.0.0.1, or, if that network is yours alone, say open_to_network = true",
            self.listen
        ))
    }
}

/// The listener for monitors, bound before anything is said of it.
pub struct Monitor {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Monitor {
    /// Binds.
    ///
    /// # Errors
    /// As the operating system says.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(class_of_io(&error), format!("[metrics] cannot listen on {address}: {error}"))
                .hint("choose another port for it; everything else can do without")
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Answers until it is aborted.
    pub fn serve(self, watch: Arc<Watch>) -> JoinHandle<()> {
        tokio::spawn(gateway::serve_metrics(self.listener, watch, std::future::pending()))
    }
}

#[cfg(test)]
mod tests {
    use super::MetricsTable;

    #[test]
    fn a_network_is_said_twice() {
        let of =
            |text: &str| toml::from_str::<MetricsTable>(text).map_err(|e| e.to_string()).and_then(MetricsTable::meant);
        assert!(of("listen = \"127.0.0.1:9464\"").is_ok() && of("listen = \"[::1]:0\"").is_ok());
        assert!(of("listen = \"0.0.0.0:9464\"").is_err_and(|why| why.contains("open_to_network")));
        assert!(of("listen = \"10.0.0.5:9464\"\nopen_to_network = true").is_ok());
        assert!(of("listen = \"9464\"").is_err() && of("").is_err());
    }
}
