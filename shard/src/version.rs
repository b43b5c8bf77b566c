//! The versions that the server reports.

/// The version of Redis whose behaviour this is. Clients choose by it what they rely on.
pub const REDIS_VERSION: &str = "7.2.4";

/// The server's own version.
pub const TESSERA_VERSION: &str = env!("CARGO_PKG_VERSION");
