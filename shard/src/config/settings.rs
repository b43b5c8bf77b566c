//! The value of every directive, as plain typed fields for the code that uses them.
//!
//! A field is named like its directive, with underscores, and is described, bounded and given its default by the
//! directive's row in `directives/`. `Settings::default()` is all zeros; the defaults of the table come from
//! [`Config::default`](super::Config).

use super::types::bind::Bind;
use super::types::choices::{
    Access, AclPubsub, AppendFsync, ClusterEndpoint, LogLevel, MaxmemoryPolicy, OomScoreAdj, PropagationError,
    ReplDisklessLoad, SanitizeDump, Supervised, SyslogFacility, TlsAuthClients,
};
use super::types::directory::Directory;
use super::types::events::Events;
use super::types::master::Master;
use super::types::oom::OomScores;
use super::types::output_limits::OutputLimits;
use super::types::percentiles::Percentiles;
use super::types::save::SavePoints;
use super::types::shutdown::ShutdownOptions;
use super::value::MemoryShare;
use crate::os;

/// Every directive's value.
#[allow(missing_docs, reason = "the rows in `directives/` describe the fields")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    // Shards and threads
    pub shards: u32,
    pub pin_shards: bool,
    pub io_threads: u32,
    pub io_threads_do_reads: bool,
    pub server_cpulist: String,
    pub bio_cpulist: String,
    pub aof_rewrite_cpulist: String,
    pub bgsave_cpulist: String,

    // Network
    pub port: u16,
    pub bind: Bind,
    pub bind_source_addr: String,
    pub unixsocket: String,
    pub unixsocketperm: u32,
    pub tcp_backlog: u32,
    pub tcp_keepalive: u32,
    pub timeout: u32,
    pub protected_mode: bool,
    pub socket_mark_id: u32,

    // TLS
    pub tls_port: u16,
    pub tls_cert_file: String,
    pub tls_key_file: String,
    pub tls_key_file_pass: Vec<u8>,
    pub tls_client_cert_file: String,
    pub tls_client_key_file: String,
    pub tls_client_key_file_pass: Vec<u8>,
    pub tls_dh_params_file: String,
    pub tls_ca_cert_file: String,
    pub tls_ca_cert_dir: String,
    pub tls_auth_clients: TlsAuthClients,
    pub tls_replication: bool,
    pub tls_cluster: bool,
    pub tls_protocols: String,
    pub tls_ciphers: String,
    pub tls_ciphersuites: String,
    pub tls_prefer_server_ciphers: bool,
    pub tls_session_caching: bool,
    pub tls_session_cache_size: u32,
    pub tls_session_cache_timeout: u32,

    // Process
    pub daemonize: bool,
    pub pidfile: String,
    pub supervised: Supervised,
    pub set_proc_title: bool,
    pub proc_title_template: String,
    pub always_show_logo: bool,
    pub loglevel: LogLevel,
    pub logfile: String,
    pub syslog_enabled: bool,
    pub syslog_ident: String,
    pub syslog_facility: SyslogFacility,
    pub crash_log_enabled: bool,
    pub crash_memcheck_enabled: bool,
    pub use_exit_on_panic: bool,
    pub dir: Directory,
    pub databases: u32,
    pub hz: u32,
    pub dynamic_hz: bool,
    pub shutdown_timeout: u32,
    pub shutdown_on_sigterm: ShutdownOptions,
    pub shutdown_on_sigint: ShutdownOptions,
    pub oom_score_adj: OomScoreAdj,
    pub oom_score_adj_values: OomScores,
    pub disable_thp: bool,
    pub watchdog_period: u32,
    pub ignore_warnings: String,
    pub locale_collate: String,

    // Clients
    pub maxclients: u32,
    pub maxmemory_clients: MemoryShare,
    pub client_query_buffer_limit: u64,
    pub client_output_buffer_limit: OutputLimits,
    pub proto_max_bulk_len: u64,
    pub tracking_table_max_keys: u64,
    pub notify_keyspace_events: Events,
    pub busy_reply_threshold: i64,
    pub lua_enable_deprecated_api: bool,

    // Security
    pub requirepass: Vec<u8>,
    pub aclfile: String,
    pub acllog_max_len: u64,
    pub acl_pubsub_default: AclPubsub,
    pub enable_debug_command: Access,
    pub enable_module_command: Access,
    pub enable_protected_configs: Access,

    // Memory
    pub maxmemory: MemoryShare,
    pub maxmemory_policy: MaxmemoryPolicy,
    pub maxmemory_samples: u32,
    pub maxmemory_eviction_tenacity: u32,
    pub lfu_log_factor: u32,
    pub lfu_decay_time: u32,
    pub active_expire_effort: u32,
    pub activerehashing: bool,
    pub activedefrag: bool,
    pub active_defrag_cycle_min: u32,
    pub active_defrag_cycle_max: u32,
    pub active_defrag_ignore_bytes: u64,
    pub active_defrag_max_scan_fields: u64,
    pub active_defrag_threshold_lower: u32,
    pub active_defrag_threshold_upper: u32,
    pub jemalloc_bg_thread: bool,
    pub lazyfree_lazy_eviction: bool,
    pub lazyfree_lazy_expire: bool,
    pub lazyfree_lazy_server_del: bool,
    pub lazyfree_lazy_user_del: bool,
    pub lazyfree_lazy_user_flush: bool,

    // Encodings
    pub hash_max_listpack_entries: u64,
    pub hash_max_listpack_value: u64,
    pub list_max_listpack_size: i32,
    pub list_compress_depth: u32,
    pub set_max_intset_entries: u64,
    pub set_max_listpack_entries: u64,
    pub set_max_listpack_value: u64,
    pub zset_max_listpack_entries: u64,
    pub zset_max_listpack_value: u64,
    pub hll_sparse_max_bytes: u64,
    pub stream_node_max_bytes: u64,
    pub stream_node_max_entries: u64,

    // Snapshots
    pub save: SavePoints,
    pub dbfilename: String,
    pub rdbcompression: bool,
    pub rdbchecksum: bool,
    pub rdb_del_sync_files: bool,
    pub rdb_save_incremental_fsync: bool,
    pub snapshot_buffer_limit: u64,
    pub rdb_key_save_delay: i32,
    pub key_load_delay: i32,
    pub loading_process_events_interval_bytes: u64,
    pub stop_writes_on_bgsave_error: bool,
    pub sanitize_dump_payload: SanitizeDump,

    // Append-only file
    pub appendonly: bool,
    pub appendfilename: String,
    pub appenddirname: String,
    pub appendfsync: AppendFsync,
    pub no_appendfsync_on_rewrite: bool,
    pub auto_aof_rewrite_percentage: u32,
    pub auto_aof_rewrite_min_size: u64,
    pub aof_load_truncated: bool,
    pub aof_use_rdb_preamble: bool,
    pub aof_rewrite_incremental_fsync: bool,
    pub aof_timestamp_enabled: bool,
    pub aof_disable_auto_gc: bool,

    // Replication
    pub replicaof: Option<Master>,
    pub masterauth: Vec<u8>,
    pub masteruser: Vec<u8>,
    pub replica_serve_stale_data: bool,
    pub replica_read_only: bool,
    pub replica_lazy_flush: bool,
    pub replica_ignore_maxmemory: bool,
    pub replica_ignore_disk_write_errors: bool,
    pub replica_priority: u32,
    pub replica_announced: bool,
    pub replica_announce_ip: String,
    pub replica_announce_port: u16,
    pub repl_diskless_sync: bool,
    pub repl_diskless_sync_delay: u32,
    pub repl_diskless_sync_max_replicas: u32,
    pub repl_diskless_load: ReplDisklessLoad,
    pub repl_disable_tcp_nodelay: bool,
    pub repl_ping_replica_period: u32,
    pub repl_timeout: u32,
    pub repl_backlog_size: u64,
    pub repl_backlog_ttl: u64,
    pub min_replicas_to_write: u32,
    pub min_replicas_max_lag: u32,
    pub propagation_error_behavior: PropagationError,

    // Cluster
    pub cluster_enabled: bool,
    pub cluster_config_file: String,
    pub cluster_node_timeout: u64,
    pub cluster_port: u16,
    pub cluster_ping_interval: u32,
    pub cluster_announce_ip: String,
    pub cluster_announce_port: u16,
    pub cluster_announce_tls_port: u16,
    pub cluster_announce_bus_port: u16,
    pub cluster_announce_hostname: String,
    pub cluster_announce_human_nodename: String,
    pub cluster_preferred_endpoint_type: ClusterEndpoint,
    pub cluster_replica_validity_factor: u32,
    pub cluster_migration_barrier: u32,
    pub cluster_replica_no_failover: bool,
    pub cluster_allow_replica_migration: bool,
    pub cluster_require_full_coverage: bool,
    pub cluster_allow_reads_when_down: bool,
    pub cluster_allow_pubsubshard_when_down: bool,
    pub cluster_link_sendbuf_limit: u64,

    // Observation
    pub slowlog_log_slower_than: i64,
    pub slowlog_max_len: u64,
    pub latency_monitor_threshold: i64,
    pub latency_tracking: bool,
    pub latency_tracking_info_percentiles: Percentiles,
}

impl Settings {
    /// `maxmemory` in bytes; 0 is no limit.
    pub fn maxmemory_bytes(&self) -> u64 {
        match self.maxmemory {
            MemoryShare::Bytes(bytes) => bytes,
            MemoryShare::Percent(_) => self.maxmemory.bytes_of(os::memory_allowed_bytes()),
        }
    }
}
