//! Placeholder until the configuration lands.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Config {
    pub databases: u32,
    pub maxclients: u32,
    pub requirepass: String,
    pub proto_max_bulk_len: u64,
    pub client_query_buffer_limit: u64,
    pub slowlog_log_slower_than: i64,
    pub latency_tracking: bool,
    pub timeout: u64,
    pub lfu_log_factor: u32,
    pub lfu_decay_time: u32,
    pub maxmemory: u64,
    pub slowlog_max_len: u64,
}
impl Config {
    #[allow(missing_docs)]
    pub fn keeps_lfu(&self) -> bool { false }
}
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug)]
pub struct OutputLimit { pub hard_bytes: u64, pub soft_bytes: u64, pub soft_seconds: u64 }
#[allow(missing_docs)]
impl Config {
    pub fn output_limit_normal(&self) -> OutputLimit { OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 } }
    pub fn refuses(&self, _: &net::service::Endpoint) -> bool { false }
}
